"""Does a changed picture find the one it was made from, only where it may be seen, and is that measured?"""

import json
from io import StringIO
from pathlib import Path
from random import Random

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from PIL import Image

from kb.models import Collection, Segment, VectorSet
from kb.permissions import visible_audiences
from retrieval import lookalikes, spaces
from retrieval.encoders.alignment import Cut
from retrieval.encoders.inner_pictures import inner_pictures
from retrieval.encoders.lettering import seems_written
from retrieval.scope import Scope
from tests.builders import scene
from tests.library import Passage, a_collection, a_user, an_asset
from workers.evaluate.transformations import TRANSFORMATIONS
from workers.vector_sets import ensure_vector_set

COUNT = 15


@pytest.fixture
def reader(db: None) -> User:
    return a_user("reader")


@pytest.fixture
def looks(db: None) -> VectorSet:
    return ensure_vector_set(spaces.lookalike_encoder().spec, "lookalike")


def _indexed(collection: Collection, looks: VectorSet, seeds: range) -> dict[int, int]:
    """Segment by seed."""
    found = {}
    for seed in seeds:
        row = spaces.lookalike_encoder().encode_images([scene(seed)])[0]
        asset = an_asset(collection, [Passage(kind="image", vectors=((looks, row),))], media_type="image/png")
        found[seed] = Segment.objects.get(asset=asset).pk
    return found


@pytest.mark.parametrize("change", TRANSFORMATIONS)
def test_a_changed_picture_finds_its_original_first(change: str, reader: User, looks: VectorSet) -> None:
    segments = _indexed(a_collection("Plant", reader), looks, range(COUNT))
    scope = Scope(visible_audiences(reader))
    right = 0
    for seed in range(4):
        changed = TRANSFORMATIONS[change](scene(seed), Random(seed))
        found = lookalikes.find(changed, scope, 10)
        assert found is not None
        right += found.items[0].segment_id == segments[seed]
    # Flat shapes on plain ground: one of four may be cut down to what others have, too.
    assert right >= 3


def test_pictures_of_others_are_neither_found_nor_laid_over(reader: User, looks: VectorSet) -> None:
    seen = _indexed(a_collection("Plant", reader), looks, range(1, 6))
    scope = Scope(visible_audiences(reader))
    cut = TRANSFORMATIONS["cropped"](scene(0), Random(1))
    before = lookalikes.find(cut, scope, 10)
    _indexed(a_collection("Others", a_user("other")), looks, range(1))
    assert lookalikes.find(cut, scope, 10) == before
    assert before is not None
    assert {item.segment_id for item in before.items} == set(seen.values())


def test_a_cut_fits_its_own_picture_better_than_others() -> None:
    rows = spaces.lookalike_encoder().encode_images([scene(seed) for seed in range(10)])
    width, height = scene(3).size
    cut = scene(3).crop((width // 5, height // 6, width * 9 // 10, height))
    fit = Cut(cut).fit(rows)
    assert fit.shape == (10,)
    assert fit.max() <= 1
    assert int(fit.argmax()) == 3


def test_a_picture_on_a_page_is_cut_out_of_it() -> None:
    page = Image.new("RGB", (900, 700), "white")
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 200, (300, 400, 3), dtype=np.uint8))
    page.paste(photo, (250, 200))
    sizes = [part.size for part in inner_pictures(page)]
    assert any(abs(width - 400) <= 4 and abs(height - 300) <= 4 for width, height in sizes)
    assert inner_pictures(Image.new("RGB", (300, 200), "grey")) == []
    assert inner_pictures(Image.new("RGB", (1, 1))) == []


def test_lines_of_words_seem_written_and_noise_does_not() -> None:
    from PIL import ImageDraw

    page = Image.new("RGB", (800, 600), "white")
    pen = ImageDraw.Draw(page)
    for line in range(8):
        pen.text(
            (40, 60 * line + 30), "Check the seal of the pump before each start", fill="black", font_size=24
        )
    assert seems_written(page)
    noise = np.random.default_rng(0).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    assert not seems_written(Image.fromarray(noise))
    assert not seems_written(Image.new("RGB", (2, 2)))


@pytest.mark.django_db(transaction=True)
def test_the_command_prints_recall_by_transformation(tmp_path: Path) -> None:
    for seed in range(3):
        scene(seed).save(tmp_path / f"{seed}.png")
    out = StringIO()
    call_command("evaluate", "lookalikes", str(tmp_path), "--queries", "2", stdout=out)
    figures = json.loads(out.getvalue().splitlines()[-1])
    assert (figures["pictures"], figures["queries"]) == (3, 2)
    assert figures["transformations"].keys() == TRANSFORMATIONS.keys()
    assert figures["transformations"]["recompressed"]["recall@1"] == 1.0
