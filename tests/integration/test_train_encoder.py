"""`manage.py train_encoder`, from shards to an encoder that serves."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from retrieval.encoders.compact_image import CompactEncoder, CompactSource
from retrieval.spaces import text_encoder
from tests.shards import shapes, write_shard


def train(folder: Path, *options: str) -> dict[str, object]:
    """The command's JSON, of six steps on 24 pictures."""
    shard = write_shard(folder / "train.tar.gz", shapes(24, seed=1))
    aside = write_shard(folder / "aside.tar.gz", shapes(12, seed=2))
    out = io.StringIO()
    call_command(
        "train_encoder", str(shard), "--held-out", str(aside), "--run", str(folder / "run"), "--steps=6",
        "--batch=8", "--evaluate-every=3", "--seed=5", *options, stdout=out, stderr=io.StringIO(),
    )  # fmt: skip
    figures: dict[str, object] = json.loads(out.getvalue().splitlines()[-1])
    return figures


def test_shards_become_an_encoder_that_serves(tmp_path: Path) -> None:
    figures = train(tmp_path)

    assert figures["steps"] == 6
    assert figures["pictures_seen"] == 48
    encoder = CompactEncoder(CompactSource(tmp_path / "run" / "encoder"), text_encoder())
    rows = encoder.encode_images([Image.new("RGB", (40, 30), "red")])
    assert rows.shape == (1, 384)
    assert figures["encoder"] == encoder.config.revision
    assert (tmp_path / "run" / "curves.png").stat().st_size > 0
    described = json.loads((tmp_path / "run" / "run.json").read_text())
    assert described["data"]["pictures"] == 24


def test_a_run_is_not_begun_over_another(tmp_path: Path) -> None:
    train(tmp_path)

    with pytest.raises(CommandError, match="holds a run already"):
        train(tmp_path)


def test_a_run_is_taken_further(tmp_path: Path) -> None:
    train(tmp_path, "--without=head")

    figures = train(tmp_path, "--resume", "--steps=8", "--without=head")

    assert figures["steps"] == 8


def test_a_source_that_no_shard_has_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="source that was asked for"):
        train(tmp_path, "--sources", "nobody/nothing")


def test_a_corrupt_shard_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.tar.gz").write_bytes(b"no tar file")

    with pytest.raises(CommandError, match=r"broken\.tar\.gz"):
        call_command(
            "train_encoder", str(tmp_path / "broken.tar.gz"), "--held-out", str(tmp_path / "broken.tar.gz"),
            "--run", str(tmp_path / "run"),
        )  # fmt: skip


def test_a_trial_ends_with_small_pictures(tmp_path: Path) -> None:
    train(tmp_path, "--largest=32")

    recipe = json.loads((tmp_path / "run" / "run.json").read_text())["recipe"]
    assert [(stage["side_px"], stage["until"]) for stage in recipe["stages"]] == [(32, 1.0)]
    assert CompactEncoder(CompactSource(tmp_path / "run" / "encoder"), text_encoder()).config.side_px == 32
    with pytest.raises(CommandError, match="the smallest stage has 32 px"):
        train(tmp_path, "--largest=16")


def test_chinese_sentences_are_learnt_from_where_they_are_asked_for(tmp_path: Path) -> None:
    train(tmp_path, "--chinese", "--without=head")

    table = json.loads((tmp_path / "run" / "corpus" / "table.json").read_text())
    assert any("白纸" in text for text in table["texts"])
