"""Which parser reads which media type? Named, not imported, so that a child loads only the one it needs."""

from workers.extract.limits import ARCHIVE, DEFAULT, Limits

# media type -> "module:function", the function being a workers.extract.base.Extractor. A module may also have
# `warm() -> None`, which loads what is slow to load; it runs once, before any untrusted byte is read.
PARSERS: dict[str, str] = {
    "text/plain": "workers.extract.text:extract",
    "text/markdown": "workers.extract.markdown:extract",
    "text/x-rst": "workers.extract.rst:extract",
    "text/html": "workers.extract.html:extract",
    "application/pdf": "workers.extract.pdf:extract",
    "image/png": "workers.extract.image:extract",
    "image/jpeg": "workers.extract.image:extract",
    "image/webp": "workers.extract.image:extract",
    "image/gif": "workers.extract.image:extract",
    "image/tiff": "workers.extract.image:extract",
    "image/bmp": "workers.extract.image:extract",
    "image/heic": "workers.extract.image:extract",
    "image/avif": "workers.extract.image:extract",
    "image/svg+xml": "workers.extract.svg:extract",
    "message/rfc822": "workers.extract.mail:extract",
    "application/vnd.ms-outlook": "workers.extract.msg:extract",
    "application/mbox": "workers.extract.mbox:extract",
    "application/zip": "workers.extract.archive:extract",
    "application/x-tar": "workers.extract.archive:extract",
    "application/gzip": "workers.extract.archive:extract",
    "application/x-bzip2": "workers.extract.archive:extract",
    "application/x-xz": "workers.extract.archive:extract",
    "application/zstd": "workers.extract.archive:extract",
    "application/x-7z-compressed": "workers.extract.archive:extract",
}
# What is unpacked needs more room than what is read.
_LIMITS: dict[str, Limits] = {
    media_type: ARCHIVE
    for media_type, parser in PARSERS.items()
    if parser in ("workers.extract.archive:extract", "workers.extract.mbox:extract")
}


def limits_of(media_type: str) -> Limits:
    """What the parser of such a file may use."""
    return _LIMITS.get(media_type, DEFAULT)
