"""Where does a page lead, and what does a sitemap list? Read by parsers that neither load nor expand anything.

Pages come from anybody, and this runs outside the parsers' sandbox: so no tree is built, and every expression below
takes a time in proportion to its text, whatever the text is.
"""

import re
import xml.parsers.expat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urljoin, urlsplit, urlunsplit

# Of one page: what has more is an index that a sitemap would serve better.
MOST_LINKS = 2000
# The sitemap protocol's own limits for one file.
MOST_SITEMAP_URLS = 50_000
MOST_SITEMAP_BYTES = 50 * 1024**2
# Of SourceEntry.uri.
LONGEST_URL = 1000
_DEFAULT_PORTS = {"http": 80, "https": 443}
# A comment, what a browser takes for no markup, or a tag that leads somewhere or says who may follow.
_MARKUP = re.compile(
    r"<(?:(!--)|(script|style|textarea|title)\b|(a|area|base|meta)\b([^<>]*+)>)", re.IGNORECASE
)
_ATTRIBUTE = re.compile(r"""(?<![\w-])([\w-]++)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"']++))""", re.ASCII)


@dataclass
class Page:
    """What a page says to those who follow it."""

    links: list[str] = field(default_factory=list)
    may_index: bool = True
    may_follow: bool = True


class SitemapError(ValueError):
    """This is no sitemap."""


def read_page(content: bytes, url: str, charset: str = "") -> Page:
    """The links of an HTML page, absolute and normal, in order and once each."""
    try:
        text = content.decode(charset or "utf-8", errors="replace")
    except LookupError:
        text = content.decode("utf-8", errors="replace")
    page, base, found = Page(), url, []
    for tag, values in _tags(text):
        if tag == "base":
            base = normal(values.get("href", ""), base) or base
        elif tag == "meta":
            if values.get("name", "").lower() == "robots":
                said = values.get("content", "").lower()
                page.may_index &= "noindex" not in said and "none" not in said
                page.may_follow &= "nofollow" not in said and "none" not in said
        elif values.get("href") and "nofollow" not in values.get("rel", "").lower():
            found.append(normal(values["href"], base))
    if page.may_follow:
        page.links = [link for link in dict.fromkeys(found) if link][:MOST_LINKS]
    return page


def _tags(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    lower, at = text.lower(), 0
    while match := _MARKUP.search(text, at):
        at = match.end()
        if match[3]:
            values = {name.lower(): unescape(a or b or c) for name, a, b, c in _ATTRIBUTE.findall(match[4])}
            yield match[3].lower(), values
            continue
        at = lower.find("-->" if match[1] else f"</{match[2].lower()}", at)
        if at < 0:
            return


def normal(url: str, base: str = "") -> str:
    """`url` in the form by which it is compared; empty when it is none that could be fetched."""
    try:
        parts = urlsplit(urljoin(base, url.strip()))
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if port is not None and port != _DEFAULT_PORTS[parts.scheme]:
        host += f":{port}"
    found = urlunsplit((parts.scheme, host, parts.path or "/", parts.query, ""))
    return found if len(found) <= LONGEST_URL and found.isprintable() else ""


def read_sitemap(content: bytes) -> tuple[list[str], list[str]]:
    """The pages and the further sitemaps that it lists. Raises SitemapError."""
    if content.startswith(b"\x1f\x8b"):
        content = _unpacked(content)
    pages: list[str] = []
    sitemaps: list[str] = []
    path: list[str] = []
    words: list[str] = []

    def start(name: str, _: object) -> None:
        path.append(name.rpartition(":")[2].lower())
        if len(path) == 1 and path[0] not in ("urlset", "sitemapindex"):
            raise SitemapError("It has neither pages nor further sitemaps.")
        words.clear()

    def end(_: str) -> None:
        if path[-2:] in (["url", "loc"], ["sitemap", "loc"]):
            (pages if path[-2] == "url" else sitemaps).append("".join(words).strip())
            if len(pages) + len(sitemaps) > MOST_SITEMAP_URLS:
                raise SitemapError(f"It lists more than {MOST_SITEMAP_URLS} addresses.")
        path.pop()
        words.clear()

    def refuse(*_: object) -> None:
        # No sitemap needs a document type; entity bombs and external entities do.
        raise SitemapError("It has a document type.")

    parser = xml.parsers.expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = words.append
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except xml.parsers.expat.ExpatError as error:
        raise SitemapError(f"It is not well-formed: {error}.") from error
    return pages, sitemaps


def _unpacked(content: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        found = unpacker.decompress(content, MOST_SITEMAP_BYTES)
    except zlib.error as error:
        raise SitemapError("It is packed and damaged.") from error
    if unpacker.unconsumed_tail:
        raise SitemapError(f"It unpacks to more than {MOST_SITEMAP_BYTES} bytes.")
    return found
