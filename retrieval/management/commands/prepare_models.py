"""Which encoders serve here, how fast, how true to float32? Prepares the profile's and prints it."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from retrieval.encoders.base import EncoderError
from retrieval.encoders.compact_image import CompactEncoder, CompactSource
from retrieval.encoders.manifest import Candidate, Prepared
from retrieval.encoders.prepare import prepared
from retrieval.encoders.profiles import encoders
from retrieval.encoders.serving import PreparedEncoder


class Command(BaseCommand):
    help = (
        "Exports, quantises, times and checks the profile's encoders; keeps the fastest that stays accurate."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--again", action="store_true", help="also those that are prepared already")

    def handle(self, *_args: Any, **options: Any) -> None:
        models_dir = Path(settings.KB_MODELS_DIR)
        try:
            chosen = encoders(
                settings.KB_PROFILE, text=settings.KB_TEXT_ENCODER, image=settings.KB_IMAGE_ENCODER
            )
            made = [
                prepared(source, models_dir, again=options["again"], say=self.stderr.write)
                for source in chosen.sources
            ]
            shipped = (
                CompactEncoder(chosen.image, PreparedEncoder(made[0]))
                if isinstance(chosen.image, CompactSource)
                else None
            )
        except EncoderError as error:
            raise CommandError(str(error)) from error
        for encoder in made:
            self._table(encoder)
        summaries = [_summary(encoder) for encoder in made]
        if shipped:
            spec = shipped.spec
            self.stdout.write(f"{spec.key} ({spec.dimensions} dimensions), as it came")
            summaries.append({"key": spec.key, "name": spec.name, "dimensions": spec.dimensions})
        self.stdout.write(json.dumps({"profile": settings.KB_PROFILE, "encoders": summaries}))

    def _table(self, encoder: Prepared) -> None:
        self.stdout.write(f"{encoder.spec.key} ({encoder.dimensions} dimensions)")
        self.stdout.write("  tower form     short ms   long ms   cosine  neighbours     MB")
        for candidate in encoder.candidates:
            self.stdout.write("  " + _line(candidate))


def _line(candidate: Candidate) -> str:
    return (
        f"{candidate.tower:5} {candidate.quantisation:8} {candidate.short_ms:8.2f} {candidate.long_ms:9.2f}"
        f" {candidate.mean_cosine:8.4f} {candidate.neighbours:11.3f} {candidate.size_bytes / 1e6:6.1f}"
        f"{'  kept' if candidate.kept else ''}"
    )


def _summary(encoder: Prepared) -> dict[str, Any]:
    return {"key": encoder.spec.key, "folder": str(encoder.folder)} | encoder.manifest()
