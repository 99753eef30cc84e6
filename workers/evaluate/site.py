"""What was measured with? The names that a run keeps, so that two runs can be told apart."""

from django.conf import settings

from retrieval import spaces


def site() -> dict[str, str]:
    """The profile and its encoders."""
    image = spaces.image_encoder()
    return {
        "profile": settings.KB_PROFILE,
        "text_encoder": spaces.text_encoder().spec.key,
        "image_encoder": image.spec.key if image else "none",
    }
