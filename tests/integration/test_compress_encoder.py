"""`manage.py compress_encoder`, from a run to a smaller encoder that serves, with what that cost."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from retrieval.encoders.compact_image import CompactEncoder, CompactSource
from retrieval.spaces import text_encoder
from retrieval.training import corpus, image_text, loop
from retrieval.training.held_out import held_out
from retrieval.training.towers import TowerShape
from tests.shards import shapes, write_shard


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `train_encoder` leaves it, after two steps of a tiny tower."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    folder.mkdir()
    data = []
    for name, count in (("corpus", 24), ("held-out", 12)):
        shard = write_shard(folder / f"{name}.tar.gz", shapes(count, seed=count))
        data.append(corpus.prepare([shard], folder / name, text_encoder(), say=lambda _line: None))
    recipe = image_text.Recipe(
        batch=8,
        stages=(image_text.Stage(until=1.0, side_px=32, sentences=0.5, drawn=0.0),),
        tower=TowerShape(widths=(32, 64), depths=(1, 1)),
        other_texts=8,
    )
    task = image_text.ImageTextTask(data[0], held_out(data[1]), recipe, 2)
    settings = loop.LoopSettings(steps=2, warmup_steps=1, evaluate_every=2, curves=False, device="cpu")
    loop.train(task, settings, folder, say=lambda _line: None)
    (folder / "run.json").write_text(json.dumps({"recipe": recipe.plain()}))
    return folder


def compress(trained: Path, *options: str) -> tuple[dict[str, Any], str]:
    out = io.StringIO()
    call_command("compress_encoder", str(trained), *options, stdout=out, stderr=io.StringIO())
    answer: dict[str, Any] = json.loads(out.getvalue().splitlines()[-1])
    return answer, out.getvalue()


def forms(answer: dict[str, Any]) -> list[str]:
    return [form["form"] for form in answer["forms"]]


def test_a_run_is_pruned_taught_and_quantised_and_serves(run: Path, tmp_path: Path) -> None:
    teacher, _ = compress(run, "--int8", "--output", str(tmp_path / "teacher"))

    answer, said = compress(
        run, "--prune=0.5", f"--distil={teacher['output']}", "--steps=2", "--int8", "--output", str(tmp_path / "small")
    )  # fmt: skip

    assert forms(answer)[:2] == ["as trained", "pruned by 0.5"]
    assert forms(answer)[2].startswith("taught by ")
    assert forms(answer)[3] == "int8"
    sizes = [form["megabytes"] for form in answer["forms"]]
    assert sizes[0] > sizes[1] == pytest.approx(sizes[2], rel=0.01)
    assert sizes[2] > sizes[3]
    assert all(0 <= form["figures"]["recall"] <= 1 and form["ms"] > 0 for form in answer["forms"])
    assert "recall " in said.splitlines()[-2]
    encoder = CompactEncoder(CompactSource(tmp_path / "small"), text_encoder())
    assert encoder.config.revision == answer["encoder"]
    assert encoder.encode_images([Image.new("RGB", (40, 30), "red")]).shape == (1, 384)


def test_an_encoder_that_was_pruned_is_quantised_later_but_not_twice(run: Path, tmp_path: Path) -> None:
    compress(run, "--prune=0.3", "--output", str(tmp_path / "pruned"))
    data = ("--corpus", str(run / "corpus"))

    answer, _ = compress(tmp_path / "pruned", "--int8", *data, "--output", str(tmp_path / "small"))

    assert forms(answer) == ["as given", "int8"]
    # Not a quarter: the projection stays float32, and of so small a tower it is a large part.
    assert answer["forms"][1]["megabytes"] < 0.7 * answer["forms"][0]["megabytes"]
    with pytest.raises(CommandError, match="int8 already"):
        compress(tmp_path / "small", "--int8", *data, "--output", str(tmp_path / "smaller"))
    with pytest.raises(CommandError, match="name the run"):
        compress(tmp_path / "pruned", "--prune=0.3", *data)


def test_what_cannot_be_done_is_said(run: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Say what to do"):
        compress(run)
    with pytest.raises(CommandError, match="between 0 and 1"):
        compress(run, "--prune=1.5")
    with pytest.raises(CommandError, match="no prepared corpus"):
        compress(tmp_path, "--int8")
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(CommandError, match=r"run\.json cannot be read"):
        compress(tmp_path, "--int8", "--corpus", str(run / "corpus"))
