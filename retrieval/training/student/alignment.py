"""Where does a new token start? Where the teacher keeps the English tokens that translate it.

Brown et al. 1993, model 1: how likely each English token is as the translation of each Chinese one, told by nothing
but which sentences are translations of each other. A token's first vector is the mean of the teacher's vectors of its
likely translations, so the untrained student already reads Chinese, word by word.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ids = Sequence[npt.NDArray[np.int64]]

# Likelihood gains little after the third pass, and vectors made from it nothing.
PASSES = 4
# Translations less likely than this are chance; the mean of a hundred chances is the mean of all English.
LEAST_LIKELY = 0.02


@dataclass(frozen=True, slots=True)
class Translations:
    """Parallel arrays, by `word`: that `english` is what `word` means is `likely` (float64, sums to 1 a word)."""

    word: npt.NDArray[np.int64]
    english: npt.NDArray[np.int64]
    likely: npt.NDArray[np.float64]


def translations(chinese: Ids, english: Ids, *, words: int, english_words: int) -> Translations:
    """`chinese[i]` and `english[i]` are the tokens of one pair, below `words` and `english_words`.

    The word `words` is a word that stands for nothing: each pair has it once, and it takes the English that no
    Chinese word explains.
    """
    words_of, english_of, explained_of = [], [], []
    tokens = 0
    for left, right in zip(chinese, english, strict=True):
        left = np.append(np.unique(left), words)
        words_of.append(np.tile(left, len(right)))
        english_of.append(np.repeat(right, len(left)))
        explained_of.append(np.repeat(np.arange(tokens, tokens + len(right), dtype=np.int32), len(left)))
        tokens += len(right)
    # Which English token, of all tokens of all sentences, each candidate explains.
    explained = np.concatenate(explained_of)
    pair = np.concatenate(words_of) * english_words + np.concatenate(english_of)
    del words_of, english_of, explained_of
    kinds, kind = np.unique(pair, return_inverse=True)
    kind = kind.astype(np.int32)
    del pair
    word = kinds // english_words
    likely = np.ones(len(kinds))
    for _ in range(PASSES):
        share = likely[kind]
        share /= np.bincount(explained, weights=share, minlength=tokens)[explained]
        count = np.bincount(kind, weights=share, minlength=len(kinds))
        likely = count / np.bincount(word, weights=count, minlength=words + 1)[word]
    return Translations(word, kinds % english_words, likely)


def starting_vectors(
    found: Translations,
    english_vectors: npt.NDArray[np.float32],
    *,
    words: int,
    common: npt.NDArray[np.float64],
) -> npt.NDArray[np.float32]:
    """(words, D): the mean of `english_vectors` (E, D), by how much more likely each English token is than by chance.

    `common` (E,): each one's share of all English tokens. A word without likely translations gets the mean of all.
    """
    surprise = np.log(np.maximum(found.likely / np.maximum(common[found.english], 1e-12), 1.0))
    kept = (found.likely >= LEAST_LIKELY) & (surprise > 0) & (found.word < words)
    word, weight = found.word[kept], (found.likely * surprise)[kept].astype(np.float32)
    vectors = np.tile((common @ english_vectors).astype(np.float32), (words, 1))
    present, starts = np.unique(word, return_index=True)
    if len(present):
        sums = np.add.reduceat(weight[:, None] * english_vectors[found.english[kept]], starts, axis=0)
        vectors[present] = sums / np.add.reduceat(weight, starts)[:, None]
    return vectors
