"""Which subtitle file belongs to which recording? The one beside it with its name: `talk.en.srt` to `talk.mp4`.

The words of such a side-car stay rows of the side-car's own asset, with its readers, and count for the recording
when a search is answered: docs/decisions/0007-side-car-subtitles.md says why.
"""

import re
from pathlib import PurePosixPath

from django.db.models import F, Q, QuerySet

from kb.models import Asset, Segment, SegmentKind
from kb.permissions import AnyUser, visible_assets, visible_segments

SUBTITLE_TYPES = frozenset({"text/vtt", "application/x-subrip"})
SUBTITLE_EXTENSIONS = (".srt", ".vtt")
# Where two recordings share a name, the first kind has the subtitles.
RECORDING_EXTENSIONS = (
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ogv", ".3gp",
    ".mp3", ".m4a", ".wav", ".flac", ".ogg", ".oga", ".opus", ".aac",
)  # fmt: skip
# What may stand between the name and the extension: a language (en, zh-Hans, pt_BR), and what kind of subtitles.
_QUALIFIER = re.compile(r"\.(?:[a-z]{2,3}(?:[-_][a-z0-9]{2,8}){0,2}|forced|sdh|cc|default)", re.IGNORECASE)
_MOST_QUALIFIERS = 2


def is_recording(media_type: str) -> bool:
    return media_type.startswith(("video/", "audio/"))


def recording_uris(source_uri: str) -> list[str]:
    """Where the recording of the side-car at `source_uri` may be, likeliest first; none for what is no side-car."""
    path = PurePosixPath(source_uri)
    if path.suffix.lower() not in SUBTITLE_EXTENSIONS or "://" in source_uri:
        return []
    stems = [str(path.with_suffix(""))]
    for _ in range(_MOST_QUALIFIERS):
        shorter = PurePosixPath(stems[-1])
        if not _QUALIFIER.fullmatch(shorter.suffix):
            break
        stems.append(str(shorter.with_suffix("")))
    return [
        stem + extension
        for stem in stems
        for lower in RECORDING_EXTENSIONS
        for extension in (lower, lower.upper())
    ]


def with_side_cars(user: AnyUser, asset: Asset) -> QuerySet[Segment]:
    """The asset's segments that `user` may see, and the spoken words of the side-cars that they may see."""
    own = Q(asset=asset)
    if is_recording(asset.media_type):
        own |= Q(asset__in=_side_cars(user, asset), kind=SegmentKind.SPEECH)
    return visible_segments(user).filter(own, version=F("asset__version"))


def _side_cars(user: AnyUser, asset: Asset) -> list[int]:
    """Subtitle files that belong to this recording, and to none that is likelier."""
    beside = visible_assets(user).filter(collection=asset.collection_id, version__gt=0)
    prefix = str(PurePosixPath(asset.source_uri).with_suffix("")) + "."
    found = []
    for pk, uri in beside.filter(media_type__in=SUBTITLE_TYPES, source_uri__startswith=prefix).values_list(
        "pk", "source_uri"
    ):
        uris = recording_uris(uri)
        if asset.source_uri in uris:
            likelier = uris[: uris.index(asset.source_uri)]
            if not beside.filter(source_uri__in=likelier).exists():
                found.append(pk)
    return found
