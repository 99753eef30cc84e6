"""What does a run learn from? Pairs and captions, as tokens and the places where they belong.

Everything here is computed once and kept in the run's folder: words, teacher's vectors, first vectors of the words.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from retrieval.encoders.minilm import model_folder
from retrieval.encoders.student_tokens import HAN_RUN, SHARED, StudentTokens
from retrieval.pairs import Pair
from retrieval.training.shards import read_shard
from retrieval.training.student.alignment import starting_vectors, translations
from retrieval.training.student.task import Distilled, HeldOut, Texts
from retrieval.training.student.teacher import Half, Teacher, cached_vectors
from retrieval.training.student.words import han_runs, saved_words

# What the student is served with, as the teacher: half a page of Chinese.
MAX_TOKENS = 256
# The first vectors of the words, in a run's folder.
START = "start.npy"
# Pairs of a source are drawn in proportion to their number to this power: large sources teach more, but not all.
SOURCE_POWER = 0.6
# Captions that people wrote for the picture; names of files and headings say something else in each language.
HUMAN = "human"
# The share of what is drawn that is English, learnt to stay where it is: pages mix both languages.
ENGLISH = "english"
ENGLISH_SHARE = 0.08
ENGLISH_TEXTS = 40_000
# Longer sentences have so many candidate translations for each token that they tell little.
ALIGNED_CHARACTERS = 60
ALIGNED_TOKENS = 64
# Of vectors that stand for rare characters: as far from the mean as the teacher's own rare tokens are.
SHARED_SPREAD = 0.04


@dataclass(frozen=True, slots=True)
class Captioned:
    """One picture's sentences: they say the same, more or less."""

    zh: tuple[str, ...]
    en: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Material:
    tokens: StudentTokens
    learnt: Distilled
    held_out: HeldOut
    spelling: dict[int, list[int]]
    new_vectors: npt.NDArray[np.float32]
    by_source: dict[str, int]


def read_captions(shards: Sequence[Path]) -> list[Captioned]:
    """Of the pictures that people described in both languages. Raises ShardError."""
    return [
        Captioned(sample.captions_zh, sample.captions, sample.source)
        for shard in shards
        for sample in read_shard(shard)
        if sample.captions and sample.captions_zh and sample.meta.get("caption_kind") == HUMAN
    ]


def gather(
    pairs: Sequence[Pair],
    captions: Sequence[Captioned],
    held_out: Sequence[Pair],
    folder: Path,
    *,
    words: int,
    say: Callable[[str], object],
) -> Material:
    """Held-out texts are taken out of what is learnt, whichever side they are on."""
    folder.mkdir(parents=True, exist_ok=True)
    kept_apart = {text for pair in held_out for text in (pair.zh, pair.en)}
    # A side without Chinese never comes to the student: see `reads`.
    pairs = [
        pair
        for pair in pairs
        if pair.zh not in kept_apart and pair.en not in kept_apart and HAN_RUN.search(pair.zh)
    ]
    teacher = Teacher(model_folder())
    chinese = [pair.zh for pair in pairs] + [zh for picture in captions for zh in picture.zh]
    word_list = saved_words(folder / "words.json", chinese, size=words)
    teacher_tokens = Tokenizer.from_str(teacher.tokenizer.to_str())
    tokens = StudentTokens(word_list, teacher_tokens, max_tokens=MAX_TOKENS)

    english = list(
        dict.fromkeys([pair.en for pair in pairs] + [en for picture in captions for en in picture.en])
    )
    place = {text: index for index, text in enumerate(english)}
    vectors = _teacher_vectors(teacher, english, folder, say)
    said = _caption_targets(captions, vectors, place)
    target = [place[pair.en] for pair in pairs]
    sources = [pair.source for pair in pairs]
    for number, picture in enumerate(captions):
        target += [len(english) + number] * len(picture.zh)
        sources += [picture.source] * len(picture.zh)
    kept_english = np.random.default_rng(0).permutation(len(english))[:ENGLISH_TEXTS]
    target += kept_english.tolist()
    sources += [ENGLISH] * len(kept_english)
    chinese += [english[index] for index in kept_english]
    counts = Counter(sources)
    learnt = Distilled(
        texts=_saved_texts(folder, tokens, chinese),
        targets=np.concatenate([vectors, said]) if captions else vectors,
        target=np.array(target, dtype=np.int64),
        weight=_weights(sources, counts),
    )
    kept = HeldOut(
        texts=Texts.of([tokens.ids(pair.zh) for pair in held_out]),
        targets=_teacher_vectors(teacher, [pair.en for pair in held_out], folder, say),
    )
    return Material(
        tokens=tokens,
        learnt=learnt,
        held_out=kept,
        spelling=_spelling(word_list, tokens.first_word),
        new_vectors=_saved_start(folder / START, teacher, word_list, pairs, captions, say),
        by_source=dict(counts),
    )


