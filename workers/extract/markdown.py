"""What does a Markdown file say? Its headings, text, lists, tables and code, and the figures it links to."""

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from workers.extract import html, tables
from workers.extract.assemble import Assembly, Role
from workers.extract.base import Extraction, Source
from workers.extract.figures import add_image
from workers.extract.text import add_paragraphs, read_text

_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?\n)(?:---|\.\.\.)[ \t]*(?:\n|$)", re.DOTALL)
# `title: words`, quoted or not. A YAML parser would bring anchors, tags and their bombs for one line.
_TITLE = re.compile(r"^title:[ \t]*(?:\"(.*)\"|'(.*)'|(.*?))[ \t]*$", re.MULTILINE | re.IGNORECASE)
_IMG = re.compile(r"<img\b[^>]*>", re.IGNORECASE)


def extract(source: Source) -> Extraction:
    assembly = Assembly(source.scratch)
    text = read_text(source, assembly)
    front = _FRONT_MATTER.match(text)
    if front:
        text = text[front.end() :]
        if title := _TITLE.search(front[1]):
            assembly.title = next((group for group in title.groups() if group), "")
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    _walk(tokens, assembly)
    if assembly.empty:
        # Nothing but link definitions, or nested deeper than the parser goes: what is written is what it says.
        add_paragraphs(text, assembly)
    return assembly.finish()


def _walk(tokens: Sequence[Token], assembly: Assembly) -> None:
    lists = quotes = 0
    level = 0
    row: list[str] = []
    rows: list[list[str]] | None = None
    for token in tokens:
        match token.type:
            case "heading_open":
                level = int(token.tag[1:])
            case "heading_close":
                level = 0
            case "bullet_list_open" | "ordered_list_open":
                lists += 1
            case "bullet_list_close" | "ordered_list_close":
                lists -= 1
            case "blockquote_open":
                quotes += 1
            case "blockquote_close":
                quotes -= 1
            case "table_open":
                rows = []
            case "tr_open":
                row = []
            case "tr_close":
                if rows is not None:
                    rows.append(row)
            case "table_close":
                for line in tables.lines(rows or []):
                    assembly.add(line, "table")
                rows = None
            case "fence" | "code_block":
                assembly.add(token.content, "code")
            case "html_block":
                html.add_fragment(token.content, assembly)
            case "inline":
                words = _words(token)
                if rows is not None:
                    row.append(words)
                elif level:
                    if level == 1 and not assembly.title:
                        assembly.title = words
                    assembly.heading(words, level)
                else:
                    role: Role = "list" if lists else "note" if quotes else "paragraph"
                    assembly.add(words, role)
                _figures(token, assembly)


def _words(token: Token) -> str:
    parts = []
    for child in token.children or ():
        if child.type in {"text", "code_inline"}:
            parts.append(child.content)
        elif child.type in {"softbreak", "hardbreak"} or child.content.lower().startswith("<br"):
            parts.append("\n")
    return "".join(parts)


def _figures(token: Token, assembly: Assembly) -> None:
    for child in token.children or ():
        if child.type == "image":
            link, title = str(child.attrs.get("src", "")), str(child.attrs.get("title", ""))
            add_image(link, alt=_alt(child), caption=title, assembly=assembly)
        elif child.type == "html_inline" and _IMG.match(child.content):
            html.add_fragment(child.content, assembly)


def _alt(image: Token) -> str:
    return " ".join(_words(image).split())
