"""Which statements does a search send, and does PostgreSQL answer them through the indexes that were made for them?

The statements are committed in tests/golden/search, for a reviewer to read. KB_REWRITE_GOLDEN=1 writes them anew.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlparse
from django.contrib.auth.models import User
from django.db import connection
from PIL import Image

from kb.models import Asset, VectorSet
from kb.permissions import visible_audiences
from retrieval import browse, lexical, planner, search, spaces, vectors
from retrieval.encoders.base import unit_rows
from retrieval.reading import ReadLine
from retrieval.scope import Scope
from retrieval.search import SearchRequest
from tests.builders import encoded, scene
from tests.integration.ingest import DIMENSIONS, HashEncoder
from tests.library import Passage, a_collection, a_user, an_asset
from workers.vector_sets import ensure_vector_set

pytestmark = pytest.mark.django_db

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "search"
REWRITE = "KB_REWRITE_GOLDEN"

KINDS = {
    "words": SearchRequest("seal pump"),
    "phrase": SearchRequest('"mechanical seal"'),
    "exclusions": SearchRequest('pump -gasket -"mechanical seal"'),
    "filters": SearchRequest(
        "pump kind:document,image in:plant lang:en type:txt,png after:2020-01-01 before:2100-01-01"
    ),
    "filters-alone": SearchRequest("in:plant"),
    "picture": SearchRequest(picture=encoded(scene(1))),
    "unknown-picture": SearchRequest(picture=encoded(scene(77))),
    "words-and-picture": SearchRequest("pump", picture=encoded(scene(1))),
    "words-through-hnsw": SearchRequest("seal pump"),
}

Statement = tuple[str, Any]


@contextmanager
def sent() -> Iterator[list[Statement]]:
    """The statements that are sent inside, with their parameters, but for savepoints."""
    statements: list[Statement] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "SAVEPOINT" not in sql:
            statements.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield statements


@pytest.fixture(autouse=True)
def encoder(hash_encoder: HashEncoder, monkeypatch: pytest.MonkeyPatch) -> HashEncoder:
    def read_lines(image: Image.Image, *, max_side_px: int) -> tuple[ReadLine, ...]:
        return (ReadLine("pump", (0, 0, 1, 1)),)

    monkeypatch.setattr("retrieval.picture.read_lines", read_lines)
    monkeypatch.setattr("retrieval.picture.seems_written", lambda _image: True)
    return hash_encoder


@pytest.fixture
def reader() -> User:
    return a_user("reader")


@pytest.fixture
def library(reader: User, encoder: HashEncoder) -> None:
    """One of each: passages, a picture, a figure that links to it."""
    plant = a_collection("Plant", reader)
    text = ensure_vector_set(encoder.spec, "text")
    looks = ensure_vector_set(spaces.lookalike_encoder().spec, "lookalike")
    words = "the mechanical seal of the pump"
    row = encoder.encode_texts([words])[0]
    look = spaces.lookalike_encoder().encode_images([scene(1)])[0]
    figure = Passage("pump figure", kind="figure", picture_uri="pump.png")
    an_asset(
        plant, [Passage(words, vectors=((text, row),)), figure, "gasket"], title="manual", uri="manual.txt"
    )
    an_asset(plant, ["pump"], title="list", uri="list.txt")
    picture = Passage(kind="image", ocr_text="pump", vectors=((looks, look),))
    an_asset(plant, [picture], title="picture", uri="pump.png", media_type="image/png")


@pytest.mark.parametrize("kind", KINDS)
def test_the_statements_of_a_search_are_those_that_were_reviewed(
    kind: str, reader: User, library: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind.endswith("hnsw"):
        monkeypatch.setattr(planner, "EXACT_SEGMENTS", -1)
    with sent() as statements:
        result = search.search(reader, KINDS[kind])
    assert result.hits or kind == "exclusions"
    written = "\n".join(_readable(sql) for sql, _ in statements)
    file = GOLDEN / f"{kind}.sql"
    if os.environ.get(REWRITE) == "1":
        file.write_text(written)
    assert file.exists(), f"{file.name} is missing; {REWRITE}=1 writes it."
    assert written == file.read_text(), f"The statements changed. Read them, then run again with {REWRITE}=1."


def test_no_golden_file_is_left_over() -> None:
    assert {file.stem for file in GOLDEN.glob("*.sql")} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_statement_about_content_is_restricted_to_the_readers_audiences(
    kind: str, reader: User, library: None
) -> None:
    with sent() as statements:
        search.search(reader, KINDS[kind])
    about_content = [sql for sql, _ in statements if re.search("kb_(segment|asset|vector |collection)", sql)]
    assert len(about_content) > 3
    for sql in about_content:
        assert "audience_id = ANY(%(audiences)s)" in sql or '"audience_id" IN (' in sql, sql


def _readable(sql: str) -> str:
    """One clause a line, without what differs from run to run: a vector set's number, how many rows are asked for."""
    sql = re.sub(r"vector_set_id = \d+", "vector_set_id = N", sql)
    sql = re.sub(r"IN \(%s(, %s)+\)", "IN (%s, …)", sql)
    return f"{sqlparse.format(sql.strip(), reindent=True, keyword_case='upper')};\n"


