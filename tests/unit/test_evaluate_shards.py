"""Does `evaluate shards` count what an encoder gets right, by source and kind, and show it?"""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.colours import ColourEncoder, picture, write_shard
from workers.management.commands import evaluate

PURE = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}


def samples(*, mistaken: int = 0) -> list[tuple[bytes, dict[str, Any]]]:
    """Eight of each colour, the first `mistaken` reds painted green; and 20 with a sentence each, two sources."""
    labelled = [
        (
            picture(PURE["green"] if name == "red" and number < mistaken else colour),
            {"source": "a/paints", "label": name},
        )
        for name, colour in PURE.items()
        for number in range(8)
    ]
    told = []
    for number in range(20):
        red = 10 * number
        words = " ".join(["red"] * number + ["blue"] * (19 - number))
        told.append(
            (
                picture((red, 0, 190 - red)),
                {
                    "source": "b/mixtures",
                    "captions": [f"paint of {words}"],
                    "captions_zh": ["red"] if number == 19 else [],
                    "caption_kind": "alt-text" if number % 2 else "human",
                },
            )
        )
    return labelled + told


def measure(shards: list[Path], *options: str, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any], str]:
    monkeypatch.setattr(evaluate, "picture_encoder", lambda _folder: ColourEncoder())
    out = io.StringIO()
    call_command("evaluate", "shards", *map(str, shards), *options, stdout=out)
    return json.loads(out.getvalue().splitlines()[-1]), out.getvalue()


def test_labels_and_sentences_find_their_pictures_and_pictures_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shard = write_shard(tmp_path / "held-000.tar.gz", samples())
    figures, printed = measure([shard], monkeypatch=monkeypatch)
    assert figures["pictures"] == 44
    paints = figures["label_to_image"]["a/paints"]
    # Among 24 pictures a third are right: chance at five is a third.
    assert (paints["queries"], paints["candidates"], paints["precision@5"]) == (3, 24, 1.0)
    assert paints["chance"]["precision@5"] == pytest.approx(1 / 3, abs=1e-4)
    assert figures["image_to_label"]["a/paints"]["accuracy@1"] == 1.0
    assert figures["text_to_image/en"]["b/mixtures"]["recall@1"] == 1.0
    assert figures["image_to_text/en"]["b/mixtures"]["recall@1"] == 1.0
    # Ten of a kind, and one Chinese sentence, are too few to say anything.
    assert set(figures["text_to_image/en"]) == {"all sources", "b/mixtures"}
    assert "text_to_image/zh" not in figures
    assert "| a/paints (3 among 24) | 1.000 (1.00–1.00) |" in printed


def test_what_an_encoder_gets_wrong_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shard = write_shard(tmp_path / "held-000.tar.gz", samples(mistaken=6))
    figures, _ = measure([shard], monkeypatch=monkeypatch)
    # Six of 24 pictures look green and are said to be red.
    assert figures["image_to_label"]["a/paints"]["accuracy@1"] == pytest.approx(18 / 24)
    # Green's first five, equally near, are in the shard's order: the six that are red. Red has its two first, and of
    # those that are equally far its own come first, too.
    assert figures["label_to_image"]["a/paints"]["precision@5"] == pytest.approx((1 + 0 + 1) / 3, abs=1e-4)


def test_runs_are_kept_compared_and_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = write_shard(tmp_path / "held-000.tar.gz", samples())
    bad = tmp_path / "bad"
    bad.mkdir()
    mistaken = write_shard(bad / "held-000.tar.gz", samples(mistaken=8))
    page = tmp_path / "page.html"
    measure([good], "--save", str(tmp_path / "good.json"), "--report", str(page), monkeypatch=monkeypatch)
    measure([mistaken], "--save", str(tmp_path / "bad.json"), monkeypatch=monkeypatch)

    html = page.read_text()
    assert "Picture → label, among the source" in html
    assert html.count("data:image/jpeg;base64,") > 20
    # Nothing is fetched from elsewhere.
    assert not re.search(r'(src|href)="(?!data:)', html)

    out = io.StringIO()
    call_command(
        "evaluate", "compare", str(tmp_path / "good.json"), str(tmp_path / "bad.json"),
        "--report", str(tmp_path / "both.html"), stdout=out,
    )  # fmt: skip
    found = {
        (row["section"], row["measure"]): row
        for row in json.loads(out.getvalue().splitlines()[-1])["differences"]
    }
    reds = found["image_to_label/a/paints", "recall@1"]
    assert (reds["first"], reds["second"]) == (1.0, pytest.approx(16 / 24, abs=1e-6))
    assert reds["high"] < 0
    assert reds["p"] < 0.05
    assert "-0.333" in (tmp_path / "both.html").read_text()


def test_a_damaged_shard_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shard = write_shard(tmp_path / "held-000.tar.gz", samples())
    shard.write_bytes(shard.read_bytes()[:-200])
    with pytest.raises(CommandError, match=r"held-000\.tar\.gz"):
        measure([shard], monkeypatch=monkeypatch)
