"""Trains the bilingual text encoder: Chinese texts come to lie where the teacher puts their English translations.

Needs the extra `models`. A killed run goes on with --resume, and ends as if it had not been killed.
"""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from retrieval.evaluation_data import DataError
from retrieval.management.models_extra import models_extra


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "pairs", nargs="+", type=Path, help="JSON lines with zh, en and source; may be .gz"
        )
        parser.add_argument("--held-out", type=Path, required=True, help="pairs that are never trained on")
        parser.add_argument("--output", type=Path, required=True, help="folder of the run")
        parser.add_argument("--sources", nargs="+", help="train on pairs of these sources alone")
        parser.add_argument(
            "--captions", nargs="+", type=Path, default=[], help="shards of pictures with captions in both"
        )
        parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
        parser.add_argument("--layers", nargs="+", type=int, default=list(range(6)), help="of the teacher's")
        parser.add_argument("--words", type=int, default=20_000, help="size of the Chinese vocabulary")
        parser.add_argument("--steps", type=int, default=6000)
        parser.add_argument("--batch", type=int, default=128)
        parser.add_argument("--rate", type=float, default=1e-4, help="learning rate of the layers")
        parser.add_argument("--bag", action="store_true", help="no layers: a bag of words, for comparison")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--threads", type=int, default=0, help="0: as many as torch takes")
        parser.add_argument(
            "--patience", type=int, default=8, help="evaluations without a gain; 0: never stop"
        )
        parser.add_argument(
            "--every", type=int, default=250, help="steps between evaluations and checkpoints"
        )
        parser.add_argument("--device", default="auto", help="auto, cpu or cuda")

    def handle(self, *_args: Any, **options: Any) -> None:
        with models_extra():
            from retrieval.training.loop import TrainingError
            from retrieval.training.shards import ShardError
            from retrieval.training.student.run import Choices, run
        choices = Choices(
            pairs=options["pairs"],
            held_out=options["held_out"],
            sources=options["sources"],
            captions=options["captions"],
            layers=options["layers"],
            words=options["words"],
            steps=options["steps"],
            batch=options["batch"],
            rate=options["rate"],
            bag=options["bag"],
            seed=options["seed"],
            threads=options["threads"],
            patience=options["patience"],
            every=options["every"],
            device=options["device"],
        )
        try:
            figures = run(choices, options["output"], resume=options["resume"], say=self.stderr.write)
        except (DataError, ShardError, TrainingError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(figures))
