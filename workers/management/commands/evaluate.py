"""`manage.py evaluate`: how good is search, an encoder, a fusion? Tables, a JSON object, and a page to look at."""

import json
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.test.utils import override_settings

from retrieval import evaluation_runs, spaces
from retrieval.encoders.base import EncoderError
from retrieval.evaluation_data import DataError
from retrieval.evaluation_runs import RunError
from retrieval.fusion.base import FusionError
from retrieval.management.models_extra import models_extra
from retrieval.training.shards import ShardError
from workers.evaluate import page
from workers.evaluate.beir import evaluate_beir
from workers.evaluate.captions import evaluate_captions
from workers.evaluate.compare import comparison_figures, comparison_table
from workers.evaluate.encoders import picture_encoder
from workers.evaluate.lookalikes import evaluate_lookalikes
from workers.evaluate.outcome import Outcome
from workers.evaluate.shards import evaluate_shards
from workers.evaluate.translations import evaluate_translations

CAPTIONED = "a folder with captions.jsonl (image, and en and zh, or captions) and its pictures"
ENCODER = "a folder with a compact image encoder to measure instead of the site's"


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        kinds = parser.add_subparsers(dest="kind", required=True)

        def kind(name: str, help_text: str, run: Callable[[dict[str, Any]], Outcome]) -> ArgumentParser:
            made: ArgumentParser = kinds.add_parser(name, help=help_text)
            made.set_defaults(evaluate=run)
            made.add_argument("--save", type=Path, metavar="RUN.json", help="keep the values of each query")
            made.add_argument("--report", type=Path, metavar="OUT.html", help="write a page with examples")
            return made

        beir = kind("beir", "search by questions in a BEIR folder", _beir)
        beir.add_argument("folder", type=Path, help="corpus.jsonl, queries.jsonl and qrels.tsv")
        beir.add_argument(
            "--queries-lang", default="", metavar="LANGUAGE", help="ask those in en, zh, … alone"
        )
        captions = kind("captions", "search by sentences and by pictures", _captions)
        captions.add_argument("folder", type=Path, help=CAPTIONED)
        captions.add_argument("--profile", help="measure this profile instead of the site's")
        shards = kind("shards", "an encoder on held-out shards, without a database", _shards)
        shards.add_argument("shards", type=Path, nargs="+", help="tar shards: NNN.webp and NNN.json")
        shards.add_argument("--image-onnx", type=Path, metavar="DIR", help=ENCODER)
        fusion = kind(
            "fusion", "the ways to make one vector of words and pixels, without a database", _fusion
        )
        fusion.add_argument(
            "folder", type=Path, help=f"tar shards to learn from and measure on, or {CAPTIONED}"
        )
        fusion.add_argument("--language", default="", help="of the sentences: en, zh or captions")
        fusion.add_argument(
            "--told", type=float, default=0.5, help="share of the pictures of which words are known"
        )
        fusion.add_argument("--weights", type=Path, metavar="DIR", help="measure these instead of training")
        fusion.add_argument("--save-weights", type=Path, metavar="DIR", help="keep what was learned")
        fusion.add_argument("--image-onnx", type=Path, metavar="DIR", help=ENCODER)
        lookalikes = kinds.add_parser("lookalikes", help="search by changed copies of pictures")
        lookalikes.add_argument("folder", type=Path, help="pictures, in folders or not")
        lookalikes.add_argument("--queries", type=int, help="ask with so many of the pictures only")
        pairs = kind("pairs", "how near translations lie to each other, without a database", _pairs)
        pairs.add_argument("file", type=Path, help="JSON lines with zh and en; may be .gz")
        pairs.add_argument("--profile", help="measure this profile instead of the site's")
        compare = kinds.add_parser("compare", help="two saved runs")
        compare.add_argument("runs", type=Path, nargs=2, metavar="RUN.json")
        compare.add_argument("--report", type=Path, metavar="OUT.html", help="write a page")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            match options["kind"]:
                case "compare":
                    figures = self._compare(options)
                case "lookalikes":
                    figures = evaluate_lookalikes(options["folder"], queries=options["queries"])
                case _:
                    figures = self._evaluate(options)
        except (DataError, ShardError, RunError, EncoderError, FusionError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(figures, ensure_ascii=False))

    def _evaluate(self, options: dict[str, Any]) -> object:
        outcome: Outcome = options["evaluate"](options)
        for table in outcome.tables:
            self.stdout.write(f"{table.markdown()}\n\n")
        if options["save"]:
            evaluation_runs.save(outcome.run, options["save"])
        if options["report"]:
            page.write_report(outcome, options["report"])
        return outcome.figures

    def _compare(self, options: dict[str, Any]) -> object:
        first, second = options["runs"]
        found = evaluation_runs.compare(evaluation_runs.load(first), evaluation_runs.load(second))
        self.stdout.write(comparison_table((first.stem, second.stem), found))
        if options["report"]:
            page.write_comparison((first.stem, second.stem), found, options["report"])
        return comparison_figures(found)


def _beir(options: dict[str, Any]) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="kb-evaluate-") as work:
        return evaluate_beir(options["folder"], Path(work), language=options["queries_lang"])


def _captions(options: dict[str, Any]) -> Outcome:
    profile = options["profile"]
    with (
        tempfile.TemporaryDirectory(prefix="kb-evaluate-") as work,
        override_settings(KB_PROFILE=profile) if profile else nullcontext(),
    ):
        return evaluate_captions(options["folder"], Path(work))


def _shards(options: dict[str, Any]) -> Outcome:
    return evaluate_shards(options["shards"], picture_encoder(options["image_onnx"]))


def _pairs(options: dict[str, Any]) -> Outcome:
    profile = options["profile"]
    with override_settings(KB_PROFILE=profile) if profile else nullcontext():
        return evaluate_translations(options["file"], spaces.text_encoder(), sys.stderr.write)


def _fusion(options: dict[str, Any]) -> Outcome:
    with models_extra():
        from workers.evaluate.fusion import evaluate_fusion
    if not 0 <= options["told"] <= 1:
        raise CommandError("--told is a share, from 0 to 1.")
    return evaluate_fusion(
        options["folder"],
        picture_encoder(options["image_onnx"]),
        language=options["language"],
        told=options["told"],
        weights=options["weights"],
        save_weights=options["save_weights"],
    )
