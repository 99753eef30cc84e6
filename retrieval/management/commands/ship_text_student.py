"""Turns a run of train_text_student into the files that the embedded profile serves. Needs the extra `models`."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from retrieval.encoders.student import SHIPPED
from retrieval.management.models_extra import models_extra


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", type=Path, help="the folder of the run")
        parser.add_argument("--output", type=Path, default=SHIPPED, help="where the files go")
        parser.add_argument("--share", type=float, help="of what was learnt, the rest as it began; 0 to 1")

    def handle(self, *_args: Any, **options: Any) -> None:
        with models_extra():
            from retrieval.training.loop import TrainingError
            from retrieval.training.student.ship import SHARE, ship
        share = SHARE if options["share"] is None else options["share"]
        if not 0 <= share <= 1:
            raise CommandError("--share lies between 0 and 1.")
        try:
            record = ship(options["run"], options["output"], share=share)
        except TrainingError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(record))
