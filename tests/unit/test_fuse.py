"""Is a fused vector the weighted mean of its modalities, of unit length?"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.fusion.weighted import weighted

X = np.array([[1, 0]], dtype=np.float32)
Y = np.array([[0, 1]], dtype=np.float32)
NOTHING = np.zeros((1, 2), dtype=np.float32)


def test_equal_weights_give_the_direction_between_the_two() -> None:
    np.testing.assert_allclose(weighted([X, Y], [0.5, 0.5]), [[math.sqrt(0.5), math.sqrt(0.5)]], rtol=1e-6)


def test_weights_turn_the_mean_towards_the_heavier() -> None:
    # (0.6, 0.8) has length 1 already.
    np.testing.assert_allclose(weighted([X, Y], [0.6, 0.8]), [[0.6, 0.8]], rtol=1e-6)


def test_a_missing_modality_leaves_the_other_as_it_is() -> None:
    np.testing.assert_array_equal(weighted([X, NOTHING], [0.2, 0.8]), X)


def test_opposite_vectors_of_equal_weight_have_no_direction() -> None:
    np.testing.assert_array_equal(weighted([X, -X], [0.5, 0.5]), NOTHING)


def test_no_rows_give_no_rows() -> None:
    empty = np.zeros((0, 3), dtype=np.float32)
    assert weighted([empty, empty], [1, 1]).shape == (0, 3)


@pytest.mark.parametrize(
    ("modalities", "weights"),
    [
        ([], []),
        ([X], [1, 1]),
        ([X, np.zeros((2, 2), dtype=np.float32)], [1, 1]),
        ([X], [0]),
        ([X, Y], [2, -1]),
    ],
)
def test_what_makes_no_sense_is_refused(modalities: list[np.ndarray], weights: list[float]) -> None:
    with pytest.raises(ValueError, match=r"weight|Weights|shape"):
        weighted(modalities, weights)


@given(seed=st.integers(0, 2**32 - 1), first=st.floats(0.01, 10), second=st.floats(0.01, 10))
def test_rows_are_of_unit_length_whatever_the_weights_scale(seed: int, first: float, second: float) -> None:
    random = np.random.default_rng(seed)
    rows = random.normal(size=(2, 5, 4)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=2, keepdims=True)
    fused = weighted([rows[0], rows[1]], [first, second])
    np.testing.assert_allclose(np.linalg.norm(fused, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(weighted([rows[0], rows[1]], [first * 7, second * 7]), fused, atol=1e-5)
