"""Which parser reads which media type? Named, not imported, so that a child loads only the one it needs."""

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
    "video/mp4": "workers.extract.video:extract",
    "video/quicktime": "workers.extract.video:extract",
    "video/x-matroska": "workers.extract.video:extract",
    "video/webm": "workers.extract.video:extract",
    "video/x-msvideo": "workers.extract.video:extract",
    "video/ogg": "workers.extract.video:extract",
    "audio/mpeg": "workers.extract.audio:extract",
    "audio/mp4": "workers.extract.audio:extract",
    "audio/wav": "workers.extract.audio:extract",
    "audio/flac": "workers.extract.audio:extract",
    "audio/ogg": "workers.extract.audio:extract",
    "text/vtt": "workers.extract.subtitles:extract",
    "application/x-subrip": "workers.extract.subtitles:extract",
}

# What listens to a recording, for a speech model.
LISTENER = "workers.extract.sound:extract"
