"""Are the encoders loaded before the first search, in the process that serves, and without ever stopping it?"""

import threading
from typing import Any

import pytest

from kb import serving
from retrieval import spaces, warm_up
from retrieval.encoders.base import EncoderError


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr(warm_up, "load_encoders", lambda: names.append(threading.current_thread().name))
    return names


def test_a_worker_process_loads_the_encoders_beside_its_requests(loaded: list[str]) -> None:
    serving.post_worker_init(None)
    for thread in threading.enumerate():
        if thread.name == "warm-up":
            thread.join(10)
    assert loaded == ["warm-up"]


def test_an_encoder_that_cannot_be_loaded_is_said_in_the_log_and_stops_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(warm_up.log, "warning", lambda event, **facts: said.append((event, facts)))

    def broken() -> None:
        raise EncoderError("The package is damaged.")

    monkeypatch.setattr(spaces, "text_encoder", broken)
    warm_up.load_encoders()
    assert said == [("warm_up.failed", {"error": "The package is damaged."})]
