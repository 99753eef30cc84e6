"""`manage.py train_encoder`: train a compact image encoder on shards of pictures with words, and export it in int8.

On several CPUs or GPUs: `torchrun --nproc-per-node N manage.py train_encoder ...`.
"""

import json
import shlex
import sys
from argparse import ArgumentParser
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from retrieval.encoders.base import EncoderError, text_space
from retrieval.management.models_extra import models_extra


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("shards", nargs="+", type=Path, help="tar files: NNNNNNN.webp and NNNNNNN.json")
        parser.add_argument(
            "--held-out", nargs="+", type=Path, required=True, help="shards that measure, never train"
        )
        parser.add_argument(
            "--run", type=Path, required=True, help="folder for checkpoints, metrics and curves"
        )
        parser.add_argument("--output", type=Path, help="folder for the encoder; default: RUN/encoder")
        parser.add_argument(
            "--corpus", type=Path, help="folder for the prepared pictures; default: RUN/corpus"
        )
        parser.add_argument(
            "--sources", nargs="+", help="train on these sources alone, as the shards name them"
        )
        parser.add_argument(
            "--weight", action="append", default=[], metavar="SOURCE=W", help="draw W times as often"
        )
        parser.add_argument(
            "--chinese",
            action="store_true",
            help="learn from Chinese sentences too, as the student reads them",
        )
        parser.add_argument("--steps", type=int, default=4000)
        parser.add_argument("--batch", type=int, default=128)
        parser.add_argument("--rate", type=float, default=1.5e-3, help="the highest learning rate")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--threads", type=int, default=1)
        parser.add_argument(
            "--patience", type=int, default=0, help="evaluations without gain before it stops"
        )
        parser.add_argument("--evaluate-every", type=int, default=250)
        parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint of RUN")
        parser.add_argument(
            "--extend", action="store_true", help="go on from before the rate fell, to more steps"
        )
        parser.add_argument(
            "--without", choices=sorted(ABLATIONS), help="leave out one ingredient, for comparison"
        )
        parser.add_argument(
            "--largest", type=int, help="no stage of larger pictures than this: a trial that takes minutes"
        )
        parser.add_argument("--side", type=int, help="pixels a side in use; default: the last stage's")
        parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")

    def handle(self, *_args: Any, **options: Any) -> None:
        with models_extra():
            import torch
        from retrieval.training import corpus, held_out, image_text, loop, processes
        from retrieval.training.export import export
        from retrieval.training.shards import ShardError

        torch.set_num_threads(options["threads"])
        processes.join()
        run: Path = options["run"]
        recipe = recipe_of(options)
        try:
            encoder = _text_encoder(options["chinese"])
            prepared = corpus.prepare(
                options["shards"],
                options["corpus"] or run / "corpus",
                encoder,
                sources=frozenset(options["sources"]) if options["sources"] else None,
                chinese=options["chinese"],
                say=self.stderr.write,
            )
            aside = corpus.prepare(
                options["held_out"],
                (options["corpus"] or run / "corpus").with_name("held-out"),
                encoder,
                say=self.stderr.write,
            )
            held = held_out.held_out(aside)
            torch.manual_seed(options["seed"])
            task = image_text.ImageTextTask(prepared, held, recipe, options["steps"])
            if options["extend"]:
                loop.extend(run)
            run.mkdir(parents=True, exist_ok=True)
            self._describe(run, prepared.manifest, asdict(recipe))
            progress = loop.train(
                task,
                loop.LoopSettings(
                    steps=options["steps"],
                    learning_rate=options["rate"],
                    schedule="stable",
                    # The head begins as the text space itself; fast, it would squeeze the words together.
                    slow={"head.": 0.1},
                    warmup_steps=min(200, options["steps"] // 10 + 1),
                    seed=options["seed"],
                    evaluate_every=options["evaluate_every"],
                    checkpoint_every=50,
                    patience=options["patience"],
                    precision=options["precision"],
                ),
                run,
                resume=options["resume"] or options["extend"],
                say=self.stderr.write,
            )
            exported: dict[str, Any] = {}
            # What lacks an ingredient is measured, never shipped.
            if processes.rank() == 0 and not options["without"]:
                task.model.cpu().load_state_dict(loop.best_weights(run))
                config, cost = export(
                    task.model,
                    prepared,
                    held,
                    options["output"] or run / "encoder",
                    side_px=options["side"] or recipe.stages[-1].side_px,
                    name="compact",
                    text_space=text_space(encoder),
                )
                exported = {"encoder": config.revision, **asdict(cost)}
        except (ShardError, corpus.CorpusError, loop.TrainingError, EncoderError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            json.dumps(
                {
                    "run": str(run),
                    "steps": progress.step,
                    "seconds": round(progress.seconds),
                    "pictures_seen": progress.step * recipe.batch,
                    "best_step": progress.best_step,
                    "held_out": progress.figures,
                    **exported,
                }
            )
        )

    def _describe(self, run: Path, manifest: dict[str, Any], recipe: dict[str, Any]) -> None:
        """What a model card has to say: the command, the data, the recipe."""
        said = {"command": shlex.join(sys.argv), "data": manifest, "recipe": recipe}
        (run / "run.json").write_text(json.dumps(said, indent=1, ensure_ascii=False))


# Each takes one ingredient out of the recipe, so that its worth can be measured.
ABLATIONS: dict[str, dict[str, Any]] = {
    "labels": {"label_loss": 0.0},
    "other-texts": {"other_texts": 0, "queue": 0},
    "soft-targets": {"softness": 0.0},
    "augmentation": {},
    "stages": {},
    "head": {"head": "linear"},
}


def recipe_of(options: dict[str, Any]) -> Any:
    """The recipe that ships, less what `--without` names."""
    from retrieval.training import augment, image_text

    weights = dict(pair.rsplit("=", 1) for pair in options["weight"])
    try:
        drawn = {source: float(weight) for source, weight in weights.items()}
    except ValueError as error:
        raise CommandError(f"--weight wants SOURCE=NUMBER: {error}.") from error
    recipe = image_text.Recipe(batch=options["batch"], weights=drawn)
    if options["largest"]:
        stages = [stage for stage in recipe.stages if stage.side_px <= options["largest"]]
        if not stages:
            raise CommandError(f"--largest: the smallest stage has {recipe.stages[0].side_px} px.")
        # They share the whole run as they shared their part of it.
        whole = stages[-1].until
        recipe = replace(recipe, stages=tuple(replace(stage, until=stage.until / whole) for stage in stages))
    without = options["without"]
    if without == "augmentation":
        return replace(recipe, augmentation=augment.NONE)
    if without == "stages":
        last = recipe.stages[-1]
        return replace(recipe, stages=(replace(last, sentences=0.5),))
    return replace(recipe, **ABLATIONS[without]) if without else recipe


def _text_encoder(chinese: bool) -> Any:
    from retrieval.encoders.minilm import MiniLmSource
    from retrieval.encoders.serving import load
    from retrieval.encoders.student import BilingualSource

    return load(BilingualSource() if chinese else MiniLmSource(), Path(settings.KB_MODELS_DIR))
