"""Turns a run of train_text_student into the files that the embedded profile serves. Needs the extra `models`."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from retrieval.encoders.student import SHIPPED


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", type=Path, help="the folder of the run")
        parser.add_argument("--output", type=Path, default=SHIPPED, help="where the files go")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            from retrieval.training.loop import TrainingError
            from retrieval.training.student.ship import ship
        except ModuleNotFoundError as error:
            raise CommandError(
                f"Training needs {error.name}: install it with `pip install -e '.[models]'`."
            ) from error
        try:
            record = ship(options["run"], options["output"])
        except TrainingError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(record))
