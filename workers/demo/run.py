"""What does the demo do, step by step? Models, database, people, library, example searches, web page."""

import contextlib
import io
import json
import sys
import time
from argparse import Namespace
from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command

from kb.exceptions import KbError
from kb.models import Asset, AssetState, Collection
from kb.startup import migrate, postgres_running
from kb.supervisor import running
from kb.web.labels import moment
from retrieval import spaces
from retrieval.results import Hit, SearchResult
from retrieval.search import SearchRequest, search
from workers.cli import ingest, up
from workers.cli.people import acting_user
from workers.cli.services import services
from workers.demo.examples import EXAMPLES, LIBRARY, PICTURED, Example, Snapshot
from workers.demo.judge import complaints, path_of
from workers.demo.people import COLLECTIONS, PEOPLE, make_collections, make_people

# Hits asked for, as many as a search gives at once, so that "never" is not said too soon; and hits printed.
DEPTH, SHOWN = 50, 3
WARMING = Snapshot("engineering/photos/pressure-gauge-pi-104.jpg", scale=0.5)
# A slow machine imports everything in less.
SERVICES_DEADLINE_S = 60
_BOLD, _DIM, _GREEN, _RED, _PLAIN = "\033[1m", "\033[2m", "\033[32m", "\033[31m", "\033[0m"


class DemoError(KbError):
    """The demo could not be set up."""


@contextlib.contextmanager
def prepare(*, workers: int) -> Iterator[dict[str, User]]:
    """Everything up to the first search; the database runs within. The second time nothing changes."""
    _say("Models")
    print(_prepare_models())
    with postgres_running():
        _say("Database")
        migrate()
        print(f"PostgreSQL with its tables in {settings.KB_HOME.root}")
        _say("People and collections")
        users = make_people()
        make_collections(users, acting_user(None))
        for person in PEOPLE:
            print(f"{person.username:<5} reads handbook{f', {person.group}' if person.group else ''}")
        _ingest_library(workers)
        # Of a library that was brought in before the encoders were others: the second time nothing is missing.
        call_command("rebuild_vectors", stdout=io.StringIO())
        yield users


def _prepare_models() -> str:
    """Exports and measures the encoders at the first run; afterwards only looks that they are there."""
    output = io.StringIO()
    call_command("prepare_models", stdout=output)
    encoders = json.loads(output.getvalue().strip().splitlines()[-1])["encoders"]
    return ", ".join(encoder["key"] for encoder in encoders)


def _ingest_library(workers: int) -> None:
    with services(workers) as helpers:
        helpers.ensure()
        _wait_until_running()
        for collection in COLLECTIONS:
            _say(f"Library: {collection.name}")
            status = ingest.run(
                Namespace(
                    paths=[str(LIBRARY / collection.slug)],
                    collection=collection.name,
                    everyone=False,
                    check=False,
                    detach=False,
                    workers=workers,
                    user=None,
                )
            )
            if status:
                raise DemoError(f"The collection {collection.name} could not be brought in; see above.")
    unread = Asset.objects.filter(collection__slug__in=[collection.slug for collection in COLLECTIONS])
    unread = unread.exclude(state=AssetState.READY)
    if unread:
        raise DemoError(
            f"Not all is searchable: {', '.join(asset.source_uri for asset in unread)}; see above."
        )


def _wait_until_running() -> None:
    """Else the first ingest would start services of its own beside those that are only starting."""
    deadline = time.monotonic() + SERVICES_DEADLINE_S
    while settings.KB_EMBEDDED and running(settings.KB_HOME) is None:
        if time.monotonic() > deadline:
            raise DemoError(f"The workers did not start; see {settings.KB_HOME.logs}.")
        time.sleep(0.1)


def show_examples(users: dict[str, User]) -> int:
    """Runs and prints every example; how many missed."""
    _say("Example searches")
    slugs = dict(Collection.objects.values_list("pk", "slug"))
    # Loads the encoder and the OCR engine, as in the web process when people search; of a picture that no
    # example asks with, since what was read in a picture is remembered.
    search(users["chen"], SearchRequest(words="pump", picture=WARMING.jpeg()))
    missed = 0
    has_image_encoder = spaces.image_encoder() is not None
    examples = EXAMPLES + PICTURED if has_image_encoder else EXAMPLES
    for number, example in enumerate(examples, 1):
        request = SearchRequest(words=example.words, picture=example.query_picture(), page_size=DEPTH)
        started = time.perf_counter()
        result = search(users[example.user], request)
        elapsed_ms = (time.perf_counter() - started) * 1000
        found = complaints(example, result, slugs)
        missed += bool(found)
        _print(number, example, result, elapsed_ms, slugs, found)
    print(f"\n{len(examples) - missed} of {len(examples)} example searches answered as they must.")
    if not has_image_encoder:
        print(f"{len(PICTURED)} more ask for what is pictured; this installation has no image encoder.")
    return missed


def _print(
    number: int,
    example: Example,
    result: SearchResult,
    elapsed_ms: float,
    slugs: dict[int, str],
    found: list[str],
) -> None:
    asked = [example.words] if example.words else []
    if example.picture:
        asked.append(f"[picture from {example.picture.path}]")
    mark = _marked("✗", _RED) if found else _marked("✓", _GREEN)
    print(f"\n{mark} {number:>2}. {_marked(example.name, _BOLD)}")
    counts = _marked(f"{elapsed_ms:.0f} ms, {result.total} found", _DIM)
    print(f"      {example.user}: {' + '.join(asked)}   {counts}")
    for rank, hit in enumerate(result.hits[:SHOWN], 1):
        page = f", page {hit.page}" if hit.page else ""
        if hit.start_ms is not None:
            page = f", at {moment(hit.start_ms)}"
        print(f"      {rank}. {path_of(hit, slugs)}{page}")
        if rank == 1 and (words := _snippet(hit)):
            print(f"         {_marked(words, _DIM)}")
    for complaint in found:
        print(f"      {_marked(complaint, _RED)}")


def _snippet(hit: Hit) -> str:
    words = " ".join("".join(part.text for part in hit.snippet).split())
    return words if len(words) <= 100 else f"{words[:99]}…"


def serve(port: int, workers: int) -> int:
    """The web page, until Ctrl-C."""
    facts = running(settings.KB_HOME)
    _say("Web page")
    for person in PEOPLE:
        print(f"sign in as {person.username:<5} with the password {person.password}")
    if facts is not None and facts.get("port"):
        print(f"The knowledge base is at http://127.0.0.1:{facts['port']}/ already (process {facts['pid']}).")
        return 0
    return up.run(Namespace(port=port, workers=workers, no_web=False, until_idle=False))


def _say(heading: str) -> None:
    print(f"\n{_marked(heading, _BOLD)}", flush=True)


def _marked(text: str, style: str) -> str:
    """Styled on a terminal, plain in a pipe."""
    return f"{style}{text}{_PLAIN}" if sys.stdout.isatty() else text
