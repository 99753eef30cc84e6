"""Which pictures of an office can the project draw itself? Writes them, with labels and sentences, as shards."""

import json
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from retrieval.training.drawings import RENDERERS
from retrieval.training.drawings.fonts import FontsMissingError, find_fonts
from retrieval.training.drawings.sheet_of_samples import contact_sheet
from retrieval.training.drawings.writer import (
    DrawingError,
    Picture,
    chosen,
    part_of,
    pictures,
    write_shards,
)

# As many samples as a person looks through.
_SAMPLES = 100


class Command(BaseCommand):
    help = "Draws charts, diagrams, forms, screens and pages with exact labels and writes them as training shards."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="OUT_DIR", help="where the shards are written")
        parser.add_argument("--count", type=int, required=True, help="how many pictures")
        parser.add_argument("--seed", type=int, default=0, help="the same seed draws the same pictures")
        parser.add_argument("--renderers", default="", help="only these, with commas between; otherwise all")
        parser.add_argument(
            "--hold-out",
            action="store_true",
            help="the test's pictures, by the renderers kept out of training",
        )
        parser.add_argument(
            "--fonts",
            type=Path,
            action="append",
            default=[],
            help="a further folder of fonts; may be repeated",
        )
        parser.add_argument("--contact-sheet", type=Path, help=f"a PNG of the first {_SAMPLES} pictures")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["count"] < 1:
            raise CommandError("--count must be 1 or more.")
        if options["folder"].exists() and not options["folder"].is_dir():
            raise CommandError(f"{options['folder']} is a file; name a folder for the shards.")
        for folder in options["fonts"]:
            if not folder.is_dir():
                raise CommandError(f"--fonts {folder} is not a folder.")
        names = [name.strip() for name in options["renderers"].split(",") if name.strip()]
        part = part_of(held_out=options["hold_out"])
        try:
            renderers = chosen(RENDERERS, names, held_out=options["hold_out"])
            fonts = find_fonts(options["fonts"])
        except (DrawingError, FontsMissingError) as error:
            raise CommandError(str(error)) from error
        self.stderr.write(f"{len(fonts.english)} fonts for English, {len(fonts.chinese)} for Chinese")
        labels: Counter[str] = Counter()
        samples: list[Picture] = []
        drawn = pictures(renderers, fonts, seed=options["seed"], count=options["count"], part=part)
        started = time.monotonic()
        try:
            shards = write_shards(
                options["folder"], _counted(drawn, labels, samples), part=part, say=self.stderr.write
            )
            if options["contact_sheet"]:
                contact_sheet(samples).save(options["contact_sheet"])
        except OSError as error:
            raise CommandError(f"The pictures could not be written: {error}") from error
        self.stdout.write(
            json.dumps(
                {
                    "shards": [str(shard) for shard in shards],
                    "pictures": options["count"],
                    "seconds": round(time.monotonic() - started, 1),
                    "labels": dict(labels.most_common()),
                },
                ensure_ascii=False,
            )
        )


def _counted(drawn: Iterator[Picture], labels: Counter[str], samples: list[Picture]) -> Iterator[Picture]:
    samples.extend(islice(drawn, _SAMPLES))
    for picture in samples:
        labels[picture.facts["label"]] += 1
        yield picture
    for picture in drawn:
        labels[picture.facts["label"]] += 1
        yield picture
