"""Does a Whisper-family model's answer become lines at their times? With a tiny one of random weights, made here."""

from pathlib import Path

import numpy as np
import pytest
import torch

from workers.extract import speech
from workers.extract.base import SOUND_RATE_PER_S, SpeechLine

torch.set_num_threads(1)
WORDS = ["Ġpump", "Ġvalve", "Ġseal", "Ġmotor"]
TIMES = [f"<|{step * 0.02:.2f}|>" for step in range(1501)]


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Four words and a token for each fiftieth of a second of a window."""
    from transformers import (
        GenerationConfig,
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperTokenizer,
    )

    folder = tmp_path_factory.mktemp("whisper")
    special = [
        "<|endoftext|>",
        "<|startoftranscript|>",
        "<|en|>",
        "<|transcribe|>",
        "<|translate|>",
        "<|notimestamps|>",
    ]
    tokenizer = WhisperTokenizer(
        vocab={word: index for index, word in enumerate(WORDS)},
        merges=[],
        unk_token="<|endoftext|>",
        pad_token="<|endoftext|>",
    )
    tokenizer.add_tokens(special + TIMES, special_tokens=True)
    end, start, english, transcribe, _, no_times = tokenizer.convert_tokens_to_ids(special)
    torch.manual_seed(3)
    model = WhisperForConditionalGeneration(
        WhisperConfig(
            vocab_size=len(tokenizer),
            d_model=16,
            encoder_layers=1,
            decoder_layers=1,
            encoder_attention_heads=2,
            decoder_attention_heads=2,
            encoder_ffn_dim=32,
            decoder_ffn_dim=32,
            num_mel_bins=80,
            max_target_positions=64,
            pad_token_id=end,
            bos_token_id=end,
            eos_token_id=end,
            decoder_start_token_id=start,
        )
    )
    model.generation_config = GenerationConfig(
        no_timestamps_token_id=no_times,
        lang_to_id={"<|en|>": english},
        task_to_id={"transcribe": transcribe},
        is_multilingual=True,
        max_length=24,
        max_initial_timestamp_index=50,
        suppress_tokens=[],
        begin_suppress_tokens=[],
        pad_token_id=end,
        bos_token_id=end,
        eos_token_id=end,
        decoder_start_token_id=start,
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    WhisperFeatureExtractor(feature_size=80).save_pretrained(folder)
    return str(folder)


def recorded(path: Path, seconds: float, *, silent: bool = False) -> Path:
    noise = np.random.default_rng(5).normal(0, 0 if silent else 3000, round(seconds * SOUND_RATE_PER_S))
    path.write_bytes(noise.astype("<i2").tobytes())
    return path


def test_a_model_writes_lines_within_the_recording(whisper: str, tmp_path: Path) -> None:
    lines = speech.transcribe(recorded(tmp_path / "sound.pcm", 65), whisper)
    assert lines
    assert all(0 <= line.start_ms <= line.end_ms <= 65_000 for line in lines)
    known = {word.removeprefix("Ġ") for word in WORDS}
    assert {word for line in lines for word in line.text.split()} <= known
    # Each of the three windows was heard.
    assert max(line.end_ms for line in lines) > 30_000


def test_silence_has_no_words_and_needs_no_model(tmp_path: Path) -> None:
    assert speech.transcribe(recorded(tmp_path / "sound.pcm", 40, silent=True), "no such model") == []
    assert speech.transcribe(recorded(tmp_path / "none.pcm", 0), "no such model") == []


def test_a_window_is_heard_again_from_its_last_whole_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts: list[int] = []

    def heard(window: "np.ndarray[tuple[int], np.dtype[np.float32]]", _model: str) -> list[SpeechLine]:
        starts.append(len(window) // SOUND_RATE_PER_S)
        return [SpeechLine(f"line {len(starts)}", 1000, 20_000)]

    monkeypatch.setattr(speech, "_heard", heard)
    lines = speech.transcribe(recorded(tmp_path / "sound.pcm", 50), "a model")
    # Of 50 s: 0 to 30, 20 to 50, 40 to 50.
    assert starts == [30, 30, 10]
    assert [line.start_ms for line in lines] == [1000, 21_000, 41_000]
