"""What does a sound file say about itself? Its tags, its length, its cover. What is said in it is heard elsewhere."""

from workers.extract import media
from workers.extract.base import Extraction, Source
from workers.extract.cues import windows
from workers.extract.video import described


def extract(source: Source) -> Extraction:
    with media.opened(source) as container:
        covers = media.cover(container, source)
    with media.opened(source) as container:
        survey = media.survey(container)
        said = media.tags(container)
        has_sound = any(stream.codec_context is not None for stream in container.streams.audio)
    title = said.pop("title", "")
    return Extraction(
        blocks=described(said),
        pictures=covers,
        speech=windows(survey.cues),
        title=title,
        metadata={name: value for name, value in said.items() if name != "lyrics"},
        duration_ms=round(survey.duration_s * 1000) or None,
        has_sound=has_sound and survey.audio_packets > 0,
        warnings=tuple(survey.warnings),
    )
