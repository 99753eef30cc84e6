"""Do drawn training pictures hold what their sentences say, and does a shard of them read back?"""

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from PIL import Image, ImageStat

from retrieval.training.drawings import RENDERERS
from retrieval.training.drawings.fonts import Fonts, FontsMissingError, find_fonts
from retrieval.training.drawings.trends import TRENDS, numbers, trend_of
from retrieval.training.drawings.writer import (
    SHORT_SIDE_PX,
    DrawingError,
    Picture,
    chosen,
    picture,
    pictures,
    write_shards,
)

TRAINED = [renderer for renderer in RENDERERS if not renderer.held_out]
HELD_OUT = [renderer for renderer in RENDERERS if renderer.held_out]


@pytest.fixture(scope="module")
def fonts() -> Fonts:
    try:
        return find_fonts()
    except FontsMissingError:
        pytest.skip("No font that writes Chinese is installed here.")


def drawn(fonts: Fonts, name: str, count: int) -> Iterator[dict[str, Any]]:
    one = [renderer for renderer in RENDERERS if renderer.name == name]
    part = "heldout" if one[0].held_out else "train"
    for made in pictures(one, fonts, seed=3, count=count, part=part):
        yield made.facts


@pytest.mark.parametrize(
    ("values", "trend"),
    [
        ([1, 2, 3, 4], "rising"),
        ([4, 3.5, 2, 1], "falling"),
        ([10, 10.4, 9.9, 10.2], "flat"),
        ([1, 3, 6, 3, 1], "peak"),
        ([6, 3, 1, 3, 6], "dip"),
        ([1, 5, 1, 5, 1, 5], "seasonal"),
        # Up, down, up: three runs are neither a peak nor a season.
        ([1, 5, 1, 5], "mixed"),
        # A small step back, a fifth of the range, is no turn.
        ([1, 3, 2.2, 4, 5], "rising"),
        # It varies by a fifth of its height: neither flat nor plainly going anywhere.
        ([8, 9, 10], "mixed"),
        # The summit is the last value but the fall before it is too small to count.
        ([0, 10], "rising"),
    ],
)
def test_a_trend_is_read_off_the_numbers(values: list[float], trend: str) -> None:
    assert trend_of(values) == trend


@pytest.mark.parametrize("trend", TRENDS)
def test_numbers_made_for_a_trend_follow_it(trend: str) -> None:
    rng = Random(5)
    for count in (12, 18, 40):
        for _ in range(20):
            assert trend_of(numbers(rng, trend, count)) == trend


@pytest.mark.parametrize("name", ["line-plain", "dotted-line-web", "area-grid", "line-news"])
def test_the_trend_in_a_charts_sentence_is_that_of_its_numbers(fonts: Fonts, name: str) -> None:
    seen = set()
    for facts in drawn(fonts, name, 25):
        trends = {trend_of(values) for values in facts["attrs"]["values"]}
        sentence, chinese = facts["captions"][1], facts["captions_zh"][1]
        if "one rising and the other falling" in sentence:
            assert trends == {"rising", "falling"}
            assert "上升" in chinese
            assert "下降" in chinese
            continue
        assert len(trends) == 1
        (trend,) = trends
        assert sentence.endswith(TRENDS[trend].en)
        assert chinese.endswith(TRENDS[trend].zh)
        seen.add(trend)
    assert len(seen) > 3


def test_a_chart_names_its_number_of_series_and_its_colours(fonts: Fonts) -> None:
    said = {1: "one", 2: "two", 3: "three", 4: "four"}
    for facts in drawn(fonts, "line-grid", 25):
        sentence = facts["captions"][1]
        assert f"with {said[len(facts['attrs']['values'])]} " in sentence
        assert all(colour in sentence for colour in facts["attrs"]["colours"])


@pytest.mark.parametrize("name", ["vertical-bars-plain", "horizontal-bars-web"])
def test_bars_name_the_highest_and_say_sorted_only_when_they_are(fonts: Fonts, name: str) -> None:
    checked = 0
    for facts in drawn(fonts, name, 40):
        values = facts["attrs"]["values"]
        if "highest" not in facts["attrs"]:
            continue
        checked += 1
        assert f"for {facts['attrs']['highest']}" in facts["captions"][1]
        if any("sorted" in sentence for sentence in facts["captions"]):
            assert values == sorted(values, reverse=True)
    assert checked > 5


def test_a_pies_largest_slice_is_its_largest_share(fonts: Fonts) -> None:
    for facts in drawn(fonts, "pie-plain", 20):
        shares = facts["attrs"]["shares"]
        assert sum(shares) == pytest.approx(100, abs=0.5)
        half = any("more than half" in sentence for sentence in facts["captions"])
        assert half == (max(shares) > 50)


def test_a_dark_picture_is_dark_and_a_light_one_light(fonts: Fonts) -> None:
    """Read off the pixels: the sentence about the background is one that anybody can see to be wrong."""
    renderer = [r for r in RENDERERS if r.name == "line-web"]
    for number in range(25):
        made = picture(renderer, fonts, seed=8, number=number, part="train")
        with Image.open(io.BytesIO(made.webp)) as image:
            (middle,) = ImageStat.Stat(image.convert("L")).median
        assert ("dark background" in made.facts["captions"][2]) == (middle < 128)


