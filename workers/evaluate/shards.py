"""How well does an encoder know pictures that it was not trained on? Held-out shards, without a database.

Label to picture and back, among the pictures and labels of one source; sentence to picture and back, among those of one
source, and of one kind of sentence. Labels are asked for as they stand: people do not type "a photo of a".
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval.encoders.base import Encoder, Vectors
from retrieval.evaluation_runs import Run, Section
from retrieval.training.shards import Sample, read_shard
from workers.evaluate.examples import examples
from workers.evaluate.outcome import Example, Outcome, Shown, Table
from workers.evaluate.pairs import Found, find, picture_rows, text_rows

# precision@5 of a label with fewer pictures could not reach 1.
PICTURES_OF_A_LABEL = 5
# Fewer in a group, and its figures are chance.
PICTURES_OF_A_GROUP = 20
LABEL_COLUMNS = ("precision@5", "recall@10", "mrr", "map")
PICTURE_COLUMNS = ("accuracy@1", "recall@5", "mrr", "median_rank")
SENTENCE_COLUMNS = ("recall@1", "recall@5", "recall@10", "mrr", "median_rank")
ALL = "all sources"
Grades = npt.NDArray[np.float64]


@dataclass(slots=True)
class Figures:
    """What is measured, as it grows."""

    figures: dict[str, dict[str, object]] = field(default_factory=dict)
    sections: dict[str, Section] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)

    def add(self, name: str, title: str, columns: Sequence[str], found: dict[str, Found]) -> None:
        if found:
            self.figures[name] = {group: answer.figures() for group, answer in found.items()}
            self.sections |= {f"{name}/{group}": answer.section for group, answer in found.items()}
            rows = tuple(answer.row(group, columns) for group, answer in found.items())
            self.tables.append(Table(title, rows, tuple(columns)))

    def show(
        self, section: str, found: Found, query: Callable[[int], Shown], result: Callable[[int], Shown]
    ) -> None:
        right = [{int(place): 1.0 for place in np.flatnonzero(row)} for row in found.right]
        self.examples += examples(section, found.order.tolist(), right, query, result)


@dataclass(frozen=True, slots=True)
class Pictures:
    """N samples with their unit rows (N, D)."""

    samples: Sequence[Sample]
    names: Sequence[str]
    rows: Vectors

    def where(self, wanted: Callable[[Sample], bool]) -> "Pictures":
        places = [place for place, sample in enumerate(self.samples) if wanted(sample)]
        return Pictures(
            [self.samples[place] for place in places],
            [self.names[place] for place in places],
            self.rows[places],
        )

    def shown(self) -> Callable[[int], Shown]:
        return lambda place: Shown(picture=self.samples[place].picture)

    def __len__(self) -> int:
        return len(self.samples)


def evaluate_shards(shards: Sequence[Path], encoder: Encoder) -> Outcome:
    """`encoder` reads words and pictures. Raises ShardError."""
    samples = [(shard, sample) for shard in shards for sample in read_shard(shard)]
    pictures = Pictures(
        [sample for _, sample in samples],
        [f"{shard.name.split('.')[0]}/{sample.key}" for shard, sample in samples],
        picture_rows(encoder, [sample.picture for _, sample in samples]),
    )
    vectors = _Texts(encoder, _texts(pictures.samples))
    found = Figures()
    _labels(pictures, vectors, found)
    for language in ("en", "zh"):
        _sentences(pictures, vectors, language, found)
    names = [shard.name for shard in shards]
    settings = {"image_encoder": encoder.spec.key}
    return Outcome(
        Run("shards", "+".join(names), settings, found.sections),
        {"shards": names, "pictures": len(pictures), **settings, **found.figures},
        found.tables,
        found.examples,
    )


class _Texts:
    """Vectors of all texts, each encoded once."""

    def __init__(self, encoder: Encoder, texts: Iterable[str]) -> None:
        distinct = sorted(set(texts))
        self._place = {text: place for place, text in enumerate(distinct)}
        self._rows = text_rows(encoder, distinct)

    def __call__(self, texts: Sequence[str]) -> Vectors:
        return self._rows[[self._place[text] for text in texts]]


def _texts(samples: Iterable[Sample]) -> Iterable[str]:
    for sample in samples:
        yield from (*sample.captions, *sample.captions_zh, *([sample.label] if sample.label else []))


def _labels(pictures: Pictures, vectors: _Texts, found: Figures) -> None:
    labelled = pictures.where(lambda sample: sample.label is not None)
    to_image: dict[str, Found] = {}
    among_all: dict[str, Found] = {}
    to_label: dict[str, Found] = {}
    for source in _groups(labelled, lambda sample: sample.source):
        own = labelled.where(lambda sample, source=source: sample.source == source)  # type: ignore[misc]
        counts = Counter(str(sample.label) for sample in own.samples)
        labels = sorted(counts)
        large = [label for label in labels if counts[label] >= PICTURES_OF_A_LABEL]
        if len(labels) > 1:
            to_label[source] = find(own.rows, vectors(labels), _is_label(own, labels).T, own.names)
            found.show(f"{source}: picture → label", to_label[source], own.shown(), _text(labels))
        if len(labels) > 1 and large:
            to_image[source] = _by_label(vectors, large, own)
            found.show(f"{source}: label → picture", to_image[source], _text(large), own.shown())
        if large:
            # A label may stand for pictures of other sources, too: all of them are right.
            among_all[source] = _by_label(vectors, large, labelled)
    found.add("label_to_image", "Label → picture, among the source's own pictures", LABEL_COLUMNS, to_image)
    found.add("label_among_all", "Label → picture, among all labelled pictures", LABEL_COLUMNS, among_all)
    found.add("image_to_label", "Picture → label, among the source's own labels", PICTURE_COLUMNS, to_label)


def _by_label(vectors: _Texts, labels: Sequence[str], pictures: Pictures) -> Found:
    return find(vectors(labels), pictures.rows, _is_label(pictures, labels), labels, any_positive=False)


def _is_label(pictures: Pictures, labels: Sequence[str]) -> Grades:
    """(L, N)"""
    of = np.array([str(sample.label) for sample in pictures.samples])
    return np.asarray(np.array(labels)[:, None] == of[None, :], dtype=np.float64)


def _sentences(pictures: Pictures, vectors: _Texts, language: str, found: Figures) -> None:
    told = pictures.where(lambda sample: bool(_in(language, sample)))
    to_image: dict[str, Found] = {}
    to_text: dict[str, Found] = {}
    groups = {ALL: told}
    for source in _groups(told, lambda sample: sample.source):
        groups[source] = told.where(lambda sample, source=source: sample.source == source)  # type: ignore[misc]
    for kind in _groups(told, _kind):
        groups[f"kind: {kind}"] = told.where(lambda sample, kind=kind: _kind(sample) == kind)  # type: ignore[misc]
    for name, group in groups.items():
        if len(group) < PICTURES_OF_A_GROUP:
            continue
        texts = sorted({text for sample in group.samples for text in _in(language, sample)})
        has = _has_text(group, texts, language)
        to_image[name] = find(vectors(texts), group.rows, has, texts)
        to_text[name] = find(group.rows, vectors(texts), has.T, group.names)
        if name != ALL and not name.startswith("kind"):
            found.show(f"{name}: sentence → picture, {language}", to_image[name], _text(texts), group.shown())
    found.add(f"text_to_image/{language}", f"Sentence → picture, {language}", SENTENCE_COLUMNS, to_image)
    found.add(f"image_to_text/{language}", f"Picture → sentence, {language}", SENTENCE_COLUMNS, to_text)


def _has_text(pictures: Pictures, texts: Sequence[str], language: str) -> Grades:
    """(T, N)"""
    place = {text: row for row, text in enumerate(texts)}
    has = np.zeros((len(texts), len(pictures)))
    for column, sample in enumerate(pictures.samples):
        has[[place[text] for text in _in(language, sample)], column] = 1.0
    return has


def _in(language: str, sample: Sample) -> tuple[str, ...]:
    return sample.captions_zh if language == "zh" else sample.captions


def _kind(sample: Sample) -> str:
    return str(sample.meta.get("caption_kind") or "not said")


def _groups(pictures: Pictures, of: Callable[[Sample], str]) -> list[str]:
    """The groups that are large enough to say something."""
    sizes = Counter(of(sample) for sample in pictures.samples)
    return sorted(name for name, size in sizes.items() if size >= PICTURES_OF_A_GROUP)


def _text(texts: Sequence[str]) -> Callable[[int], Shown]:
    return lambda place: Shown(texts[place])
