"""Does `evaluate captions` measure search as people get it, beside chance and beside words alone?"""

import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from PIL import Image
from pytest_django import Settings

from kb.models import Collection, Role
from kb.storage import FolderStorage
from retrieval import spaces
from tests.colours import ColourEncoder
from tests.integration.ingest import HashEncoder
from tests.library import a_collection, a_user
from workers.evaluate import captions
from workers.evaluate.scratch import ScratchLibrary

pytestmark = pytest.mark.django_db

PURE = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}


@pytest.fixture
def paints(tmp_path: Path) -> Path:
    """Three pictures. Of the first, the file's name tells what it shows."""
    folder = tmp_path / "paints"
    folder.mkdir()
    lines = []
    for number, (name, colour) in enumerate(PURE.items()):
        file = f"{name}.png" if number == 0 else f"{number}.png"
        Image.new("RGB", (64, 48), colour).save(folder / file)
        lines.append(json.dumps({"image": file, "en": [f"a {name} wall"]}))
    (folder / "captions.jsonl").write_text("\n".join(lines))
    return folder


@pytest.fixture(autouse=True)
def in_this_database(
    monkeypatch: pytest.MonkeyPatch, storage: FolderStorage, hash_encoder: HashEncoder, settings: Settings
) -> None:
    """A library of its own a direction, in the test's database; pictures are told by colour and not read."""
    settings.KB_OCR_THREADS = 0
    monkeypatch.setattr(spaces, "image_encoder", lambda: ColourEncoder())
    monkeypatch.setattr("retrieval.picture.read_lines", lambda _image, **_options: ())
    made: list[Collection] = []

    @contextlib.contextmanager
    def scratch_library() -> Iterator[ScratchLibrary]:
        user: User = a_user(f"evaluation {len(made)}")
        made.append(a_collection(f"Evaluation {len(made)}", user, role=Role.MANAGER))
        yield ScratchLibrary(made[-1], user)

    monkeypatch.setattr(captions, "scratch_library", scratch_library)


def test_pictures_are_found_by_what_they_show_beside_chance_and_words_alone(
    paints: Path, tmp_path: Path
) -> None:
    out = io.StringIO()
    page, run = tmp_path / "page.html", tmp_path / "run.json"
    kept = ("--report", str(page), "--save", str(run))
    call_command("evaluate", "captions", str(paints), "--profile", "embedded", *kept, stdout=out)
    figures = json.loads(out.getvalue().splitlines()[-1])
    assert (figures["images"], figures["profile"], figures["image_encoder"]) == (3, "embedded", "colours@1")
    to_image = figures["text_to_image"]["en"]
    assert to_image["channels"]["visual"]["recall@1"] == 1.0
    assert to_image["recall@10"] == 1.0
    # Only the file that is called red is found by its name.
    assert to_image["channels"]["lexical"]["recall@10"] == pytest.approx(1 / 3, abs=1e-4)
    # The text encoder of tests takes some words for others, but not all.
    assert 1 / 3 - 1e-4 <= to_image["channels"]["without_pixels"]["recall@10"] < 1
    assert to_image["chance"]["recall@1"] == pytest.approx(1 / 3, abs=1e-4)
    assert "| words in and about the files only | 0." in out.getvalue()
    assert "| visual alone | 1.000 (1.00–1.00) |" in out.getvalue()
    assert figures["image_to_text"]["en"]["candidates"] == 3
    sections = json.loads(run.read_text())["sections"]
    assert sections["text_to_image/en/fused"]["keys"] == [f"a {name} wall" for name in PURE]
    # Hits are shown with their pictures.
    assert "Sentence → picture, en: hits" in page.read_text()
    assert "data:image/jpeg" in page.read_text()
