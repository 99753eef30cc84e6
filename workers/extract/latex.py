"""What does a LaTeX source say? Its sections, paragraphs, lists, tables and captions; formulas as they are written.

Own reader: pylatexenc 2.11 had not parsed either of two real papers (47 and 183 kB) after a minute each; short files
it read at once.
"""

import re
from collections.abc import Callable

from workers.extract import limits, tables
from workers.extract.assemble import Assembly, Role, one_line
from workers.extract.base import Extraction, Picture, Source
from workers.extract.latex_words import plain
from workers.extract.text import read_text

# Depths as the standard classes have them; chapters and parts exist in books only.
_SECTIONS = {"part": 1, "chapter": 1, "section": 2, "subsection": 3, "subsubsection": 4, "paragraph": 5}
_LISTS = frozenset({"itemize", "enumerate", "description", "list", "compactitem", "thebibliography"})
_TABLES = frozenset({"tabular", "tabular*", "tabularx", "longtable", "tabulary", "array"})
_FLOATS = frozenset({"figure", "figure*", "table", "table*", "wrapfigure", "SCfigure"})
_VERBATIM = frozenset({"verbatim", "verbatim*", "lstlisting", "minted", "Verbatim", "alltt"})
_FORMULAS = frozenset(
    {"equation", "align", "eqnarray", "gather", "multline", "displaymath", "math", "alignat", "flalign"}
)
_IGNORED = frozenset({"comment", "tikzpicture", "pgfpicture", "filecontents", "CCSXML"})
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%[^\n]*\n?")
_MACRO = re.compile(
    r"\\(begin|end|part|chapter|section|subsection|subsubsection|paragraph|title|item|bibitem|caption|includegraphics"
    r"|footnote|footnotetext|thanks|newcommand|renewcommand|providecommand|newenvironment|def|maketitle)\b(\*?)"
    r"|\\\[|\n[ \t]*\n\s*"
)
_END_OF_ROW = re.compile(r"\\\\(?:\[[^\]]*\])?|\\tabularnewline\b")
_RULES = re.compile(
    r"\\(?:hline|toprule|midrule|bottomrule|endhead|endfirsthead|endfoot|centering)\b|\\cline\{[^}]*\}"
)
_SPACE = re.compile(r"\s*")
# Arguments of a definition: \newcommand{\name}[2][default]{body}.
_MOST_ARGUMENTS = 6


def extract(source: Source) -> Extraction:
    assembly = Assembly(source.scratch)
    text = read_text(source, assembly)
    _Reader(text, assembly).read()
    return assembly.finish()


