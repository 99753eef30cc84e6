"""What does a JSON file say? Each value behind the path to it: `order.items[2].name: Gasket`. JSON Lines, too."""

import json
from collections.abc import Iterator
from typing import Any

from workers.extract import limits
from workers.extract.assemble import Assembly, one_line
from workers.extract.base import Extraction, ExtractionError, Source
from workers.extract.text import read_text

# Lines of one block: passages are cut between blocks.
_LINES_PER_BLOCK = 8
# A record as one line, `name: Pump; pressure: 6 bar`, reads well up to here.
_RECORD_CHARACTERS = 600
_TITLES = ("title", "name")


def extract(source: Source) -> Extraction:
    assembly = Assembly(source.scratch)
    text = read_text(source, assembly)
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        _add_lines(text, assembly)
    else:
        if isinstance(value, dict):
            assembly.title = next((value[key] for key in _TITLES if isinstance(value.get(key), str)), "")
        _add(value, assembly)
    return assembly.finish()


def _add_lines(text: str, assembly: Assembly) -> None:
    """One record a line; what is no JSON after all is still text."""
    damaged = False
    for line in text.splitlines():
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except json.JSONDecodeError:
            damaged = True
            assembly.add(line)
            continue
        for block in _blocks([value] if isinstance(value, dict) else value):
            assembly.add(block, "list")
    if damaged:
        assembly.warn("corrupt", "The file is not valid JSON; it was read as plain text.")


def _add(value: Any, assembly: Assembly) -> None:
    for block in _blocks(value):
        assembly.add(block, "list")


def _blocks(value: Any) -> Iterator[str]:
    """Records of a list as blocks of their own; everything else line by line, some lines a block."""
    lines: list[str] = []
    for count, (line, is_record) in enumerate(_lines(value)):
        if count >= limits.MAX_NODES:
            raise ExtractionError("output_limit")
        if is_record or len(lines) >= _LINES_PER_BLOCK:
            if lines:
                yield "\n".join(lines)
            lines = []
        if is_record:
            yield line
        else:
            lines.append(line)
    if lines:
        yield "\n".join(lines)


def _lines(value: Any) -> Iterator[tuple[str, bool]]:
    """Without recursion, in the file's order. A small object inside a list is one line, its fields beside it."""
    stack: list[tuple[str, Any, bool]] = [("", value, False)]
    while stack:
        path, item, in_list = stack.pop()
        if isinstance(item, dict):
            record = _record(item) if in_list else ""
            if record:
                yield record, True
                continue
            stack.extend((f"{path}.{key}" if path else key, item[key], False) for key in reversed(item))
        elif isinstance(item, list):
            if item and all(not isinstance(entry, dict | list) for entry in item):
                words = ", ".join(shown for entry in item if (shown := _shown(entry)))
                if words:
                    yield (f"{path}: {words}" if path else words), False
                continue
            stack.extend((f"{path}[{at}]", item[at], True) for at in range(len(item) - 1, -1, -1))
        else:
            words = _shown(item)
            if words:
                yield (f"{path}: {words}" if path else words), False


def _record(item: dict[str, Any]) -> str:
    """The object as one line; empty when it is nested or long."""
    if any(isinstance(entry, dict | list) for entry in item.values()):
        return ""
    line = "; ".join(f"{key}: {shown}" for key, entry in item.items() if (shown := one_line(_shown(entry))))
    return line if len(line) <= _RECORD_CHARACTERS else ""


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.strip() if isinstance(value, str) else str(value)
