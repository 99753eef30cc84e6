"""Is one way of searching better than another? Runs with a value for each query, kept in a file and compared.

Means alone cannot say: two runs differ by chance, too. The values of each query, in both runs, can.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.evaluation import (
    Numbers,
    bootstrap_interval,
    difference_interval,
    paired_randomisation_test,
)

# Raised when a run of before would be read differently.
FORMAT = 1
# Of no mean: a rank may be infinite.
RANK = "rank"
# Enough to see what got better; each of a dozen measures would be significant by chance now and then.
COMPARED = ("recall@1", "recall@10", "precision@5", "mrr", "map", "ndcg@10")


class RunError(Exception):
    """A run cannot be read, or two runs have nothing in common. The message says which and why."""


@dataclass(frozen=True, slots=True)
class Section:
    """One ranking of one set of queries: values (Q,) by measure, in the order of `keys`."""

    keys: tuple[str, ...]
    values: Mapping[str, Numbers]

    def means(self) -> dict[str, float]:
        """By measure, and the median of the first relevant result's rank."""
        means = {name: float(values.mean()) for name, values in self.values.items() if name != RANK}
        if RANK in self.values:
            means["median_rank"] = float(np.sort(self.values[RANK])[(len(self.keys) - 1) // 2])
        return means

    def interval(self, measure: str) -> tuple[float, float]:
        return bootstrap_interval(self.values[measure])


@dataclass(frozen=True, slots=True)
class Run:
    """What one evaluation measured."""

    kind: str
    dataset: str
    # What made it what it is: profile, encoders, fusion.
    settings: Mapping[str, str] = field(default_factory=dict)
    sections: Mapping[str, Section] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """Second run less first, of one measure in one section."""

    section: str
    measure: str
    first: float
    second: float
    low: float
    high: float
    p: float

    @property
    def difference(self) -> float:
        return self.second - self.first


@dataclass(frozen=True, slots=True)
class Comparison:
    differences: tuple[Difference, ...]
    # Sections, and queries of common sections, that only one of the two runs has.
    only_in_one: tuple[str, ...]
    unpaired_queries: int


def save(run: Run, path: Path) -> None:
    sections = {
        name: {
            "keys": list(section.keys),
            "values": {measure: _plain(values) for measure, values in section.values.items()},
        }
        for name, section in run.sections.items()
    }
    written = {"format": FORMAT, "kind": run.kind, "dataset": run.dataset, "settings": dict(run.settings)}
    path.write_text(json.dumps(written | {"sections": sections}, ensure_ascii=False), encoding="utf-8")


def load(path: Path) -> Run:
    """Raises RunError."""
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(read, dict) or read.get("format") != FORMAT:
            raise RunError(f"{path} is no run that this version saved: make it anew with --save.")
        sections = {name: _section(path, name, fields) for name, fields in read["sections"].items()}
        return Run(str(read["kind"]), str(read["dataset"]), dict(read["settings"]), sections)
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{path} is no run: make it anew with --save.") from error


def compare(first: Run, second: Run, *, measures: Sequence[str] = COMPARED) -> Comparison:
    """Each measure in each section that both have, over the queries that both have. Raises RunError for none."""
    differences: list[Difference] = []
    unpaired = 0
    for name, before in first.sections.items():
        after = second.sections.get(name)
        if after is None:
            continue
        places = {key: index for index, key in enumerate(after.keys)}
        here = [index for index, key in enumerate(before.keys) if key in places]
        there = [places[before.keys[index]] for index in here]
        unpaired += len(before.keys) + len(after.keys) - 2 * len(here)
        for measure in measures:
            if here and measure in before.values and measure in after.values:
                differences.append(
                    paired(name, measure, before.values[measure][here], after.values[measure][there])
                )
    if not differences:
        raise RunError("The two runs have no query in common: compare runs of one data set.")
    only = sorted(first.sections.keys() ^ second.sections.keys())
    return Comparison(tuple(differences), tuple(only), unpaired)


def paired(section: str, measure: str, first: Numbers, second: Numbers) -> Difference:
    """Of values (Q,) of the same queries, in the same order."""
    low, high = difference_interval(first, second)
    p = paired_randomisation_test(first, second)
    return Difference(section, measure, float(first.mean()), float(second.mean()), low, high, p)


def _plain(values: Numbers) -> list[float | None]:
    """JSON has no infinity: what was never found has no rank."""
    return [round(value, 6) if math.isfinite(value) else None for value in values.tolist()]


def _section(path: Path, name: str, fields: Mapping[str, Any]) -> Section:
    keys = tuple(map(str, fields["keys"]))
    values = {
        measure: np.array([math.inf if value is None else float(value) for value in row], dtype=np.float64)
        for measure, row in fields["values"].items()
    }
    if len(set(keys)) != len(keys) or any(len(row) != len(keys) for row in values.values()) or not keys:
        raise RunError(f"{path}: the section {name!r} has not one value for each query: make it anew.")
    return Section(keys, values)
