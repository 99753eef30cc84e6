"""Which queries are worth looking at? Some that found the right thing first, and some that did not."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workers.evaluate.outcome import Example, Shown, chosen

# Of each kind, a section: a screenful.
EACH = 6
# Results shown with a query.
FIRST = 5


def examples(
    section: str,
    rankings: Sequence[Sequence[Any]],
    right: Sequence[Mapping[Any, float]],
    query: Callable[[int], Shown],
    result: Callable[[Any], Shown],
) -> list[Example]:
    """Hits and misses of one section, spread over its queries. `rankings[i]`: what query i found, best first.

    `result` shows what a ranking or a judgement names.
    """
    found = [
        next((place for place, key in enumerate(ranking, start=1) if grades.get(key, 0) > 0), None)
        for ranking, grades in zip(rankings, right, strict=True)
    ]
    hits = [index for index, rank in enumerate(found) if rank == 1]
    misses = [index for index, rank in enumerate(found) if rank != 1]
    return [
        Example(
            section,
            query(index),
            tuple((result(key), right[index].get(key, 0) > 0) for key in rankings[index][:FIRST]),
            result(next(key for key, grade in right[index].items() if grade > 0)),
            found[index],
        )
        for group in (hits, misses)
        for index in (group[position] for position in chosen(EACH, len(group)))
    ]
