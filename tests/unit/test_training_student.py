"""Does the student start where the alignment puts it, learn from there, and end alike after a kill?"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from safetensors.numpy import load_file  # noqa: E402

from retrieval.encoders.student import NEW_WORDS, WEIGHTS, StudentSource, dequantised  # noqa: E402
from retrieval.pairs import Pair  # noqa: E402
from retrieval.training.loop import TrainingError  # noqa: E402
from retrieval.training.student import material as making  # noqa: E402
from retrieval.training.student.alignment import starting_vectors, translations  # noqa: E402
from retrieval.training.student.material import Captioned, gather  # noqa: E402
from retrieval.training.student.run import Choices, run  # noqa: E402
from retrieval.training.student.ship import ship  # noqa: E402
from retrieval.training.student.task import Texts, _ranking  # noqa: E402
from retrieval.training.student.words import learn_words  # noqa: E402

PAIRS = [
    ("更换水泵", "replace the pump"),
    ("更换轴承", "replace the bearing"),
    ("检查水泵", "check the pump"),
    ("检查轴承", "check the bearing"),
    ("关闭阀门", "close the valve"),
    ("检查阀门", "check the valve"),
]


def _file(path: Path, pairs: list[tuple[str, str]]) -> Path:
    path.write_text("".join(json.dumps({"zh": zh, "en": en, "source": "s"}) + "\n" for zh, en in pairs))
    return path


def test_alignment_finds_the_translation_that_only_counting_together_would_miss() -> None:
    # Word 0 always stands with word 1; only the third and fourth pair say which English token is whose.
    chinese = [np.array([0, 1]), np.array([0, 1]), np.array([0]), np.array([1])]
    english = [np.array([0, 1]), np.array([0, 1]), np.array([0]), np.array([1])]
    found = translations(chinese, english, words=2, english_words=3)
    likely = {
        (int(w), int(e)): float(p) for w, e, p in zip(found.word, found.english, found.likely, strict=True)
    }
    assert likely[0, 0] > 0.8 > likely[0, 1]
    assert likely[1, 1] > 0.8 > likely[1, 0]
    # Of each word, and of the one that stands for nothing, all shares together are 1.
    assert np.bincount(found.word, weights=found.likely) == pytest.approx([1, 1, 1])


def test_a_word_starts_at_the_mean_of_its_translations_and_one_without_any_at_the_mean_of_all() -> None:
    chinese, english = [np.array([0]), np.array([2])], [np.array([0]), np.array([1])]
    found = translations(chinese, english, words=3, english_words=2)
    vectors = np.array([[1, 0], [0, 1]], dtype=np.float32)
    start = starting_vectors(found, vectors, words=3, common=np.array([0.5, 0.5]))
    assert start.tolist() == [[1, 0], [0.5, 0.5], [0, 1]]


def test_words_are_cut_at_most_four_characters_long_and_every_character_is_one() -> None:
    words = learn_words([zh for zh, _ in PAIRS] * 3, size=30)
    vocabulary = words.get_vocab()
    assert {character for zh, _ in PAIRS for character in zh} <= vocabulary.keys()
    assert max(len(word) for word in vocabulary if word != "[UNK]") <= 4


def test_another_text_that_says_the_same_is_not_held_against_a_row() -> None:
    own = torch.eye(2)
    # The third candidate has the meaning of the first row's own; the fourth has not, and is as near to the row.
    candidates = torch.stack([own[0], own[1], own[0]])
    assert float(_ranking(own, own, candidates)) == pytest.approx(0.0, abs=1e-6)
    unlike = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    # Of row 0: 1 against 0.6; of row 1: 1 against 0.8; divided by 0.05.
    expected = (np.log1p(np.exp(-8) + np.exp(-20)) + np.log1p(np.exp(-4) + np.exp(-20))) / 2
    assert float(_ranking(own, own, unlike)) == pytest.approx(expected, rel=1e-3)


def test_texts_give_back_what_they_were_made_of() -> None:
    texts = Texts.of([[1, 2, 3], [4], [5, 6]])
    assert [texts[index] for index in range(len(texts))] == [[1, 2, 3], [4], [5, 6]]
    assert texts.lengths.tolist() == [3, 1, 2]


def test_what_is_learnt_has_no_held_out_text_no_pair_without_chinese_and_the_captions(tmp_path: Path) -> None:
    pairs = [Pair(zh, en, "s") for zh, en in PAIRS] + [Pair("ok", "okay", "s")]
    captions = [Captioned(("一只狗", "狗在跑"), ("a dog", "a dog runs"), "photos")]
    held_out = [Pair("检查阀门", "check the valve", "s")]
    made = gather(pairs, captions, held_out, tmp_path, words=40, say=lambda _: None)
    # Five pairs, two captions, and the seven English texts that stay where they are.
    assert made.by_source == {"s": 5, "photos": 2, "english": 7}
    assert len(made.learnt.texts) == len(made.learnt.target) == 14
    share = made.learnt.weight[-7:].sum() / made.learnt.weight.sum()
    assert share == pytest.approx(making.ENGLISH_SHARE)
    # Both captions belong at one place: the mean of the two English ones, again of length 1.
    first, second = made.learnt.target[5:7]
    assert first == second
    assert np.linalg.norm(made.learnt.targets[first].astype(np.float32)) == pytest.approx(1, abs=2e-3)


@pytest.fixture(scope="module")
def choices(tmp_path_factory: pytest.TempPathFactory) -> Choices:
    folder = tmp_path_factory.mktemp("pairs")
    return Choices(
        pairs=[_file(folder / "pairs.jsonl", PAIRS[:5])],
        held_out=_file(folder / "held-out.jsonl", PAIRS[5:]),
        layers=[0],
        words=40,
        steps=4,
        batch=2,
        threads=1,
        every=2,
        patience=0,
        device="cpu",
    )


def test_a_run_that_was_stopped_and_resumed_ends_with_the_same_weights_and_ships(
    choices: Choices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(Exception):
        pass

    def kill(line: object) -> None:
        if str(line).startswith("step 4/"):
            raise KilledError

    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    run(choices, whole, resume=False, say=lambda _: None)
    # The library that learns words breaks ties by chance; a run keeps its own, and a resumed one reads them again.
    stopped.mkdir()
    shutil.copyfile(whole / "words.json", stopped / "words.json")
    with pytest.raises(KilledError):
        run(choices, stopped, resume=False, say=kill)
    run(choices, stopped, resume=True, say=lambda _: None)

    def last(folder: Path) -> dict[str, object]:
        model: dict[str, object] = torch.load(folder / "checkpoint.pt", weights_only=True)["model"]
        return model

    expected, found = last(whole), last(stopped)
    assert all(torch.equal(expected[name], found[name]) for name in expected)

    record = ship(stopped, tmp_path / "shipped")
    assert record["layers"] == 1
    exported = StudentSource(folder=tmp_path / "shipped").export(tmp_path / "shipped")
    assert exported.dimensions == 384
    assert exported.text is not None
    assert NEW_WORDS not in record["sha256"]

    def vectors(share: float) -> np.ndarray:
        ship(stopped, tmp_path / "mixed", share=share)
        return dequantised(load_file(tmp_path / "mixed" / WEIGHTS))[NEW_WORDS]

    begun, ended, between = vectors(0), vectors(1), vectors(0.5)
    np.testing.assert_allclose(begun, np.load(stopped / "start.npy"), atol=2e-3)
    assert np.abs(ended - begun).max() > 1e-4
    np.testing.assert_allclose(between, (begun + ended) / 2, atol=2e-3)


def test_another_runs_folder_is_refused(choices: Choices, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="holds no run"):
        run(choices, tmp_path, resume=True, say=lambda _: None)
    described = choices.described() | {"rate": 5.0}
    (tmp_path / "run.json").write_text(json.dumps(described))
    with pytest.raises(TrainingError, match="another rate"):
        run(choices, tmp_path, resume=True, say=lambda _: None)
