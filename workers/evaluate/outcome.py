"""What does an evaluation hand over? Values a query to keep, tables to print, examples to look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from retrieval.evaluation_runs import Run, Section

# What tables show of a ranking, in this order; the JSON has every measure.
COLUMNS = ("recall@1", "recall@5", "recall@10", "mrr", "map", "median_rank")
NAMES = {"mrr": "MRR", "map": "MAP", "median_rank": "median rank", "f1@5": "F1@5", "ndcg@10": "nDCG@10"}


@dataclass(frozen=True, slots=True)
class Row:
    """One way of ranking. Means by measure; what has no interval or no p-value has none here."""

    name: str
    means: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    # Of its difference to the row that the table's note names.
    p: float | None = None


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    rows: tuple[Row, ...]
    columns: tuple[str, ...] = COLUMNS
    note: str = ""

    @property
    def has_p(self) -> bool:
        return any(row.p is not None for row in self.rows)

    @property
    def header(self) -> list[str]:
        names = [NAMES.get(column, column) for column in self.columns]
        return ["", *names, *(["p"] if self.has_p else [])]

    @property
    def cells(self) -> list[list[str]]:
        return [self._cells(row) for row in self.rows]

    def _cells(self, row: Row) -> list[str]:
        values = [_value(column, row) for column in self.columns]
        p = "" if row.p is None else "< 0.001" if row.p < 0.001 else f"{row.p:.3f}"
        return [row.name, *values, *([p] if self.has_p else [])]

    def markdown(self) -> str:
        """As documents have it: what is printed can be pasted into one."""
        lines = [_line(self.header), _line(["---"] * len(self.header)), *map(_line, self.cells)]
        return "\n".join([f"{self.title}", "", *lines, *(["", self.note] if self.note else [])])


@dataclass(frozen=True, slots=True)
class Shown:
    """A text, or a picture as the bytes of its file."""

    text: str = ""
    picture: bytes | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """One query with what it found first, and what it should have found."""

    section: str
    query: Shown
    # Best first, with whether it is right.
    found: tuple[tuple[Shown, bool], ...]
    right: Shown
    # Of the first right one; None: not among the results.
    rank: int | None

    @property
    def is_hit(self) -> bool:
        return self.rank == 1


@dataclass(frozen=True, slots=True)
class Outcome:
    run: Run
    # The command's last line.
    figures: Mapping[str, object]
    tables: Sequence[Table] = ()
    examples: Sequence[Example] = ()


def row(name: str, section: Section, *, columns: Sequence[str] = COLUMNS, p: float | None = None) -> Row:
    """The means of a section with bootstrap intervals for the columns that are means."""
    intervals = {column: section.interval(column) for column in columns if column in section.values}
    return Row(name, section.means(), intervals, p)


def chosen(count: int, of: int) -> list[int]:
    """`count` positions spread over `of`: examples are not the first ones, and the same each time."""
    return [position * of // count for position in range(count)] if of > count else list(range(of))


def rounded(means: Mapping[str, float]) -> dict[str, float | None]:
    """As JSON has it: there is no infinity in it."""
    return {name: None if value == float("inf") else round(value, 4) for name, value in means.items()}


def _value(column: str, row: Row) -> str:
    value = row.means.get(column)
    if value is None:
        return "–"
    if column == "median_rank":
        return "never" if value == float("inf") else f"{value:g}"
    bounds = row.intervals.get(column)
    return f"{value:.3f}" if bounds is None else f"{value:.3f} ({bounds[0]:.2f}–{bounds[1]:.2f})"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