def _saved_texts(folder: Path, tokens: StudentTokens, texts: Sequence[str]) -> Texts:
    """Kept in `folder`, so that a resumed run starts in seconds."""
    name = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
    path = folder / f"tokens-{name}.npz"
    if not path.exists():
        cut = Texts.of([tokens.ids(text) for text in texts])
        draft = path.with_suffix(".draft.npz")
        np.savez(draft, tokens=cut.tokens, starts=cut.starts)
        draft.replace(path)
    with np.load(path) as kept:
        return Texts(kept["tokens"], kept["starts"])


def _weights(sources: Sequence[str], counts: Counter[str]) -> npt.NDArray[np.float64]:
    weight = np.array([counts[source] ** (SOURCE_POWER - 1) for source in sources])
    english = np.array([source == ENGLISH for source in sources])
    if english.any():
        weight[english] = weight[~english].sum() * ENGLISH_SHARE / (1 - ENGLISH_SHARE) / english.sum()
    return weight


def _teacher_vectors(
    teacher: Teacher, texts: Sequence[str], folder: Path, say: Callable[[str], object]
) -> Half:
    done = 0

    def tick(count: int) -> None:
        nonlocal done
        if done // 10_000 != (done + count) // 10_000:
            say(f"the teacher read {done + count} of {len(texts)} English texts")
        done += count

    return cached_vectors(teacher, texts, folder, tick)


def _caption_targets(captions: Sequence[Captioned], vectors: Half, place: dict[str, int]) -> Half:
    """(P, D): where each picture's English captions are on average, since they tell different things of it."""
    rows = [
        vectors[[place[text] for text in picture.en]].astype(np.float32).mean(axis=0) for picture in captions
    ]
    stacked = np.array(rows, dtype=np.float32).reshape(len(rows), vectors.shape[1])
    return np.asarray(stacked / np.linalg.norm(stacked, axis=1, keepdims=True), dtype=np.float16)


def _spelling(words: Tokenizer, first_word: int) -> dict[int, list[int]]:
    vocabulary: dict[str, int] = words.get_vocab()
    return {
        first_word + token: [first_word + vocabulary[character] for character in word]
        for word, token in vocabulary.items()
        if len(word) > 1 and all(character in vocabulary for character in word)
    }


def _saved_start(
    path: Path,
    teacher: Teacher,
    words: Tokenizer,
    pairs: Sequence[Pair],
    captions: Sequence[Captioned],
    say: Callable[[str], object],
) -> npt.NDArray[np.float32]:
    """(words + SHARED, D): the first vectors of the student's own tokens."""
    if path.exists():
        kept: npt.NDArray[np.float32] = np.load(path)
        return kept
    say("aligning words")
    english_vectors = teacher.weights["embeddings.word_embeddings.weight"].numpy()
    chinese, english = [], []
    for zh, en in _aligned_texts(pairs, captions):
        left, right = _words_and_characters(words, zh), teacher.tokenizer.encode(en).ids[1:-1]
        if left and right and len(right) <= ALIGNED_TOKENS:
            chinese.append(np.array(left, dtype=np.int64))
            english.append(np.unique(np.array(right, dtype=np.int64)))
    size = words.get_vocab_size()
    found = translations(chinese, english, words=size, english_words=len(english_vectors))
    common = np.bincount(np.concatenate(english), minlength=len(english_vectors)).astype(np.float64)
    common /= common.sum()
    start = starting_vectors(found, english_vectors, words=size, common=common)
    spread = np.random.default_rng(0).normal(0, SHARED_SPREAD, (SHARED, start.shape[1]))
    start = np.concatenate([start, start.mean(axis=0) + spread.astype(np.float32)])
    draft = path.with_suffix(".draft.npy")
    np.save(draft, start)
    draft.replace(path)
    return start


def _aligned_texts(pairs: Sequence[Pair], captions: Sequence[Captioned]) -> Iterator[tuple[str, str]]:
    for pair in pairs:
        if len(pair.zh) <= ALIGNED_CHARACTERS:
            yield pair.zh, pair.en
    for picture in captions:
        yield from zip(picture.zh, picture.en, strict=False)


def _words_and_characters(words: Tokenizer, text: str) -> list[int]:
    """Both, so that a character that only ever occurs inside words gets a translation too."""
    runs = han_runs(text)
    found: set[int | None] = {token for run in runs for token in words.encode(run).ids}
    found |= {words.token_to_id(character) for run in runs for character in run}
    return sorted(token for token in found if token is not None)
