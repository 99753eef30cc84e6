"""What is on a website? The pages of its sitemap, or those that links lead to, on the one host and as it allows.

A page that the server says is unchanged is not sent again; its links are remembered from the last time.
"""

import hashlib
import io
import mimetypes
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import BinaryIO
from urllib.parse import unquote, urljoin, urlsplit
from urllib.robotparser import RobotFileParser

from django.conf import settings as site_settings

from kb import media_types
from kb.source_settings import WebsiteSettings
from workers.connectors import links
from workers.connectors.base import ConnectorError, Entry, Known
from workers.connectors.fetch import AGENT, Answer, FetchError, fetch

# A file of the largest size that is taken in, from a slow server.
MOST_S = 600.0
# What says how to walk the site is small; this is the limit that RFC 9309 asks crawlers to read at least, doubled.
_MOST_ROBOTS_BYTES = 1024**2
# Larger pages are taken in like any file, but no links are looked for in them.
_MOST_PAGE_BYTES = 10 * 1024**2
# A site that wants more time between two requests than this wants no crawler.
_LONGEST_CRAWL_DELAY_S = 60.0
# Sitemaps of one index.
_MOST_SITEMAPS = 500
_HTML = {"text/html", "application/xhtml+xml"}

# Gives entries, and at its end where they lead: (address, steps away from the start).
_Visit = Generator[Entry, None, list[tuple[str, int]]]


class WebsiteConnector:
    def __init__(self, settings: WebsiteSettings) -> None:
        self._settings = settings
        self._start = links.normal(settings.url)
        self._site = _site(self._start)
        self._robots = RobotFileParser()
        self._delay_s = settings.delay_s
        self._asked_at = float("-inf")
        # Whether everything there is to see was seen: else what was not seen may still be there.
        self._complete = True
        self._gone: set[str] = set()
        self.problems: list[str] = []

    def entries(self, known: Mapping[str, Known]) -> Iterator[Entry]:
        self._read_robots()
        if self._settings.sitemap:
            waiting = deque((url, self._settings.max_depth) for url in self._sitemap_urls())
        else:
            waiting = deque([(self._start, 0)])
        queued = {url for url, _ in waiting}
        visits = 0
        while waiting:
            url, depth = waiting.popleft()
            if not self._may_fetch(url):
                continue
            if visits == self._settings.max_pages:
                self._complete = False
                self.problems.append(
                    f"There are more than {visits} pages; `max_pages` says how many are read."
                )
                return
            visits += 1
            found = yield from self._visit(url, known.get(url))
            # A redirect within the site is no step away from the start.
            for link, step in found:
                if link not in queued and depth + step <= self._settings.max_depth:
                    queued.add(link)
                    waiting.append((link, depth + step))

    def is_gone(self, uri: str) -> bool:
        return self._complete or uri in self._gone

    def _visit(self, url: str, known: Known | None) -> _Visit:
        """The page, if it is one to take in."""
        self._wait()
        try:
            with fetch(
                url,
                most_bytes=site_settings.KB_MAX_UPLOAD_BYTES + 1,  # Which the upload then refuses by name.
                most_s=MOST_S,
                headers={"User-Agent": AGENT, **_validators(known)},
                redirects=0,
            ) as answer:
                return (yield from self._take(url, answer, known))
        except FetchError as error:
            if url == self._start and not self._settings.sitemap:
                raise ConnectorError(f"{url}: {error}") from error
            self._miss(url, str(error))
            return []

    def _take(self, url: str, answer: Answer, known: Known | None) -> _Visit:
        status = answer.status
        if status == 304 and known is not None:
            yield Entry(url, known.fingerprint, lambda: _held(b""), known.links)
            return self._steps(known.links)
        if status in (301, 302, 303, 307, 308):
            self._gone.add(url)  # The address has no content of its own any more.
            target = links.normal(urljoin(url, answer.headers.get("Location", "")))
            if url == self._start and _site(target) != self._site:
                raise ConnectorError(f"{url} leads to {target or 'nowhere'}. Make a source of that address.")
            return [(target, 0)] if target else []
        if status in (404, 410):
            self._gone.add(url)
        elif status != 200:
            self._miss(url, f"the server answered with status {status}")
        if status != 200:
            if url == self._start and not self._settings.sitemap:
                raise ConnectorError(f"{url}: the server answered with status {status}.")
            return []
        if answer.media_type in _HTML:
            return (yield from self._take_page(url, answer))
        if _is_supported(url, answer.media_type):
            yield Entry(url, _fingerprint(answer), lambda: _streamed(answer))
        return []

    def _take_page(self, url: str, answer: Answer) -> _Visit:
        content = answer.read(_MOST_PAGE_BYTES)
        while len(content) < _MOST_PAGE_BYTES and (more := answer.read(_MOST_PAGE_BYTES - len(content))):
            content += more
        if len(content) == _MOST_PAGE_BYTES:
            self._miss(url, "the page is too large to follow its links")
            yield Entry(url, _fingerprint(answer), lambda: _streamed(answer, content))
            return []
        page = links.read_page(content, url, answer.headers.get_content_charset() or "")
        if page.may_index:
            fingerprint = _fingerprint(answer) or f"sha256 {hashlib.sha256(content).hexdigest()}"
            yield Entry(url, fingerprint, lambda: _held(content), page.links, len(content))
        else:
            self._gone.add(url)
        return self._steps(page.links)

    def _steps(self, found: Iterable[str]) -> list[tuple[str, int]]:
        return [] if self._settings.sitemap else [(link, 1) for link in found]

    def _miss(self, url: str, reason: str) -> None:
        """What lies behind this page is not seen either."""
        self._complete = False
        self.problems.append(f"{url}: {reason}")

    def _may_fetch(self, url: str) -> bool:
        return (
            _site(url) == self._site
            and unquote(urlsplit(url).path).startswith(self._settings.path_prefix)
            and self._robots.can_fetch(AGENT, url)
        )

    def _wait(self) -> None:
        left = self._asked_at + self._delay_s - monotonic()
        if left > 0:
            time.sleep(left)
        self._asked_at = monotonic()

    def _read_robots(self) -> None:
        """RFC 9309: no file allows everything; a server that fails allows nothing."""
        url = urljoin(self._start, "/robots.txt")
        try:
            with fetch(url, most_bytes=_MOST_ROBOTS_BYTES, most_s=60, may_follow=self._is_here) as answer:
                if answer.status == 200:
                    self._robots.parse(answer.read().decode("utf-8", errors="replace").splitlines())
                elif answer.status in (401, 403):
                    raise ConnectorError(f"{url} is closed to us, and so is the site.")
                elif answer.status >= 500 or answer.status == 429:
                    raise ConnectorError(f"{url}: the server answered with status {answer.status}.")
                else:
                    self._robots.parse([])
        except FetchError as error:
            raise ConnectorError(f"{url}: {error}") from error
        asked = self._robots.crawl_delay(AGENT)
        if asked is not None:
            self._delay_s = max(self._delay_s, min(float(asked), _LONGEST_CRAWL_DELAY_S))
        if not self._settings.sitemap and not self._may_fetch(self._start):
            raise ConnectorError(f"{self._start} is not open to us: see its robots.txt and `path_prefix`.")

    def _is_here(self, url: str) -> bool:
        return _site(url) == self._site

    def _sitemap_urls(self) -> list[str]:
        """Addresses of the sitemap and of those that it lists. One that fails fails the scan: its pages are unknown."""
        waiting = deque([links.normal(self._settings.sitemap)])
        seen = set(waiting)
        found: dict[str, None] = {}
        while waiting:
            url = waiting.popleft()
            self._wait()
            try:
                with fetch(
                    url, most_bytes=links.MOST_SITEMAP_BYTES, most_s=MOST_S, may_follow=self._is_here
                ) as answer:
                    if answer.status != 200:
                        raise ConnectorError(f"{url}: the server answered with status {answer.status}.")
                    pages, sitemaps = links.read_sitemap(answer.read())
            except (FetchError, links.SitemapError) as error:
                raise ConnectorError(f"{url}: {error}") from error
            found |= dict.fromkeys(page for address in pages if (page := links.normal(address, url)))
            for address in sitemaps:
                further = links.normal(address, url)
                if further and further not in seen and self._is_here(further):
                    if len(seen) == _MOST_SITEMAPS:
                        raise ConnectorError(f"{url}: there are more than {_MOST_SITEMAPS} sitemaps.")
                    seen.add(further)
                    waiting.append(further)
        return list(found)


