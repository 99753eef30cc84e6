"""`manage.py compress_encoder`: make a trained image encoder smaller, and say what each step costs in recall."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from retrieval import spaces
from retrieval.encoders.base import Encoder, EncoderError, text_space
from retrieval.encoders.compact_image import GRAPH, CompactEncoder, CompactSource
from retrieval.encoders.dual import DualSource
from retrieval.encoders.serving import load
from retrieval.management.models_extra import models_extra

if TYPE_CHECKING:
    from retrieval.training.compress import Row

# The teacher that is the site's own image encoder.
OWN = "configured"


class Command(BaseCommand):
    help = (
        "Prunes channels, trains further towards a teacher, and quantises to int8, in this order, whichever are asked "
        "for; writes the encoder that serves and prints the recall of each form on held-out pictures. The last line "
        "is one JSON object."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "trained", type=Path, help="a run of train_encoder, or a folder with an encoder in float32"
        )
        parser.add_argument(
            "--prune", type=float, metavar="SHARE", help="take this share of the inner channels out"
        )
        parser.add_argument(
            "--distil",
            metavar="TEACHER",
            help=f"train further towards an encoder: {OWN}, a folder, or the name of a model with two towers",
        )
        parser.add_argument("--int8", action="store_true", help="quantise what is written")
        parser.add_argument(
            "--steps", type=int, help="of further training; default: 500 with --distil, else none"
        )
        parser.add_argument("--rate", type=float, default=3e-4, help="the highest learning rate of these")
        parser.add_argument(
            "--resume", action="store_true", help="go on with further training that was killed"
        )
        parser.add_argument("--corpus", type=Path, help="prepared pictures; default: RUN/corpus")
        parser.add_argument(
            "--held-out", type=Path, help="prepared pictures that measure; default: beside the corpus"
        )
        parser.add_argument("--output", type=Path, help="default: compressed in the folder given first")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--threads", type=int, default=1)

    def handle(self, *_args: Any, **options: Any) -> None:
        with models_extra():
            import torch
        from retrieval.training.corpus import CorpusError
        from retrieval.training.loop import TrainingError

        if not (options["prune"] or options["distil"] or options["int8"]):
            raise CommandError("Say what to do: --prune SHARE, --distil TEACHER, --int8, or several of them.")
        if options["prune"] is not None and not 0 < options["prune"] < 1:
            raise CommandError("--prune wants a share between 0 and 1.")
        torch.set_num_threads(options["threads"])
        try:
            rows, answer = self._compress(options)
        except (CorpusError, TrainingError, EncoderError) as error:
            raise CommandError(str(error)) from error
        self._table(rows)
        self.stdout.write(json.dumps({**answer, "forms": [asdict(row) for row in rows]}))

    def _compress(self, options: dict[str, Any]) -> tuple[list["Row"], dict[str, Any]]:
        from retrieval.encoders.text_head import text_head
        from retrieval.training import compress, corpus, export, held_out

        trained: Path = options["trained"]
        of_corpus: Path = options["corpus"] or trained / "corpus"
        prepared = corpus.load(of_corpus)
        held = held_out.held_out(corpus.load(options["held_out"] or of_corpus.with_name("held-out")))
        output: Path = options["output"] or trained / "compressed"
        rows: list[Row] = []
        if (trained / GRAPH).exists():
            graph, head, config = self._exported(trained, options)
            side_px, name, space = config.side_px, config.name, config.text_space
            taken = 0
        else:
            model, recipe = compress.read_run(trained)
            side_px, name, space = recipe.stages[-1].side_px, "compact", text_space(spaces.text_encoder())
            rows.append(compress.measured("as trained", model, held, side_px))
            taken = compress.prune(model, options["prune"]) if options["prune"] else 0
            if taken:
                rows.append(compress.measured(f"pruned by {options['prune']:g}", model, held, side_px))
            steps = options["steps"] or (500 if options["distil"] else 0)
            if steps:
                compress.further(
                    model,
                    prepared,
                    held,
                    recipe,
                    output / "run",
                    steps=steps,
                    learning_rate=options["rate"],
                    teacher=_teacher(options["distil"]) if options["distil"] else None,
                    seed=options["seed"],
                    resume=options["resume"],
                    say=self.stderr.write,
                )
                form = f"taught by {options['distil']}" if options["distil"] else "trained further"
                rows.append(compress.measured(form, model, held, side_px))
            graph = export.float32_graph(model.tower, side_px)
            try:
                head = text_head(export.head_weights(model.head), held.queries.shape[1])
            except ValueError as error:
                raise CommandError(str(error)) from error
        config, cost = export.export_graph(
            graph,
            head,
            prepared,
            held,
            output,
            side_px=side_px,
            name=name,
            text_space=space,
            int8=options["int8"],
        )
        if options["int8"]:
            if not rows:
                took = compress.milliseconds(graph, held, side_px)
                rows.append(compress.Row("as given", cost.float32_megabytes, took, cost.float32_recall))
            took = compress.milliseconds((output / GRAPH).read_bytes(), held, side_px)
            rows.append(compress.Row("int8", cost.megabytes, took, cost.recall))
        return rows, {"output": str(output), "encoder": config.revision, "weights_pruned": taken}

    def _exported(self, folder: Path, options: dict[str, Any]) -> Any:
        """Graph, head and config of an encoder that is written already."""
        import onnx

        if options["prune"] or options["distil"] or options["steps"]:
            raise CommandError(
                f"{folder} is an encoder that cannot be trained any more: name the run that it came from."
            )
        encoder = CompactEncoder(CompactSource(folder), spaces.text_encoder())
        graph = (folder / GRAPH).read_bytes()
        if any(node.op_type == "DequantizeLinear" for node in onnx.load_model_from_string(graph).graph.node):
            raise CommandError(f"{folder / GRAPH} is in int8 already.")
        return graph, encoder.head, encoder.config

    def _table(self, rows: list["Row"]) -> None:
        names = list(rows[0].figures)
        heading = " ".join(f"{name:>{max(8, len(name))}}" for name in names)
        self.stdout.write(f"{'form':34} {'MB':>7} {'ms':>7} {heading}")
        for row in rows:
            said = " ".join(f"{row.figures[name]:{max(8, len(name))}.3f}" for name in names)
            self.stdout.write(f"{row.form[-34:]:34} {row.megabytes:7.2f} {row.ms:7.2f} {said}")
        if len(rows) > 1:
            cost = rows[-1].figures["recall"] - rows[0].figures["recall"]
            self.stdout.write(
                f"recall {cost:+.3f} for {rows[-1].megabytes / rows[0].megabytes:.2f} of the size"
            )


def _teacher(name: str) -> Encoder:
    """Raises EncoderError where it cannot be loaded, or knows nothing of pictures."""
    folder = Path(name)
    if name == OWN:
        encoder = spaces.image_encoder()
    elif CompactSource(folder).is_there:
        encoder = CompactEncoder(CompactSource(folder), spaces.text_encoder())
    else:
        encoder = load(DualSource(name), Path(settings.KB_MODELS_DIR))
    if encoder is None or "image" not in encoder.spec.modalities:
        raise EncoderError(f"{name} is no teacher: it encodes no pictures.")
    return encoder
