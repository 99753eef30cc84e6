"""Does `evaluate beir` measure search as people get it, and questions in one language alone where that is asked for?"""

import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from kb.models import Role
from kb.storage import FolderStorage
from tests.integration.ingest import HashEncoder
from tests.library import a_collection, a_user
from workers.evaluate import beir
from workers.evaluate.scratch import ScratchLibrary

pytestmark = pytest.mark.django_db

DOCUMENTS = {"pump": "The pump drains the cellar after rain.", "泵": "水泵在下雨以后排干地下室。"}
QUESTIONS = {
    "en": ("Which pump drains the cellar?", "pump"),
    "zh": ("哪个水泵排干地下室？", "泵"),
    "lost": ("Who wrote the tax report for the board?", "泵"),
}


@pytest.fixture
def questions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, storage: FolderStorage, hash_encoder: HashEncoder
) -> Path:
    """A BEIR folder, and a library in the test's database to index it in."""

    @contextlib.contextmanager
    def scratch_library() -> Iterator[ScratchLibrary]:
        user = a_user("evaluation")
        yield ScratchLibrary(a_collection("Evaluation", user, role=Role.MANAGER), user)

    monkeypatch.setattr(beir, "scratch_library", scratch_library)
    lines: dict[str, list[dict[str, Any]]] = {
        "corpus": [{"_id": key, "text": text} for key, text in DOCUMENTS.items()],
        "queries": [{"_id": key, "text": text} for key, (text, _) in QUESTIONS.items()],
    }
    for name, rows in lines.items():
        (tmp_path / f"{name}.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    qrels = "".join(f"{key}\t{answer}\t1\n" for key, (_, answer) in QUESTIONS.items())
    (tmp_path / "qrels.tsv").write_text(f"query-id\tcorpus-id\tscore\n{qrels}")
    return tmp_path


def figures(folder: Path, *options: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("evaluate", "beir", str(folder), *options, stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue().splitlines()[-1])
    return found


def test_all_questions_are_asked(questions: Path) -> None:
    found = figures(questions)
    assert (found["documents"], found["queries"]) == (2, 3)
    assert found["recall@1"] == pytest.approx(2 / 3, abs=1e-3)


def test_questions_of_one_language_alone(questions: Path) -> None:
    found = figures(questions, "--queries-lang", "zh")
    assert (found["queries"], found["recall@1"], found["queries_language"]) == (1, 1.0, "zh")


def test_a_language_that_nobody_asks_in_is_said(questions: Path) -> None:
    with pytest.raises(CommandError, match="none of the queries is in 'ko'"):
        figures(questions, "--queries-lang", "ko")
