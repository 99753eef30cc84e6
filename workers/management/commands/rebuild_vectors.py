"""`manage.py rebuild_vectors`: encodes what the configured encoders have not encoded yet, and switches search to it."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from kb.models import Asset
from kb.models.vector import Modality
from kb.storage import storage
from retrieval.encoders.base import EncoderError
from workers.rebuild import rebuild


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--modality",
            action="append",
            choices=Modality.values,
            default=[],
            help="only these vectors; else all that the configured encoders make",
        )
        parser.add_argument(
            "--keep",
            action="store_true",
            help="keep the vectors of other encoders, for processes that still run with those",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        only = [Modality(name) for name in options["modality"]]
        with tqdm(total=Asset.objects.filter(version__gt=0).count(), unit="file", disable=None) as progress:
            try:
                done = rebuild(storage(), only=only, keep=options["keep"], tick=progress.update)
            except EncoderError as error:
                raise CommandError(str(error)) from error
        for modality, count in done.made.items():
            self.stdout.write(
                f"{modality}: {count} vectors made, {done.active.get(modality, 'not switched')}"
            )
        for name in done.dropped:
            self.stdout.write(f"dropped: {name}")
        for asset_id, reason in done.failed.items():
            self.stderr.write(f"file {asset_id}: {reason}")
        if done.failed:
            self.stderr.write(
                "Nothing was switched. `manage.py check_library --repair` says what is lost; delete or bring in those"
                " files again, then repeat."
            )
        self.stdout.write(
            json.dumps(
                {
                    "made": done.made,
                    "active": done.active,
                    "dropped": done.dropped,
                    "failed": len(done.failed),
                }
            )
        )
        if done.failed:
            # Not CommandError: the JSON object stays the last line.
            sys.exit(1)