@pytest.mark.parametrize("renderer", RENDERERS, ids=lambda renderer: renderer.name)
def test_each_renderer_draws_a_small_picture_with_sentences_in_both_languages(
    renderer: Any, fonts: Fonts
) -> None:
    part = "heldout" if renderer.held_out else "train"
    made = picture([renderer], fonts, seed=1, number=4, part=part)
    with Image.open(io.BytesIO(made.webp)) as image:
        assert (image.format, image.mode) == ("WEBP", "RGB")
        assert min(image.size) <= SHORT_SIDE_PX
        assert ImageStat.Stat(image.convert("L")).stddev[0] > 5
    facts = made.facts
    assert facts["label"] == renderer.label
    assert facts["source"] == f"drawn/{renderer.name}"
    assert facts["captions"]
    assert len(facts["captions"]) == len(facts["captions_zh"])
    assert all(sentence.isascii() for sentence in facts["captions"])
    assert not any(sentence.isascii() for sentence in facts["captions_zh"])


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(fonts: Fonts, tmp_path: Path) -> None:
    def shards(name: str, seed: int) -> list[bytes]:
        run = pictures(TRAINED, fonts, seed=seed, count=12, part="train")
        return [path.read_bytes() for path in write_shards(tmp_path / name, run, part="train", shard_size=5)]

    first = shards("first", 4)
    assert len(first) == 3
    assert shards("second", 4) == first
    assert shards("third", 5) != first


def test_a_picture_does_not_depend_on_those_before_it(fonts: Fonts) -> None:
    run = list(pictures(TRAINED, fonts, seed=4, count=4, part="train"))
    assert picture(TRAINED, fonts, seed=4, number=3, part="train") == run[3]


def test_shards_read_back_as_pairs_and_leave_nothing_unfinished(fonts: Fonts, tmp_path: Path) -> None:
    run = list(pictures(TRAINED, fonts, seed=6, count=7, part="train"))
    paths = write_shards(tmp_path, iter(run), part="train", shard_size=4)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["drawn-000.tar.gz", "drawn-001.tar.gz"]
    found = []
    for path in paths:
        with tarfile.open(path, "r:*") as shard:
            content = {member.name: shard.extractfile(member).read() for member in shard}  # type: ignore[union-attr]
        for name in content:
            key, suffix = name.split(".")
            if suffix == "json":
                found.append(Picture(key, content[f"{key}.webp"], json.loads(content[name])))
    assert [(p.key, p.webp, p.facts) for p in found] == [
        (p.key, p.webp, json.loads(json.dumps(p.facts))) for p in run
    ]
    assert all(len(p.key) == 7 for p in found)


def test_an_interrupted_run_leaves_no_shard_that_looks_whole(fonts: Fonts, tmp_path: Path) -> None:
    def failing() -> Iterator[Picture]:
        yield from pictures(TRAINED, fonts, seed=6, count=5, part="train")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_shards(tmp_path, failing(), part="train", shard_size=3)
    assert [path.name for path in tmp_path.iterdir()] == ["drawn-000.tar.gz"]
    with tarfile.open(tmp_path / "drawn-000.tar.gz", "r:*") as shard:
        assert len(shard.getnames()) == 6


def test_held_out_renderers_draw_kinds_that_training_knows_and_share_no_name_with_it() -> None:
    assert {renderer.label for renderer in HELD_OUT} <= {renderer.label for renderer in TRAINED}
    assert not {renderer.name for renderer in HELD_OUT} & {renderer.name for renderer in TRAINED}
    assert len({renderer.name for renderer in RENDERERS}) == len(RENDERERS)


@pytest.mark.parametrize("held_out", [False, True])
def test_each_part_takes_its_own_renderers_only(held_out: bool, fonts: Fonts, tmp_path: Path) -> None:
    part = chosen(RENDERERS, [], held_out=held_out)
    assert {renderer.held_out for renderer in part} == {held_out}
    with pytest.raises(DrawingError, match="hold-out"):
        chosen(RENDERERS, ["line-plain" if held_out else "line-news"], held_out=held_out)
    arguments = ["draw_training_pictures", str(tmp_path), "--count", "9"]
    call_command(*arguments, *(["--hold-out"] if held_out else []))
    (path,) = tmp_path.iterdir()
    assert path.name == ("heldout-drawn-000.tar.gz" if held_out else "drawn-000.tar.gz")
    mine = {f"drawn/{renderer.name}" for renderer in part}
    with tarfile.open(path, "r:*") as shard:
        for member in shard:
            if member.name.endswith(".json"):
                facts = json.load(shard.extractfile(member))  # type: ignore[arg-type]
                assert facts["source"] in mine
                assert facts["split"] == ("heldout" if held_out else "train")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--count", "0"], "--count must be 1 or more"),
        (["--count", "3", "--renderers", "line-plain,unknown"], "There is no renderer unknown"),
        (["--count", "3", "--renderers", "line-news"], "held out of training"),
        (["--count", "3", "--renderers", "line-plain", "--hold-out"], "without --hold-out"),
        (["--count", "3", "--fonts", "/no/such/folder"], "is not a folder"),
    ],
)
def test_arguments_that_cannot_work_are_refused_in_words(
    arguments: list[str], said: str, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("draw_training_pictures", str(tmp_path / "out"), *arguments)
    assert not (tmp_path / "out").exists()


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(CommandError, match="is a file"):
        call_command("draw_training_pictures", str(tmp_path / "out"), "--count", "3")


def test_a_machine_without_chinese_fonts_is_told_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(FontsMissingError, match="Noto Sans CJK"):
        find_fonts([tmp_path], defaults=False)


def test_a_file_that_is_no_font_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "broken.ttf").write_bytes(b"not a font")
    (tmp_path / "broken.ttc").write_bytes(b"ttcf")
    with pytest.raises(FontsMissingError):
        find_fonts([tmp_path], defaults=False)
