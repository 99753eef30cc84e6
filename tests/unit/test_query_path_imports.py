"""Does answering a query stay free of torch and transformers? Asked in fresh processes, as servers are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from retrieval.encoders.prepare import prepared
from retrieval.encoders.profiles import encoders

HEAVY = "{'torch', 'transformers', 'sentence_transformers'}"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the embedded encoder prepared, so that each process starts as a server does."""
    home = tmp_path_factory.mktemp("home")
    for source in encoders("embedded").sources:
        prepared(source, home / "models")
    return home


def _fresh_process(code: str, home: Path) -> None:
    environment = os.environ | {
        "KB_HOME": str(home),
        "KB_PROFILE": "embedded",
        "DJANGO_SETTINGS_MODULE": "kb.settings.embedded",
    }
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_web_process_and_a_query_load_neither_torch_nor_transformers(home: Path) -> None:
    _fresh_process(
        "import sys, kb.wsgi, retrieval.search, retrieval.spaces\n"
        "vector = retrieval.spaces.query_vector('how is the pump seal replaced')\n"
        "assert vector.shape == (384,)\n"
        "assert retrieval.spaces.query_vector('如何更换水泵密封').shape == (384,)\n"
        f"assert not {HEAVY} & sys.modules.keys(), sorted({HEAVY} & sys.modules.keys())\n",
        home,
    )


def test_a_prepared_encoder_serves_without_the_libraries_that_prepare(home: Path) -> None:
    _fresh_process(
        "import sys, kb.wsgi, retrieval.spaces\n"
        "retrieval.spaces.query_vector('pump')\n"
        # safetensors holds the compact encoder's head; it imports numpy and nothing else.
        "assert not {'onnx', 'onnxruntime.quantization'} & sys.modules.keys()\n",
        home,
    )


def test_with_torch_and_transformers_absent_the_embedded_encoder_is_prepared_and_encodes(
    tmp_path: Path,
) -> None:
    _fresh_process(
        "import sys\n"
        "for name in ('torch', 'transformers', 'sentence_transformers'): sys.modules[name] = None\n"
        "import kb.wsgi\n"
        "from retrieval.spaces import query_vector, text_encoder\n"
        "assert text_encoder().encode_texts(['The seal of the pump.', 'Vacation days.']).shape == (2, 384)\n"
        "pump, leave = text_encoder().encode_texts(['The seal of the pump.', 'Vacation days.'])\n"
        "asked = query_vector('pump seal')\n"
        "assert asked @ pump > asked @ leave\n",
        tmp_path,
    )