def plan_of(statement: Statement) -> str:
    """How PostgreSQL would answer, were the tables too large to be read as a whole."""
    sql, params = statement
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {sql}", params)
        return "\n".join(line for (line,) in cursor.fetchall())


def only(statements: list[Statement], table: str) -> Statement:
    (found,) = (statement for statement in statements if f"FROM {table}" in statement[0])
    return found


@pytest.fixture
def crowd(reader: User, encoder: HashEncoder) -> VectorSet:
    """300 segments, of which the reader sees 100, with statistics and a merged GIN index as after a vacuum."""
    space = ensure_vector_set(encoder.spec, "text")
    other = a_user("other")
    rows = unit_rows(np.random.default_rng(1).normal(size=(300, DIMENSIONS)))
    for number, owner in enumerate((reader, other, other)):
        passages = [
            Passage(f"word{index} common", vectors=((space, rows[100 * number + index]),))
            for index in range(100)
        ]
        an_asset(a_collection(f"Collection {number}", owner), passages, title="x")
    with connection.cursor() as cursor:
        cursor.execute("SELECT gin_clean_pending_list('segment_words_terms')")
        cursor.execute("ANALYZE kb_segmentwords, kb_segment, kb_asset, kb_vector, kb_lexemestats, kb_lexeme")
    return space


def test_candidates_come_from_the_gin_index_on_terms(reader: User, crowd: VectorSet) -> None:
    audiences = visible_audiences(reader)
    with sent() as statements:
        lexical.find(lexical.weigh(["word7"], audiences), Scope(audiences), 10)
    assert "Bitmap Index Scan on segment_words_terms" in plan_of(only(statements, "kb_segmentwords"))


def test_a_phrases_candidates_come_from_the_gin_index_on_terms(reader: User, crowd: VectorSet) -> None:
    audiences = visible_audiences(reader)
    (term,) = lexical.weigh(["word7"], audiences)
    with sent() as statements:
        lexical.segments_with_all([term.lexeme_id], Scope(audiences), 2000)
    assert "Bitmap Index Scan on segment_words_terms" in plan_of(only(statements, "kb_segmentwords"))


def test_statistics_are_looked_up_by_word_and_audience(reader: User, crowd: VectorSet) -> None:
    with sent() as statements:
        lexical.weigh(["word7"], visible_audiences(reader))
    plan = plan_of(only(statements, "kb_lexeme l"))
    assert re.search("Index.* kb_lexeme_text", plan)
    assert re.search("Index.* kb_lexemestats", plan)


@pytest.mark.parametrize("through_index", [True, False], ids=["hnsw", "exact"])
def test_the_nearest_come_from_the_index_only_where_the_plan_says_so(
    through_index: bool, reader: User, crowd: VectorSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    if through_index:
        monkeypatch.setattr(planner, "EXACT_SEGMENTS", -1)
    with sent() as statements:
        vectors.find("text", crowd, np.eye(DIMENSIONS)[0], Scope(visible_audiences(reader)), 10)
    # As on a large set, where sorting what the audience's b-tree finds costs more than walking the graph.
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_sort = off")
    plan = plan_of(only(statements, "kb_vector"))
    hnsw = f"Index Scan using kb_vector_s{crowd.pk}_rest_hnsw"
    assert (hnsw in plan) is through_index
    if not through_index:
        assert re.search(f"kb_vector_s{crowd.pk}_rest_(audience|pkey)", plan), plan


def test_only_the_partition_of_the_set_is_looked_into(reader: User, crowd: VectorSet) -> None:
    ensure_vector_set(spaces.lookalike_encoder().spec, "lookalike")
    with sent() as statements:
        vectors.find("text", crowd, np.eye(DIMENSIONS)[0], Scope(visible_audiences(reader)), 10)
    plan = plan_of(only(statements, "kb_vector"))
    assert set(re.findall(r"kb_vector_s(\d+)", plan)) == {str(crowd.pk)}


def test_linked_pictures_are_looked_up_by_their_place(reader: User) -> None:
    plant = a_collection("Plant", reader)
    facts = {"collection": plant, "audience": plant.audience, "size_bytes": 1, "version": 1}
    Asset.objects.bulk_create(Asset(source_uri=f"{number}.png", **facts) for number in range(1000))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE kb_asset")
    with sent() as statements:
        found = browse.assets_at(
            {(plant.pk, "7.png"), (plant.pk, "no.png")}, Scope(visible_audiences(reader))
        )
    assert list(found) == [(plant.pk, "7.png")]
    assert "Index Scan using asset_source_once" in plan_of(only(statements, "unnest"))
