"""Which fusion of words and pixels finds best? All in one table, measured on pictures that none of them learned from.

Of a folder of shards the fusions learn from one part and are measured on the other. A captioned folder is a test
collection: there each picture is fused by what was learned from the others (cross-validation), and nothing is kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval import evaluation
from retrieval.encoders.base import Encoder
from retrieval.evaluation_data import DataError
from retrieval.evaluation_runs import Run, Section, paired
from retrieval.fusion import files, matching, weighted
from retrieval.fusion.base import Fusion, FusionError, Rows
from retrieval.fusion.train import Examples, train_fusion, train_head
from workers.evaluate.examples import examples as chosen
from workers.evaluate.fusion_data import Data, encode, read
from workers.evaluate.outcome import Example, Outcome, Row, Shown, Table, rounded, row

COLUMNS = ("recall@1", "recall@5", "recall@10", "mrr", "map", "precision@5", "f1@5", "median_rank")
# Of the columns, the one that the p-value is of.
TESTED = "mrr"
# What the others are compared with: the default, which needs no training.
BASE = weighted.NAME
WORDS_ALONE, PIXELS_ALONE = "words alone", "pixels alone"
LEARNED = {kind: f"{kind}, trained" if kind == BASE else kind for kind in files.KINDS}
RERANKED = f"{BASE}, first {matching.FIRST} by the matching head"
FOLDS = 5
SEED = 0
FILE = "{}.safetensors"
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Trained:
    """What was learned from one part of the data, and `segments` (numbers) that it did not see."""

    fusions: Mapping[str, Fusion]
    head: matching.MatchingHead | None
    segments: Numbers


def evaluate_fusion(
    folder: Path,
    encoder: Encoder,
    *,
    language: str = "",
    told: float = 0.5,
    weights: Path | None = None,
    save_weights: Path | None = None,
) -> Outcome:
    """`weights`: a folder of fusions to measure instead of training; `save_weights`: where to keep what was learned.

    `told`: the share of pictures of which words are known. Raises DataError, ShardError, FusionError, TrainingError.
    """
    data = read(folder, language=language, told=told)
    if save_weights is not None and (weights is not None or not data.train):
        raise DataError(folder, None, "nothing is trained on it that could be kept: give a folder of shards")
    space = encoder.spec.key
    examples, texts = encode(data.measure, encoder)
    everything = np.arange(len(data.measure))
    if weights is not None:
        parts = [load_all(weights, space, everything)]
    elif data.train:
        parts = [train_all(encode(data.train, encoder)[0], space, everything)]
    else:
        parts = _cross_validated(examples, space)
    if save_weights is not None:
        keep(parts[0], save_weights, space)
    how = "given weights" if weights else f"trained on {len(data.train)}" if data.train else f"{FOLDS} folds"
    return _outcome(data, how, space, examples, texts, _similarities(examples, parts))


def train_all(examples: Examples, space: str, unseen: Numbers) -> Trained:
    """Each kind of fusion, and the matching head on top of the default one."""
    fusions = {LEARNED[kind]: train_fusion(kind, examples, space=space, seed=SEED) for kind in files.KINDS}
    return Trained(fusions, train_head(examples, weighted.Weighted(), seed=SEED), unseen)


def keep(trained: Trained, folder: Path, space: str) -> None:
    """One file a fusion, by the name of its kind, and one of the head."""
    folder.mkdir(parents=True, exist_ok=True)
    for fusion in trained.fusions.values():
        if isinstance(fusion, files.LearnedFusion):
            files.save_fusion(fusion, folder / FILE.format(fusion.kind))
    if trained.head is not None:
        files.save_head(trained.head, folder / FILE.format(matching.NAME), space=space)


def load_all(folder: Path, space: str, unseen: Numbers) -> Trained:
    """What `keep` wrote, or a part of it. Raises FusionError."""
    paths = {kind: folder / FILE.format(kind) for kind in files.KINDS}
    fusions = {
        LEARNED[kind]: files.load_fusion(path, space=space) for kind, path in paths.items() if path.exists()
    }
    head = folder / FILE.format(matching.NAME)
    if not fusions and not head.exists():
        expected = ", ".join(FILE.format(kind) for kind in (*files.KINDS, matching.NAME))
        raise FusionError(f"{folder} has no weights; expected one of {expected}.")
    return Trained(fusions, files.load_head(head, space=space) if head.exists() else None, unseen)


def _cross_validated(examples: Examples, space: str) -> list[Trained]:
    """For each fold what was learned from the others."""
    order = np.random.default_rng(SEED).permutation(len(examples.words))
    folds = np.array_split(order, FOLDS)
    everything = np.arange(len(order))
    return [train_all(examples.part(np.setdiff1d(everything, fold)), space, fold) for fold in folds]


def _similarities(examples: Examples, parts: Sequence[Trained]) -> dict[str, Rows]:
    """(Q, N) by name: of each question with each segment, fused by what did not see that segment."""
    base = weighted.Weighted()(examples.words, examples.pixels)
    rows = {WORDS_ALONE: examples.words, PIXELS_ALONE: examples.pixels, BASE: base}
    for name in parts[0].fusions:
        rows[name] = np.zeros_like(base)
        for part in parts:
            own = part.segments
            rows[name][own] = part.fusions[name](examples.words[own], examples.pixels[own])
    found = {name: examples.questions @ fused.T for name, fused in rows.items()}
    if all(part.head is not None for part in parts):
        found[RERANKED] = _reranked(examples, base, found[BASE], parts)
    return found


def _reranked(examples: Examples, base: Rows, similarity: Rows, parts: Sequence[Trained]) -> Rows:
    """The first ones by relevance, above all cosines, by the head that saw neither question nor its segment."""
    again = similarity.copy()
    head_of = {int(segment): part.head for part in parts for segment in part.segments}
    for question, (segment, row_) in enumerate(zip(examples.of, similarity, strict=True)):
        head = head_of[int(segment)]
        if head is not None:
            first = np.argsort(-row_, kind="stable")[: matching.FIRST]
            again[question, first] = 2 + head.relevance(examples.questions[question], base[first])
    return again


def _outcome(
    data: Data,
    how: str,
    space: str,
    examples: Examples,
    texts: Sequence[str],
    similarities: Mapping[str, Rows],
) -> Outcome:
    # Equal questions are one, and every picture that has it counts as right.
    distinct = list(dict.fromkeys(texts))
    first = {text: place for place, text in reversed(list(enumerate(texts)))}
    asked = [first[text] for text in distinct]
    place = {text: number for number, text in enumerate(distinct)}
    right = np.zeros((len(distinct), len(examples.words)))
    right[[place[text] for text in texts], examples.of] = 1
    judged = {
        name: evaluation.judge_similarities(found[asked], right) for name, found in similarities.items()
    }
    sections = {
        name: Section(tuple(distinct), evaluation.per_query(answer, any_positive=True))
        for name, answer in judged.items()
    }
    p_values = {
        name: paired(name, TESTED, sections[BASE].values[TESTED], section.values[TESTED]).p
        for name, section in sections.items()
        if name != BASE
    }
    by_chance = {
        name: float(values.mean())
        for name, values in evaluation.chance(judged[BASE], len(right[0]), any_positive=True).items()
    }
    rows = {
        name: row(name, section, columns=COLUMNS, p=p_values.get(name)) for name, section in sections.items()
    }
    known = sum(bool(picture.words) for picture in data.measure)
    table = Table(
        f"{data.name}, question → segment, {data.language}: {len(distinct)} questions, {len(data.measure)} pictures,"
        f" words known of {known}; {how}",
        (Row("chance", by_chance), *rows.values()),
        COLUMNS,
        f"p: of the difference in MRR to {BASE}, paired randomisation test.",
    )
    figures = {
        "dataset": data.name,
        "language": data.language,
        "how": how,
        "trained_on": len(data.train),
        "pictures": len(data.measure),
        "words_known_of": known,
        "questions": len(distinct),
        "image_encoder": space,
        "chance": rounded(by_chance),
        "fusions": {
            name: rounded(measured.means)
            | {"interval": {column: _bounds(found) for column, found in measured.intervals.items()}}
            | ({} if measured.p is None else {"p": round(measured.p, 5)})
            for name, measured in rows.items()
        },
    }
    run = Run("fusion", data.name, {"image_encoder": space, "how": how}, sections)
    best = max(sections, key=lambda name: rows[name].means[TESTED])
    shown = _examples(data, f"{best}: question → segment", similarities[best][asked], right, distinct)
    return Outcome(run, figures, [table], shown)


def _bounds(interval: tuple[float, float]) -> list[float]:
    return [round(bound, 4) for bound in interval]


def _examples(
    data: Data, title: str, similarity: Rows, right: npt.NDArray[np.float64], texts: Sequence[str]
) -> list[Example]:
    order = np.argsort(-similarity, axis=1, kind="stable").tolist()
    grades = [{int(place): 1.0 for place in np.flatnonzero(row_)} for row_ in right]

    def shown(place: int) -> Shown:
        picture = data.measure[place]
        return Shown(f"known: {picture.words}" if picture.words else "", picture.picture)

    return chosen(title, order, grades, lambda index: Shown(texts[index]), shown)
