"""`manage.py train_alignment`: let this library's own captions teach words where its pictures lie.

Only the small head on the text vector is trained; no vector of the library changes.
"""

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.http import Http404

from kb import audit
from kb.models import Collection
from kb.permissions import managed_collections, visible_collections
from retrieval import spaces
from retrieval.encoders import site_head
from retrieval.encoders.base import EncoderError
from retrieval.encoders.compact_image import CompactEncoder
from retrieval.management.models_extra import models_extra

if TYPE_CHECKING:
    from retrieval.training.alignment import Comparison


class Command(BaseCommand):
    help = (
        "Trains the head that moves words to pictures on the captions, alt texts, surrounding words, titles and "
        "helpful searches of collections, and lets it serve where it finds more of the pictures held out. The last "
        "line is one JSON object."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", required=True, help="who manages the collections")
        parser.add_argument(
            "--collection", action="append", default=[], metavar="SLUG", help="may be repeated"
        )
        parser.add_argument("--steps", type=int, default=60)
        parser.add_argument("--rate", type=float, default=3e-4, help="the highest learning rate")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--threads", type=int, default=1)
        parser.add_argument("--undo", action="store_true", help="go back to the head before the active one")

    def handle(self, *_args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['user']}.")
        try:
            answer = self._undo(user) if options["undo"] else self._train(user, options)
        except (Http404, PermissionDenied, EncoderError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(answer, ensure_ascii=False))

    def _train(self, user: User, options: dict[str, Any]) -> dict[str, Any]:
        with models_extra():
            import torch
        from retrieval.training import alignment, library
        from retrieval.training.corpus import CorpusError
        from retrieval.training.loop import TrainingError

        collections = _named(user, options["collection"])
        torch.set_num_threads(options["threads"])
        try:
            pairs = library.collect(user, collections, say=self.stderr.write)
            encoder = library.encoder_of_both()
            own = encoder.head if isinstance(encoder, CompactEncoder) else None
            active = spaces.site_head(encoder)
            head, comparison = alignment.align(
                pairs,
                own or alignment.fresh(encoder.spec.dimensions),
                alignment.AlignSettings(
                    steps=options["steps"], learning_rate=options["rate"], seed=options["seed"]
                ),
                active=active.head if active else None,
                say=self.stderr.write,
            )
        except (CorpusError, TrainingError) as error:
            raise CommandError(str(error)) from error
        self._table(comparison)
        revision = None
        if comparison.is_better:
            facts = {
                "collections": [collection.pk for collection in collections],
                "pictures": len(pairs.pictures),
                "texts": len(pairs.texts),
                "before": comparison.before,
                "after": comparison.after,
            }
            # Who reads the trail finds an activation there, or it did not happen.
            with transaction.atomic():
                for collection in collections:
                    audit.record(user, "alignment.activated", collection, **facts)
                revision = site_head.activate(
                    Path(settings.KB_MODELS_DIR), encoder.spec, head, comparison.words, facts
                )
        self.stdout.write(_verdict(comparison, revision))
        return {"activated": revision, "better": comparison.is_better, **asdict(comparison)}

    def _undo(self, user: User) -> dict[str, Any]:
        models_dir = Path(settings.KB_MODELS_DIR)
        active = site_head.record(models_dir)
        collections = managed_collections(user, active["facts"]["collections"] if active else [])
        with transaction.atomic():
            for collection in collections:
                audit.record(user, "alignment.undone", collection, revision=active and active["revision"])
            undone = site_head.undo(models_dir)
        now = undone["before"]["revision"] if undone["before"] else None
        self.stdout.write(
            f"The head {undone['revision']} no longer serves; {now or 'that of the encoder'} does."
        )
        return {"undone": undone["revision"], "activated": now}

    def _table(self, comparison: "Comparison") -> None:
        self.stdout.write(f"{'held out, ' + str(comparison.queries) + ' queries':26}    before     after")
        for name, value in comparison.before.items():
            self.stdout.write(f"  {name:24} {value:9.3f} {comparison.after[name]:9.3f}")
        if comparison.active:
            said = " ".join(f"{name} {value:.3f}" for name, value in comparison.active.items())
            self.stdout.write(f"The head that serves now, which may have learned from these files: {said}")


def _verdict(comparison: "Comparison", revision: str | None) -> str:
    low, high = comparison.interval
    worth = f"recall@10 changes by {low:+.3f} to {high:+.3f} (95 %), p = {comparison.p_value:.4f}"
    if revision:
        return f"Better: {worth}. The head {revision} serves from now on; --undo goes back."
    if comparison.beats_the_encoder:
        return f"Not better than the head that serves now: {worth} against the encoder's own. Nothing was changed."
    return f"Not better beyond chance: {worth}. Nothing was changed."


def _named(user: User, slugs: Sequence[str]) -> list[Collection]:
    """Those that the user may know of; whether they manage them is asked next."""
    if not slugs:
        raise CommandError("Name at least one collection with --collection.")
    found = {collection.slug: collection for collection in visible_collections(user).filter(slug__in=slugs)}
    if missing := [slug for slug in slugs if slug not in found]:
        raise CommandError(f"No such collection: {', '.join(missing)}.")
    return [found[slug] for slug in dict.fromkeys(slugs)]
