"""Are the nearest vectors those of a naive ranking, by either plan, inside the readable audiences only?"""

from collections.abc import Sequence

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.db import connection

from kb.models import Collection, VectorSet
from kb.permissions import visible_audiences
from retrieval import planner, vectors
from retrieval.encoders.base import Vectors, unit_rows
from retrieval.scope import Scope
from tests.integration.ingest import DIMENSIONS, HashEncoder
from tests.library import Passage, a_collection, a_user, an_asset
from workers.vector_sets import ensure_vector_set

pytestmark = pytest.mark.django_db


def random_rows(count: int, seed: int) -> Vectors:
    return unit_rows(np.random.default_rng(seed).normal(size=(count, DIMENSIONS)))


def fill(collection: Collection, space: VectorSet, rows: Vectors, **options: object) -> list[int]:
    """One asset with a segment a row; the segments' ids."""
    passages = [Passage(f"row {number}", vectors=((space, row),)) for number, row in enumerate(rows)]
    asset = an_asset(collection, passages, **options)  # type: ignore[arg-type]
    return list(asset.segments.order_by("ordinal").values_list("pk", flat=True))


def naive(query: np.ndarray, ids: Sequence[int], rows: Vectors, limit: int) -> list[tuple[int, float]]:
    """As the database stores them, in halves, but ranked by numpy."""
    stored, asked = (np.asarray(value, np.float16).astype(np.float64) for value in (rows, query))
    cosines = stored @ asked / np.linalg.norm(stored, axis=1) / np.linalg.norm(asked)
    ranked = sorted(zip(ids, cosines, strict=True), key=lambda item: (-item[1], item[0]))
    return [(pk, float(cosine)) for pk, cosine in ranked[:limit]]


@pytest.fixture
def crowd(encoder: HashEncoder) -> tuple[VectorSet, dict[str, User], dict[str, tuple[list[int], Vectors]]]:
    """Three collections and an asset with readers of its own, 60 vectors each."""
    space = ensure_vector_set(encoder.spec, "text")
    users = {name: a_user(name) for name in ("one", "two", "all", "none")}
    content = {}
    for seed, (name, readers) in enumerate(
        {"A": ("one", "all"), "B": ("two", "all"), "C": ("all",)}.items(), start=1
    ):
        rows = random_rows(60, seed)
        collection = a_collection(name, *(users[reader] for reader in readers))
        content[name] = (fill(collection, space, rows), rows)
    rows = random_rows(60, 9)
    own = fill(Collection.objects.get(name="C"), space, rows, readers=[users["one"], users["two"]])
    content["own"] = (own, rows)
    return space, users, content


SEES = {"one": ("A", "own"), "two": ("B", "own"), "all": ("A", "B", "C"), "none": ()}


@pytest.mark.parametrize("name", SEES)
@pytest.mark.parametrize("limit", [1, 10, 200])
def test_the_exact_plan_is_a_naive_ranking_of_what_the_person_sees(
    name: str, limit: int, crowd: tuple[VectorSet, dict[str, User], dict[str, tuple[list[int], Vectors]]]
) -> None:
    space, users, content = crowd
    seen_ids = [pk for part in SEES[name] for pk in content[part][0]]
    seen_rows = np.concatenate([np.zeros((0, DIMENSIONS)), *(content[part][1] for part in SEES[name])])
    for query in random_rows(5, 77):
        answer = vectors.find("text", space, query, Scope(visible_audiences(users[name])), limit)
        expected = naive(query, seen_ids, seen_rows, limit)
        assert [item.segment_id for item in answer.items] == [pk for pk, _ in expected]
        assert [item.score for item in answer.items] == pytest.approx(
            [cosine for _, cosine in expected], abs=1e-3
        )
        assert answer.is_capped == (len(expected) == limit)


@pytest.fixture
def through_the_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small sets go through HNSW, too, and PostgreSQL may not prefer to sort them."""
    monkeypatch.setattr(planner, "EXACT_SEGMENTS", -1)
    monkeypatch.setattr(planner, "INDEX_SHARE", 0.0)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")


@pytest.mark.parametrize("name", ["one", "two", "all"])
def test_the_index_finds_the_same_ten_on_a_small_set(
    name: str,
    crowd: tuple[VectorSet, dict[str, User], dict[str, tuple[list[int], Vectors]]],
    through_the_index: None,
) -> None:
    space, users, content = crowd
    seen_ids = [pk for part in SEES[name] for pk in content[part][0]]
    seen_rows = np.concatenate([content[part][1] for part in SEES[name]])
    for query in random_rows(5, 78):
        answer = vectors.find("text", space, query, Scope(visible_audiences(users[name])), 10)
        assert [item.segment_id for item in answer.items] == [
            pk for pk, _ in naive(query, seen_ids, seen_rows, 10)
        ]


def test_the_index_never_gives_fewer_than_there_are(encoder: HashEncoder, through_the_index: None) -> None:
    """The worst case: all that is near is hidden, what may be seen is far, and the scan gives up early."""
    space = ensure_vector_set(encoder.spec, "text")
    reader, other = a_user("reader"), a_user("other")
    query = np.eye(DIMENSIONS)[0]
    near = unit_rows(query + 0.1 * random_rows(600, 5))
    far = unit_rows(-query + 0.1 * random_rows(15, 6))
    fill(a_collection("Theirs", other), space, near)
    mine = fill(a_collection("Mine", reader), space, far)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL hnsw.max_scan_tuples = 1")
    answer = vectors.find("text", space, query, Scope(visible_audiences(reader)), 10)
    assert [item.segment_id for item in answer.items] == [pk for pk, _ in naive(query, mine, far, 10)]


def test_equally_near_vectors_are_in_the_order_of_their_segments(
    reader: User, plant: Collection, encoder: HashEncoder
) -> None:
    space = ensure_vector_set(encoder.spec, "text")
    row = random_rows(1, 1)[0]
    ids = fill(plant, space, np.stack([row] * 30))
    answer = vectors.find("text", space, row, Scope(visible_audiences(reader)), 10)
    assert [item.segment_id for item in answer.items] == ids[:10]
