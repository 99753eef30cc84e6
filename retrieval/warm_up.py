"""What can be loaded before anybody searches? The encoders, and the libraries below them, by one pass of each."""

import time

import structlog
from django.db import DatabaseError, connection
from PIL import Image

from kb.models import SetState, VectorSet
from kb.models.vector import Modality
from retrieval import spaces
from retrieval.encoders.base import EncoderError, EncoderSpec
from retrieval.encoders.inner_pictures import inner_pictures
from retrieval.encoders.lettering import seems_written

log = structlog.get_logger(__name__)


def load_encoders() -> None:
    """Never raises: a process that could not load them says so in its log, and its first search says it to a person."""
    began = time.perf_counter()
    try:
        spaces.text_encoder().encode_texts(["pump"], query=True)
        picture = Image.new("RGB", (64, 64), "white")
        image = spaces.image_encoder()
        for encoder in (spaces.lookalike_encoder(), image):
            if encoder is not None:
                encoder.encode_images([picture])
        inner_pictures(picture)
        seems_written(picture)
        _compare_with_library()
    except (EncoderError, DatabaseError) as error:
        log.warning("warm_up.failed", error=str(error))
        return
    finally:
        connection.close()  # This thread has one of its own, and ends.
    log.info("warm_up.done", seconds=round(time.perf_counter() - began, 2))


def _compare_with_library() -> None:
    """Says where the library was read with other encoders than this process asks with."""
    image = spaces.image_encoder()
    wanted: dict[Modality, EncoderSpec] = {Modality.TEXT: spaces.text_encoder().spec}
    if image is not None:
        wanted[Modality.VISUAL] = image.spec
    for modality, spec in wanted.items():
        active = VectorSet.objects.filter(modality=modality, state=SetState.ACTIVE).first()
        if active is not None and (active.encoder, active.revision) != (spec.name, spec.revision):
            log.warning(
                "vectors.of_another_encoder",
                modality=str(modality),
                library=str(active),
                encoder=spec.key,
                remedy="manage.py rebuild_vectors",
            )