def _site(url: str) -> tuple[str, int | None]:
    """The host, and the port where it is not the one that the scheme means: http and https are one site."""
    if not url:
        return "", None
    parts = urlsplit(url)
    return parts.hostname or "", parts.port


def _is_supported(url: str, media_type: str) -> bool:
    if media_type in media_types.SUPPORTED:
        return True
    if media_type in ("", media_types.UNKNOWN, "binary/octet-stream"):
        # The server does not know; the upload finds out by content.
        guessed = mimetypes.guess_type(urlsplit(url).path)[0]
        return guessed is None or guessed in media_types.SUPPORTED
    return False


def _fingerprint(answer: Answer) -> str:
    """As the server names this content; empty where it does not."""
    etag, changed = answer.headers.get("ETag", ""), answer.headers.get("Last-Modified", "")
    said = f"etag {etag}" if etag else f"changed {changed}" if changed else ""
    return said if len(said) <= 300 and said.isprintable() else ""


def _validators(known: Known | None) -> dict[str, str]:
    kind, _, value = (known.fingerprint if known else "").partition(" ")
    name = {"etag": "If-None-Match", "changed": "If-Modified-Since"}.get(kind)
    return {name: value} if name else {}


@contextmanager
def _held(content: bytes) -> Iterator[BinaryIO]:
    yield io.BytesIO(content)


@contextmanager
def _streamed(answer: Answer, beginning: bytes = b"") -> Iterator[BinaryIO]:
    yield _Stream(answer, beginning)  # type: ignore[misc]  # the part of BinaryIO that uploads use


class _Stream:
    def __init__(self, answer: Answer, beginning: bytes) -> None:
        self._answer, self._beginning = answer, beginning

    def read(self, size: int = -1) -> bytes:
        if self._beginning:
            head = self._beginning if size < 0 else self._beginning[:size]
            self._beginning = self._beginning[len(head) :]
            return head
        return self._answer.read(size)
