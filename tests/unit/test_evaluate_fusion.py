"""Does `evaluate fusion` compare all ways on pictures that none learned from, and never keep what a test set taught?"""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.colours import ColourEncoder, picture, write_shard
from workers.management.commands import evaluate

pytest.importorskip("torch")

from retrieval.fusion import train
from workers.evaluate import fusion_data

ROWS = {
    "words alone", "pixels alone", "weighted", "weighted, trained", "concat", "attention", "gated",
    "weighted, first 50 by the matching head",
}  # fmt: skip


class Wide(ColourEncoder):
    """Attention's heads divide its dimensions."""

    spec = ColourEncoder.spec.__class__("wide", "1", 8, frozenset({"text", "image"}), 20)

    def encode_texts(self, texts: Any, *, query: bool = False) -> Any:
        return _wider(super().encode_texts(texts))

    def encode_images(self, images: Any) -> Any:
        return _wider(super().encode_images(images))


def _wider(rows: Any) -> Any:
    import numpy as np

    return np.pad(rows, ((0, 0), (0, 3)))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "EPOCHS", 2)
    monkeypatch.setattr(train, "HEAD_EPOCHS", 2)
    monkeypatch.setattr(train, "FEWEST_STEPS", 4)
    monkeypatch.setattr(evaluate, "picture_encoder", lambda _folder: Wide())


def mixtures(count: int, first: int = 0) -> list[tuple[bytes, dict[str, Any]]]:
    """Pictures of red and blue, told once by hue and asked for twice in the same words in other order."""
    made = []
    for number in range(first, first + count):
        red = 255 * number // (first + count)
        told = " ".join(["red"] * number + ["blue"] * (first + count - number))
        captions = [f"all of {told}", f"{told} {number}", f"some {told}"]
        made.append((picture((red, 0, 255 - red)), {"source": "paints", "captions": captions}))
    return made


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    folder = tmp_path / "shards"
    folder.mkdir()
    write_shard(folder / "caps-000.tar.gz", mixtures(40))
    write_shard(folder / "heldout-000.tar.gz", mixtures(30, 40))
    return folder


def measure(*arguments: str) -> tuple[dict[str, Any], str]:
    out = io.StringIO()
    call_command("evaluate", "fusion", *arguments, stdout=out)
    return json.loads(out.getvalue().splitlines()[-1]), out.getvalue()


def test_shards_are_learned_from_and_the_held_out_ones_measured(shards: Path, tmp_path: Path) -> None:
    figures, printed = measure(
        str(shards), "--save-weights", str(tmp_path / "w"), "--save", str(tmp_path / "run.json")
    )
    assert (figures["trained_on"], figures["pictures"], figures["questions"]) == (40, 30, 60)
    assert set(figures["fusions"]) == ROWS
    for name, found in figures["fusions"].items():
        low, high = found["interval"]["mrr"]
        assert low <= found["mrr"] <= high
        assert ("p" in found) == (name != "weighted")
    # About half of the pictures are known by words; what has none is not found by them.
    assert 5 < figures["words_known_of"] < 25
    assert figures["fusions"]["words alone"]["mrr"] < figures["fusions"]["weighted"]["mrr"]
    assert "| weighted, first 50 by the matching head |" in printed
    kept = {"weighted", "concat", "attention", "gated", "matching"}
    assert {path.stem for path in (tmp_path / "w").iterdir()} == kept

    again, _ = measure(str(shards), "--weights", str(tmp_path / "w"))
    assert {name: row["mrr"] for name, row in again["fusions"].items()} == {
        name: row["mrr"] for name, row in figures["fusions"].items()
    }


def captioned(tmp_path: Path) -> Path:
    folder = tmp_path / "captioned"
    folder.mkdir()
    lines = []
    for number, (content, meta) in enumerate(mixtures(30)):
        (folder / f"{number}.webp").write_bytes(content)
        lines.append(json.dumps({"image": f"{number}.webp", "en": meta["captions"]}))
    (folder / "captions.jsonl").write_text("\n".join(lines))
    return folder


def test_a_captioned_folder_is_measured_across_folds_and_teaches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = captioned(tmp_path)
    learned_from: list[int] = []
    real = train.train_fusion

    def watched(kind: str, examples: train.Examples, **options: Any) -> Any:
        learned_from.append(len(examples.words))
        return real(kind, examples, **options)

    monkeypatch.setattr("workers.evaluate.fusion.train_fusion", watched)
    figures, _ = measure(str(folder), "--report", str(tmp_path / "page.html"))
    assert (figures["how"], figures["trained_on"], set(figures["fusions"])) == ("5 folds", 0, ROWS)
    # Four kinds in five folds, each without the fold's own six pictures.
    assert learned_from == [24] * 20
    assert "data:image/jpeg" in (tmp_path / "page.html").read_text()
    with pytest.raises(CommandError, match="give a folder of shards"):
        measure(str(folder), "--save-weights", str(tmp_path / "w"))


def test_words_known_of_all_or_none(tmp_path: Path) -> None:
    folder = captioned(tmp_path)
    assert sum(bool(item.words) for item in fusion_data.read(folder, told=1).measure) == 30
    assert sum(bool(item.words) for item in fusion_data.read(folder, told=0).measure) == 0
    # What is known is never asked.
    assert all(item.words not in item.questions for item in fusion_data.read(folder, told=1).measure)


def test_what_cannot_be_measured_is_named(tmp_path: Path, shards: Path) -> None:
    with pytest.raises(CommandError, match=r"neither captions\.jsonl nor tar shards"):
        measure(str(tmp_path))
    with pytest.raises(CommandError, match="too few pictures with a sentence in 'zh'"):
        measure(str(shards), "--language", "zh")
    with pytest.raises(CommandError, match="has no weights"):
        measure(str(shards), "--weights", str(tmp_path))
    with pytest.raises(CommandError, match="a share"):
        measure(str(shards), "--told", "1.5")
