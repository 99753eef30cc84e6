"""What does the `kb` command do? It starts the installation, brings files in, searches, and says how things are."""

import argparse
import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 done, 1 done but not all went well, 2 could not be done."""
    parsed = _parser().parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kb.settings.embedded")

    import django

    django.setup()
    # Only now: the subcommands import models.
    from kb.exceptions import KbError
    from workers.cli import ingest, search, source, status, up

    commands = {
        "up": up.run,
        "ingest": ingest.run,
        "search": search.run,
        "source": source.run,
        "status": status.run,
    }
    run = commands[parsed.command]
    try:
        return run(parsed)
    except KbError as error:
        print(f"kb: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Whoever read our output, `head` for one, has seen enough. Python would complain again when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141  # As a shell reports it.
    except KeyboardInterrupt:
        return 130  # As a shell reports Ctrl-C.


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kb", description="Search over everything a company keeps.")
    commands = parser.add_subparsers(dest="command", required=True)

    up = commands.add_parser("up", help="run everything here until Ctrl-C")
    up.add_argument("--port", type=int, default=8000, help="of the web page, on 127.0.0.1 (8000)")
    up.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="ingest processes (one a core)")
    up.add_argument("--no-web", action="store_true", help="ingest only")
    up.add_argument("--until-idle", action="store_true", help="end when no ingest work is left")

    ingest = commands.add_parser("ingest", help="bring files or folders into a collection")
    ingest.add_argument("paths", nargs="+", metavar="PATH")
    ingest.add_argument("--collection", "-c", required=True, help="its name; made when there is none")
    ingest.add_argument(
        "--everyone", action="store_true", help="everyone who is signed in may read the collection"
    )
    waiting = ingest.add_mutually_exclusive_group()
    waiting.add_argument(
        "--check",
        action="store_true",
        help="fail when a worker died, a step is left or was begun again, or a memory cap was passed",
    )
    waiting.add_argument(
        "--detach", action="store_true", help="return once the files are in; do not wait for them"
    )
    ingest.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="ingest processes (one a core)"
    )
    ingest.add_argument("--user", help="on whose behalf (the local operator)")

    search = commands.add_parser("search", help="search by words, a picture, or both")
    search.add_argument("words", nargs="?", default="")
    search.add_argument("--image", metavar="FILE", help="a picture to search by")
    search.add_argument("--user", help="as whom (the local operator)")
    search.add_argument("--json", action="store_true", help="one JSON object instead of text")
    search.add_argument("-n", type=int, default=10, dest="count", help="how many hits (10)")

    source = commands.add_parser("source", help="have a collection follow a folder, a bucket or a website")
    acts = source.add_subparsers(dest="act", required=True)
    add = acts.add_parser("add", help="a new source; `kb source scan` or its schedule brings its files in")
    add.add_argument("place", metavar="PLACE", help="a folder, s3://BUCKET/PREFIX, or an http(s) address")
    add.add_argument("--collection", "-c", required=True, help="its name; made when there is none")
    add.add_argument("--name", help="of the source (made from PLACE)")
    add.add_argument("--every", type=int, metavar="MINUTES", help="scan it that often (only when asked)")
    add.add_argument(
        "--readers",
        action="append",
        default=[],
        metavar="FOLDER=WHO,…",
        help="who reads what lies below FOLDER: user:NAME, group:NAME or everyone",
    )
    add.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting, e.g. max_depth=5"
    )
    add.add_argument("--user", help="on whose behalf (the local operator)")
    scan = acts.add_parser("scan", help="scan now, and wait until its files are indexed")
    scan.add_argument("source", metavar="SOURCE", help="its name or number")
    scan.add_argument(
        "--force", action="store_true", help="delete what is gone, however much of the source that is"
    )
    scan.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="ingest processes (one a core)"
    )
    scan.add_argument("--user", help="on whose behalf (the local operator)")
    acts.add_parser("list", help="the sources and how their last scans went")

    commands.add_parser("status", help="what runs, what is in the library, how the last runs went")
    return parser
