"""How does a sheet of cells read? Its regions one by one, headed by the sheet's name; a sheet is a page."""

from collections.abc import Iterable, Sequence

from workers.extract import limits, tables
from workers.extract.assemble import Assembly


class Sheets:
    """Takes in the sheets of one file, and stops at the caps on rows and cells."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly
        self._cells = 0

    def add(self, name: str, page: int | None, rows: Iterable[Sequence[str]]) -> None:
        if name:
            self._assembly.heading(name, 1, page)
        region: list[list[str]] = []
        taken = 0
        for row in rows:
            cells = [cell.strip() for cell in row[: limits.MAX_COLUMNS]]
            filled = sum(map(bool, cells))
            if not filled:
                self._region(region, page)
                region = []
                continue
            taken += 1
            self._cells += filled
            if taken > limits.MAX_ROWS or self._cells > limits.MAX_CELLS:
                where = f"of sheet {name} " if name else ""
                message = f"Only the first {taken - 1} rows {where}are searchable."
                self._assembly.warn("text_capped", message)
                break
            region.append(cells)
        self._region(region, page)

    def _region(self, rows: list[list[str]], page: int | None) -> None:
        """A region is what blank rows set apart: lines of text, such as a title, and below them a table."""
        start = 0
        while start < len(rows) and sum(map(bool, rows[start])) == 1:
            self._assembly.add(next(cell for cell in rows[start] if cell), page=page)
            start += 1
        table = rows[start:]
        for block in tables.lines(table, header=tables.has_header(table)):
            self._assembly.add(block, "table", page)
