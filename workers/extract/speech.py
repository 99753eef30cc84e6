"""What is said in these samples, and when? A Whisper-family model's answer, window by window.

Runs in a worker of the `embed` queue, which may have a GPU, on samples that a child process decoded: plain numbers
that can do no harm. torch and transformers are loaded by the first call, never by an import.
"""

import functools
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workers.extract.base import SOUND_RATE_PER_S, SpeechLine

# What the models were trained on.
_WINDOW_S = 30
# A window that ends in the middle of a sentence is heard again from the last whole one, but never from before this.
_LEAST_STEP_S = 15
# Root mean square below which a window is silent (-54 dB): the models make sentences up for silence.
_SILENCE = 0.002

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Listener:
    model: Any
    processor: Any
    device: str


def transcribe(file: Path, model: str) -> list[SpeechLine]:
    """The lines spoken in `file`, 16-bit samples of one channel, timed from its beginning.

    `model` is a transformers name or a folder. Raises ImportError where the `models` extra is not installed.
    """
    samples: Samples = np.fromfile(file, dtype="<i2").astype(np.float32) / np.float32(32768)
    lines: list[SpeechLine] = []
    at_s = 0.0
    while at_s < len(samples) / SOUND_RATE_PER_S:
        start = round(at_s * SOUND_RATE_PER_S)
        window = samples[start : start + _WINDOW_S * SOUND_RATE_PER_S]
        heard = _heard(window, model) if _is_loud(window) else []
        lines += [
            SpeechLine(line.text, line.start_ms + round(at_s * 1000), line.end_ms + round(at_s * 1000))
            for line in heard
        ]
        whole_s = heard[-1].end_ms / 1000 if heard else 0.0
        at_s += whole_s if _LEAST_STEP_S <= whole_s < _WINDOW_S else _WINDOW_S
    return lines


def _is_loud(window: Samples) -> bool:
    return bool(len(window)) and math.sqrt(float(np.mean(np.square(window)))) >= _SILENCE


def _heard(window: Samples, name: str) -> list[SpeechLine]:
    import torch

    listener = _listener(name)
    features = listener.processor(window, sampling_rate=SOUND_RATE_PER_S, return_tensors="pt").input_features
    with torch.inference_mode():
        tokens = listener.model.generate(
            features.to(listener.device, listener.model.dtype), return_timestamps=True
        )
    decoded = listener.processor.tokenizer.decode(tokens[0], skip_special_tokens=True, output_offsets=True)
    length_ms = round(len(window) * 1000 / SOUND_RATE_PER_S)
    lines = []
    for piece in decoded["offsets"]:
        start_s, end_s = piece["timestamp"]
        start_ms = min(length_ms, max(0, round((start_s or 0.0) * 1000)))
        # The last line of a window may have no end.
        end_ms = length_ms if end_s is None else min(length_ms, max(start_ms, round(end_s * 1000)))
        if words := piece["text"].strip():
            lines.append(SpeechLine(words, start_ms, end_ms))
    if not lines and (words := decoded["text"].strip()):
        lines.append(SpeechLine(words, 0, length_ms))
    return lines


@functools.cache
def _listener(name: str) -> _Listener:
    import torch
    from transformers import AutoModelForSpeechSeq2Seq, AutoProcessor

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = AutoModelForSpeechSeq2Seq.from_pretrained(name, use_safetensors=True, trust_remote_code=False)
    # transformers has types, but not here.
    processor = AutoProcessor.from_pretrained(name, trust_remote_code=False)  # type: ignore[no-untyped-call]
    return _Listener(model.eval().to(device), processor, device)
