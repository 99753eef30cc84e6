"""`manage.py train_alignment`: does a library teach words where its pictures lie, and only when that helps?"""

import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from PIL import Image
from pytest_django import Settings

from kb.models import AuditEvent, Collection, Feedback, QueryLog, Role, VectorSet
from retrieval import spaces
from retrieval.encoders import site_head
from retrieval.encoders.base import EncoderSpec, Vectors, unit_rows
from retrieval.training.library import collect, name_of, useful
from tests.library import Passage, a_collection, a_user, an_asset
from workers.vector_sets import ensure_vector_set

DIMENSIONS = 24
COLOURS = ("red", "green", "blue", "yellow", "white", "black")
THINGS = ("pump", "valve", "motor", "helmet", "ladder", "truck", "cable")


class WordSum:
    """A text is the sum of its words' directions; pictures lie where another table of directions puts them."""

    spec = EncoderSpec("word-sum", "1", DIMENSIONS, frozenset({"text", "image"}), 64)

    def encode_texts(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        assert query
        return unit_rows(np.stack([_sum(text, "said") for text in texts]))

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        raise AssertionError("Pictures are not encoded again.")


def _sum(text: str, table: str) -> Vectors:
    directions = [
        np.random.default_rng(int.from_bytes(hashlib.sha256(f"{table} {word}".encode()).digest()[:8])).normal(
            size=DIMENSIONS
        )
        for word in text.lower().split()
    ]
    return np.asarray(np.sum(directions, axis=0), dtype=np.float32)


@pytest.fixture
def manager(db: None) -> User:
    return a_user("manager")


@pytest.fixture
def collection(manager: User) -> Collection:
    return a_collection("Photos", manager, role=Role.MANAGER)


@pytest.fixture(autouse=True)
def encoder(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> WordSum:
    settings.KB_MODELS_DIR = tmp_path / "models"
    encoder = WordSum()
    monkeypatch.setattr(spaces, "_loaded", lambda: (encoder, encoder))
    spaces.forget_query_vectors()
    return encoder


@pytest.fixture
def visual(db: None, encoder: WordSum) -> VectorSet:
    return ensure_vector_set(encoder.spec, "visual")


def shown(visual: VectorSet, what: str, *, learnable: bool = True) -> tuple[tuple[VectorSet, Vectors], ...]:
    """The vector of a picture of `what`; where it is not `learnable`, words already say where that is."""
    return ((visual, unit_rows(_sum(what, "seen" if learnable else "said")[None])[0]),)


def fill(collection: Collection, visual: VectorSet, *, learnable: bool = True) -> None:
    """Every colour of every thing, in six files that each show all things."""
    for shift in range(len(COLOURS)):
        whats = [f"{COLOURS[(n + shift) % len(COLOURS)]} {thing}" for n, thing in enumerate(THINGS)]
        figures = [
            Passage(
                kind="figure",
                caption=what,
                picture_key="pictures/x",
                vectors=shown(visual, what, learnable=learnable),
            )
            for what in whats
        ]
        an_asset(collection, figures, title="Scan 1.pdf", uri=f"{shift}.pdf")


def run(*options: str) -> tuple[dict[str, object], str]:
    out = io.StringIO()
    call_command("train_alignment", *options, stdout=out, stderr=io.StringIO())
    answer: dict[str, object] = json.loads(out.getvalue().splitlines()[-1])
    return answer, out.getvalue()


def test_captions_teach_words_where_pictures_lie_a_worse_head_is_refused_and_undo_goes_back(
    collection: Collection, visual: VectorSet, settings: Settings
) -> None:
    fill(collection, visual)
    plain = spaces.visual_query_vector("blue ladder")
    answer, said = run("--user=manager", "--collection=photos", "--rate=0.02", "--steps=40")

    assert answer["better"] is True
    assert answer["after"]["recall@10"] > answer["before"]["recall@10"] + 0.3  # type: ignore[index]
    assert f"The head {answer['activated']} serves" in said
    own = site_head.active_head(Path(settings.KB_MODELS_DIR), WordSum.spec)
    assert own is not None
    assert own.revision == answer["activated"]
    # The query was in the cache, and is moved all the same.
    moved = spaces.visual_query_vector("blue ladder")
    assert moved is not None
    assert plain is not None
    picture = shown(visual, "blue ladder")[0][1]
    assert moved @ picture > plain @ picture + 0.3
    assert spaces.visual_range("words") == own.words
    event = AuditEvent.objects.get(action="alignment.activated")
    assert event.target == f"collection:{collection.pk}"
    assert event.details["after"] == answer["after"]

    worse, said = run("--user=manager", "--collection=photos", "--rate=0.0005", "--steps=4")

    assert worse["activated"] is None
    assert worse["active"]["recall@10"] > worse["after"]["recall@10"]  # type: ignore[index]
    assert "Nothing was changed" in said
    assert spaces.site_head(WordSum()) is own

    undone, _ = run("--user=manager", "--undo")

    assert undone == {"undone": answer["activated"], "activated": None}
    np.testing.assert_array_equal(spaces.visual_query_vector("blue ladder"), plain)
    assert AuditEvent.objects.filter(action="alignment.undone").count() == 1
    with pytest.raises(CommandError, match="nothing to undo"):
        run("--user=manager", "--undo")


def test_a_head_that_finds_no_more_is_not_activated(
    collection: Collection, visual: VectorSet, settings: Settings
) -> None:
    fill(collection, visual, learnable=False)

    answer, said = run("--user=manager", "--collection=photos", "--steps=20")

    assert answer["better"] is False
    assert answer["activated"] is None
    assert "Nothing was changed" in said
    assert not (Path(settings.KB_MODELS_DIR) / "alignment").exists()
    assert not AuditEvent.objects.filter(action__startswith="alignment").exists()


def test_only_managers_may_train_on_a_collection(manager: User, visual: VectorSet) -> None:
    reader = a_user("reader")
    a_collection("Plans", reader, role=Role.EDITOR)

    with pytest.raises(CommandError, match="manager"):
        run("--user=reader", "--collection=plans")
    with pytest.raises(CommandError, match="No such collection"):
        run("--user=manager", "--collection=plans")
    with pytest.raises(CommandError, match="There is no user nobody"):
        run("--user=nobody", "--collection=plans")


@pytest.mark.parametrize("pairs", [0, 1])
def test_fewer_than_two_pairs_are_refused_with_their_number(
    collection: Collection, visual: VectorSet, pairs: int
) -> None:
    for number in range(pairs):
        picture = Passage(
            kind="image", caption="red pump", picture_key="pictures/x", vectors=shown(visual, "red pump")
        )
        an_asset(collection, [picture], title="IMG_1.jpg", uri=f"IMG_{number}.jpg", media_type="image/jpeg")

    with pytest.raises(CommandError, match=f"have {pairs} pairs"):
        run("--user=manager", "--collection=photos")


def test_all_in_one_file_leaves_nothing_to_hold_out(collection: Collection, visual: VectorSet) -> None:
    figures = [
        Passage(kind="figure", caption=what, picture_key="pictures/x", vectors=shown(visual, what))
        for what in ("red pump", "blue valve")
    ]
    an_asset(collection, figures, title="manual.pdf")

    with pytest.raises(CommandError, match="in one file"):
        run("--user=manager", "--collection=photos")


def test_words_come_from_captions_alt_texts_context_links_speech_titles_and_searches(
    collection: Collection, visual: VectorSet, manager: User
) -> None:
    def seen(kind: str, what: str, **words: object) -> Passage:
        return Passage(kind=kind, picture_key="pictures/x", vectors=shown(visual, what), **words)  # type: ignore[arg-type]

    photo = an_asset(
        collection, [seen("image", "a")], title="site_visit-rotterdam.jpg", uri="photos/a.jpg",
        media_type="image/jpeg",
    )  # fmt: skip
    an_asset(
        collection,
        [
            seen("figure", "b", caption="Section of the seal", alt_text="seal drawing", text="Seals\nIt leaks."),
            Passage(kind="figure", alt_text="our yard at noon", picture_uri="photos/a.jpg"),
        ],
        title="manual.pdf",
    )  # fmt: skip
    an_asset(
        collection,
        [
            seen("shot", "c", start_ms=0, end_ms=4000),
            Passage("Open the valve.", kind="speech", start_ms=3000, end_ms=5000),
            Passage("Much later.", kind="speech", start_ms=9000, end_ms=9500),
        ],
        title="Starting up",
    )
    query = QueryLog.objects.create(words="crane in the rain kind:image", hits=1, total_ms=1)
    Feedback.objects.create(query=query, user=manager, asset=photo, rank=1, helpful=True)
    useless = QueryLog.objects.create(words="holiday plan", hits=1, total_ms=1)
    Feedback.objects.create(query=useless, user=manager, asset=photo, rank=1, helpful=False)

    pairs = collect(manager, [collection], say=lambda _line: None)

    said = [[pairs.texts[text] for text in texts] for texts in pairs.texts_of]
    assert said == [
        ["crane in the rain", "our yard at noon", "site visit rotterdam"],
        ["Section of the seal", "seal drawing", "It leaks.", "Seals", "manual"],
        ["Starting up", "Open the valve."],
    ]
    np.testing.assert_allclose(pairs.pictures[1], shown(visual, "b")[0][1], atol=1e-3)


def test_what_the_manager_may_not_read_teaches_nothing(
    collection: Collection, visual: VectorSet, manager: User
) -> None:
    for name, readers in (("open", None), ("closed", [a_user("somebody else")])):
        picture = Passage(
            kind="image", caption=f"{name} red pump", picture_key="pictures/x", vectors=shown(visual, name)
        )
        an_asset(
            collection, [picture], title=f"{name} picture", uri=f"{name}.jpg", media_type="image/jpeg",
            readers=readers,
        )  # fmt: skip

    pairs = collect(manager, [collection], say=lambda _line: None)

    assert pairs.texts == ["open red pump", "open picture"]


@pytest.mark.parametrize("text", ["IMG_2041", "Figure 3", "图 2", "  ", "12.5", "scan-004", "DSC00012"])
def test_names_that_cameras_give_say_nothing(text: str) -> None:
    assert useful(text) == ""


def test_titles_that_are_file_names_are_read_as_words() -> None:
    assert name_of("wiring-diagram_v2.png") == "wiring diagram v2"
    assert name_of("https://wiki.example/a/b/Cooling-tower.jpeg") == "Cooling tower"
    assert name_of("Version 2.0 of the pump") == "Version 2.0 of the pump"
    assert useful("Cooling \n tower") == "Cooling tower"
