"""`kb search`: hits on the terminal, or as JSON."""

import argparse
import dataclasses
import json
import sys
import time
from pathlib import Path

from django.conf import settings

from kb.exceptions import KbError
from kb.startup import migrate, postgres_running
from retrieval.results import Hit, SearchResult
from retrieval.search import SearchRequest, search
from workers.cli.people import acting_user

_BOLD, _DIM, _PLAIN = "\033[1m", "\033[2m", "\033[0m"


class PictureError(KbError):
    """The picture cannot be read."""


def run(arguments: argparse.Namespace) -> int:
    picture = None if arguments.image is None else _read(Path(arguments.image))
    with postgres_running():
        if settings.KB_EMBEDDED:
            migrate()
        user = acting_user(arguments.user)
        request = SearchRequest(words=arguments.words, picture=picture, page_size=arguments.count)
        started = time.perf_counter()
        result = search(user, request)
        elapsed_ms = (time.perf_counter() - started) * 1000
    if arguments.json:
        print(json.dumps(dataclasses.asdict(result), ensure_ascii=False))
    else:
        _print(result, elapsed_ms)
    return 0


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PictureError(f"{path}: {error.strerror}.") from error


def _print(result: SearchResult, elapsed_ms: float) -> None:
    for notice in result.notices:
        print(notice)
    if result.description:
        print(result.description)
    for rank, hit in enumerate(result.hits, 1):
        print(f"{rank:>2}. {_marked(hit.title, _BOLD)}{_place(hit)}  {_marked(hit.collection_name, _DIM)}")
        snippet = "".join(_marked(part.text, _BOLD if part.highlighted else "") for part in hit.snippet)
        if snippet.strip():
            print(f"    {' '.join(snippet.split())}")
        channels = ", ".join(f"{c.channel} {c.share:.2f} (rank {c.rank})" for c in hit.channels)
        print(f"    {hit.score:.3f} = {channels}" if channels else f"    {hit.score:.3f}")
    total = f"more than {result.total}" if result.total_is_capped else str(result.total)
    print(f"{total} found in {elapsed_ms:.0f} ms")


def _place(hit: Hit) -> str:
    if hit.page is not None:
        return f", page {hit.page}"
    if hit.start_ms is not None:
        return f", at {hit.start_ms // 60_000}:{hit.start_ms // 1000 % 60:02}"
    return ""


def _marked(text: str, style: str) -> str:
    """Styled on a terminal, plain in a pipe."""
    return f"{style}{text}{_PLAIN}" if style and sys.stdout.isatty() else text
