"""Is an encoder prepared once, kept whole, and only in a form that passes the gate?"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from retrieval.encoders import measure
from retrieval.encoders.base import EncoderError
from retrieval.encoders.compact_image import CompactSource
from retrieval.encoders.manifest import MANIFEST, folder_name, read
from retrieval.encoders.measure import mean_cosine, shared_neighbours
from retrieval.encoders.minilm import MiniLmSource
from retrieval.encoders.prepare import prepared
from retrieval.encoders.profiles import encoders
from retrieval.encoders.sentence import SentenceSource
from retrieval.encoders.student import BilingualSource


@pytest.fixture(autouse=True)
def _few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    # Which form is faster is not asked here.
    monkeypatch.setattr(measure, "ROUNDS", 1)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    prepared(MiniLmSource(), folder)
    return folder


def test_the_kept_form_passes_the_gate_and_names_itself_in_the_revision(models: Path) -> None:
    made = prepared(MiniLmSource(), models)
    kept = made.kept("text")
    assert kept.mean_cosine >= measure.LEAST_MEAN_COSINE
    assert kept.neighbours >= measure.LEAST_NEIGHBOURS
    assert made.spec.revision == f"{made.fingerprint}-text-{kept.quantisation}"
    assert made.graph("text").is_file()
    reference = next(candidate for candidate in made.candidates if candidate.quantisation == "float32")
    assert reference.mean_cosine == pytest.approx(1, abs=1e-5)
    assert reference.neighbours == 1


def test_a_form_that_fails_the_gate_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "LEAST_MEAN_COSINE", 0.9999)
    assert prepared(MiniLmSource(), tmp_path).kept("text").quantisation == "float32"


def test_the_second_time_nothing_is_done(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = prepared(MiniLmSource(), models)
    monkeypatch.setattr(MiniLmSource, "export", lambda *_: pytest.fail("exported again"))
    assert prepared(MiniLmSource(), models) == first


def test_a_graph_that_was_changed_on_disk_is_made_anew(tmp_path: Path) -> None:
    made = prepared(MiniLmSource(), tmp_path)
    made.graph("text").write_bytes(b"bit rot")
    assert read(made.folder) is None
    again = prepared(MiniLmSource(), tmp_path)
    assert read(again.folder) == again


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 999}', '{"format": 1}'])
def test_a_manifest_that_cannot_be_read_counts_as_none(content: str, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text(content)
    assert read(tmp_path) is None


def test_processes_that_start_together_prepare_once(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from retrieval.encoders.minilm import MiniLmSource\n"
        "from retrieval.encoders.prepare import prepared\n"
        "prepared(MiniLmSource(), Path(sys.argv[1]), say=print)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate()[0] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert sorted(bool(text) for text in said) == [False, True]
    folder = tmp_path / folder_name(MiniLmSource())
    assert sorted(path.suffix for path in folder.iterdir()) == ["", ".json", ".json", ".onnx"]  # "": the lock


def test_a_folder_that_cannot_be_written_is_named_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where a folder should be")
    with pytest.raises(EncoderError, match=r"cannot be prepared in .*prepare_models"):
        prepared(MiniLmSource(), tmp_path / "models")


def test_the_gates_measures_by_hand() -> None:
    rows = np.eye(3, dtype=np.float32)
    assert mean_cosine(rows, rows) == 1
    # One of three rows turned to a right angle.
    turned = rows.copy()
    turned[0] = rows[1]
    assert mean_cosine(rows, turned) == pytest.approx(2 / 3)
    # Twelve points on a line of angles: the nearest ten of the first are all but itself and the last.
    angles = np.linspace(0, 1, 12)
    line = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    assert shared_neighbours(line, line) == 1
    # The two ends swapped: each still leaves out the other, but the ten between leave out the other end than
    # before, and so share nine of ten.
    swapped = line[[11, *range(1, 11), 0]]
    assert shared_neighbours(line, swapped) == pytest.approx((10 * 0.9 + 2 * 1) / 12)


def test_the_command_prints_a_table_and_one_json_line(
    models: Path, settings: object, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.KB_MODELS_DIR = models  # type: ignore[attr-defined]
    call_command("prepare_models")
    lines = capsys.readouterr().out.splitlines()
    report = json.loads(lines[-1])
    assert report["profile"] == "embedded"
    assert [candidate["quantisation"] for candidate in report["encoders"][0]["candidates"]] == [
        "float32",
        "int8",
    ]
    # The teacher's and the student's.
    assert sum("kept" in line for line in lines[:-1]) == 2


def test_the_command_says_what_a_profile_lacks(settings: object) -> None:
    settings.KB_PROFILE = "custom"  # type: ignore[attr-defined]
    with pytest.raises(CommandError, match="needs KB_TEXT_ENCODER"):
        call_command("prepare_models")


def test_profiles_name_their_encoders() -> None:
    assert encoders("embedded").text == BilingualSource()
    assert encoders("embedded").image == CompactSource()
    assert encoders("embedded", image="none").image is None
    image = encoders("embedded", image="some/clip").image
    assert image is not None
    assert image.name == "some/clip"
    recommended = encoders("recommended")
    assert recommended.image is not None
    assert isinstance(recommended.text, SentenceSource)
    assert recommended.text.recipe["query"] == "query: "
    assert encoders("custom", text="all-MiniLM-L6-v2").text == BilingualSource().teacher


@pytest.mark.parametrize(
    ("profile", "text", "image", "message"),
    [
        ("custom", "", "", "needs KB_TEXT_ENCODER"),
        ("embedded", "some/text", "", "KB_TEXT_ENCODER is not read by profile embedded"),
        ("recommended", "", "some/clip", "KB_IMAGE_ENCODER is not read by profile recommended"),
        ("fastest", "", "", "no profile 'fastest'"),
    ],
)
def test_a_profile_that_contradicts_its_settings_is_refused(
    profile: str, text: str, image: str, message: str
) -> None:
    with pytest.raises(EncoderError, match=message):
        encoders(profile, text=text, image=image)