class _Reader:
    def __init__(self, text: str, assembly: Assembly) -> None:
        self._text = text
        self._at = 0
        self._assembly = assembly
        self._words: list[str] = []
        self._notes: list[str] = []
        self._lists = 0
        self._images: list[str] = []
        self._caption = ""
        self._environments: dict[str, Callable[[str], None]] = {
            **dict.fromkeys(_TABLES, self._table),
            **dict.fromkeys(_VERBATIM, self._code),
            **dict.fromkeys((*_FORMULAS, *(f"{name}*" for name in _FORMULAS)), self._formula),
            **dict.fromkeys(_IGNORED, self._skip),
        }

    def read(self) -> None:
        self._preamble()
        while (found := _MACRO.search(self._text, self._at)) is not None:
            self._words.append(self._without_comments(self._text[self._at : found.start()]))
            if self._is_commented(found.start()):
                end = self._text.find("\n", found.start())
                self._at = len(self._text) if end < 0 else end + 1
                continue
            self._at = found.end()
            name = found[1]
            if name:
                self._macro(name)
            elif found[0] == "\\[":
                self._words.append(self._until("\\]"))
            else:
                self._flush()
        self._words.append(self._without_comments(self._text[self._at :]))
        self._flush()
        self._images_done()

    def _preamble(self) -> None:
        """Of what stands before the document only its title is text."""
        start = self._text.find("\\begin{document}")
        title = self._text.find("\\title")
        if 0 <= title < start:
            self._at = title + len("\\title")
            self._macro("title")
        self._at = start + len("\\begin{document}") if start >= 0 else 0
        end = self._text.rfind("\\end{document}")
        if end > self._at:
            self._text = self._text[:end]

    def _macro(self, name: str) -> None:
        if name in _SECTIONS:
            self._flush()
            self._option()
            self._assembly.heading(plain(self._argument()), _SECTIONS[name])
        elif name == "begin":
            self._begin(self._argument())
        elif name == "end":
            self._end(self._argument())
        elif name in {"item", "bibitem"}:
            self._flush()
            label = self._option()
            if name == "bibitem":
                self._argument()
            elif label:
                self._words.append(label + " ")
        elif name == "caption":
            self._option()
            self._caption = one_line(plain(self._argument()))
            self._flush()
            self._assembly.add(self._caption, "caption")
        elif name == "includegraphics":
            self._option()
            self._images.append(self._argument().strip())
        elif name in {"footnote", "footnotetext"}:
            self._option()
            self._notes.append(plain(self._argument()))
        elif name == "title":
            self._option()
            self._assembly.title = one_line(plain(self._argument()))
        elif name in {"newcommand", "renewcommand", "providecommand", "newenvironment", "def"}:
            self._definition()
        elif name == "thanks":
            self._argument()

    def _begin(self, name: str) -> None:
        if (read := self._environments.get(name)) is not None:
            if name not in _FORMULAS:
                self._flush()
            read(self._until(f"\\end{{{name}}}"))
        elif name in _LISTS:
            self._flush()
            self._lists += 1
            self._option()
            if name in {"thebibliography", "list"}:
                self._argument()
        elif name == "abstract":
            self._flush()
            self._assembly.heading("Abstract", 2)
        elif name in _FLOATS:
            self._flush()
            self._option()
        else:
            self._flush()
            self._option()

    def _end(self, name: str) -> None:
        self._flush()
        if name in _LISTS:
            self._lists = max(0, self._lists - 1)
        elif name in _FLOATS:
            self._images_done()

    def _images_done(self) -> None:
        images, self._images, caption, self._caption = self._images, [], self._caption, ""
        for link in images:
            if link:
                self._assembly.figure(Picture("figure", link=link, caption=caption))

    def _flush(self) -> None:
        text, self._words = plain("".join(self._words)), []
        if any(map(str.isalnum, text)):
            role: Role = "list" if self._lists else "paragraph"
            self._assembly.add(one_line(text), role)
        notes, self._notes = self._notes, []
        for note in notes:
            self._assembly.add(one_line(note), "note")

    def _table(self, content: str) -> None:
        content = _RULES.sub(" ", self._without_comments(_after_arguments(content)))
        rows = [
            [one_line(plain(cell)) for cell in re.split(r"(?<!\\)&", row)]
            for row in _END_OF_ROW.split(content)
        ]
        rows = [row for row in rows if any(row)]
        for block in tables.lines(rows, header=tables.has_header(rows)):
            self._assembly.add(block, "table")

    def _code(self, content: str) -> None:
        self._assembly.add(content, "code")

    def _formula(self, content: str) -> None:
        self._words.append(f" ${self._without_comments(content)}$ ")

    def _skip(self, _content: str) -> None:
        return

    def _definition(self) -> None:
        """Past a definition: macros are not expanded, so that none can grow."""
        name = re.compile(r"\s*\\[A-Za-z@]+[#\d]*").match(self._text, self._at)
        if name:
            self._at = name.end()
        for _ in range(_MOST_ARGUMENTS):
            start = _end(_SPACE, self._text, self._at)
            if self._text[start : start + 1] == "[":
                self._option()
            elif self._text[start : start + 1] == "{":
                self._argument()
            else:
                return

    def _option(self) -> str:
        return self._bracketed("[", "]")

    def _argument(self) -> str:
        return self._bracketed("{", "}")

    def _bracketed(self, opening: str, closing: str) -> str:
        """What stands in brackets right here; empty, and nothing is passed over, when there are none."""
        start = _end(_SPACE, self._text, self._at)
        if self._text[start : start + 1] != opening:
            return ""
        end = _closing(self._text, start, opening, closing)
        self._at = min(end + 1, len(self._text))
        return self._without_comments(self._text[start + 1 : end])

    def _until(self, mark: str) -> str:
        end = self._text.find(mark, self._at)
        end = len(self._text) if end < 0 else end
        found = self._text[self._at : end]
        self._at = end + len(mark)
        return found

    def _is_commented(self, at: int) -> bool:
        line = self._text[self._text.rfind("\n", 0, at) + 1 : at]
        return bool(re.search(r"(?<!\\)(?:\\\\)*%", line)) and not self._text[at].isspace()

    def _without_comments(self, text: str) -> str:
        return _COMMENT.sub(r"\1", text + "\n")[: len(text) + 1] if "%" in text else text


def _after_arguments(content: str) -> str:
    """The rows of a table, without its options and columns."""
    at = 0
    for _ in range(_MOST_ARGUMENTS):
        start = _end(_SPACE, content, at)
        pair = {"[": "]", "{": "}"}.get(content[start : start + 1])
        if pair is None:
            return content[at:]
        at = _closing(content, start, content[start], pair) + 1
    return content[at:]


def _closing(text: str, start: int, opening: str, closing: str) -> int:
    """Where the bracket at `start` closes; the cap on an argument, or the end, when it does not."""
    depth = 0
    stop = min(len(text), start + limits.MAX_LATEX_ARGUMENT)
    at = start
    while at < stop:
        character = text[at]
        if character == "\\":
            at += 1
        elif character == opening:
            depth += 1
        elif character == closing:
            depth -= 1
            if not depth:
                return at
        at += 1
    return stop


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at
