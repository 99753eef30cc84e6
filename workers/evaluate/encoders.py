"""Which encoder is measured? The site's, or one in a folder that is not in use yet."""

from pathlib import Path

from retrieval import spaces
from retrieval.encoders.base import Encoder, EncoderError


def picture_encoder(folder: Path | None) -> Encoder:
    """Of pictures and of words about them. Raises EncoderError where there is none."""
    if folder is not None:
        from retrieval.encoders.compact_image import CompactEncoder, CompactSource

        return CompactEncoder(CompactSource(folder), spaces.text_encoder())
    encoder = spaces.image_encoder()
    if encoder is None:
        raise EncoderError("No image encoder is configured: set KB_IMAGE_ENCODER, or give --image-onnx DIR.")
    if not {"text", "image"} <= encoder.spec.modalities:
        raise EncoderError(f"{encoder.spec.name} does not read both words and pictures.")
    return encoder
