"""`manage.py evaluate`: index a data set through the real pipeline, search it, and print how well that went."""

import json
import tempfile
from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from retrieval.evaluation_data import DataError
from workers.evaluate.beir import evaluate_beir
from workers.evaluate.captions import evaluate_captions
from workers.evaluate.lookalikes import evaluate_lookalikes

EVALUATIONS: dict[str, tuple[Callable[[Path, Path], dict[str, object]], str]] = {
    "beir": (evaluate_beir, "a BEIR folder: corpus.jsonl, queries.jsonl and qrels.tsv"),
    "captions": (
        evaluate_captions,
        "a folder with captions.jsonl (image, and en and zh, or captions) and its pictures",
    ),
    "lookalikes": (evaluate_lookalikes, "a folder of pictures, in folders or not"),
}


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        kinds = parser.add_subparsers(dest="kind", required=True)
        for name, (_, help_text) in EVALUATIONS.items():
            parser_of_kind = kinds.add_parser(name, help=help_text)
            parser_of_kind.add_argument("folder", type=Path, help=help_text)
            if name == "lookalikes":
                parser_of_kind.add_argument(
                    "--queries", type=int, help="ask with so many of the pictures only"
                )

    def handle(self, *_args: Any, **options: Any) -> None:
        evaluate, _ = EVALUATIONS[options["kind"]]
        if options.get("queries"):
            evaluate = partial(evaluate_lookalikes, queries=options["queries"])
        with tempfile.TemporaryDirectory(prefix="kb-evaluate-") as work:
            try:
                figures = evaluate(options["folder"], Path(work))
            except DataError as error:
                raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(figures, ensure_ascii=False))
