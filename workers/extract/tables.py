"""How does a table read as text? By rows, each cell with its column's name, so that a row alone tells."""

import re
from collections.abc import Iterator, Sequence

# Rows of one block: a question is answered by a row or a few, and passages are cut between blocks.
_ROWS_PER_BLOCK = 8
# A name of a column longer than this is a sentence, and would stand before every cell.
_LONGEST_NAME = 80
# Amounts and dates, with their signs. A year may well name a column.
_NUMBER = re.compile(r"(?!(?:19|20)\d\d$)[-+$€£¥(]?\d[\d.,:/ -]*[%)]?")


def lines(rows: Sequence[Sequence[str]], *, header: bool = True) -> Iterator[str]:
    """Blocks of text for a table whose first row names the columns, if `header`.

    "Model: P-200; Pressure: 6 bar" where columns have names, "P-200 | 6 bar" where not.
    """
    cells = [[" ".join(cell.split()) for cell in row] for row in rows]
    cells = [row for row in cells if any(row)]
    if not cells:
        return
    names = cells[0] if header and len(cells) > 1 else []
    # A header that is mostly blank, or that repeats itself, names nothing.
    if sum(map(bool, names)) < 2 or len(set(names)) < len(names) / 2:
        names = []
    read = [_row(row, names) for row in (cells[1:] if names else cells)]
    for start in range(0, len(read), _ROWS_PER_BLOCK):
        yield "\n".join(read[start : start + _ROWS_PER_BLOCK])


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns, in a format that does not say: words throughout, above other things."""
    if len(rows) < 2:
        return False
    first = [cell.strip() for cell in rows[0]]
    named = [cell for cell in first if cell]
    if len(named) < 2 or any(_is_number(cell) or len(cell) > _LONGEST_NAME for cell in named):
        return False
    return len(set(named)) == len(named)


def _is_number(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell))


def _row(row: Sequence[str], names: Sequence[str]) -> str:
    if not names:
        return " | ".join(cell for cell in row if cell)
    named = (
        f"{names[at]}: {cell}" if at < len(names) and names[at] else cell
        for at, cell in enumerate(row)
        if cell
    )
    return "; ".join(named)
