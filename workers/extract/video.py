"""What does a video show, say in its subtitles, and read on screen? One time range of it at a time.

Part 0 surveys the whole file, since only its packets tell how long it really is, and brings its subtitles, tags and
preview; every part brings the shots of its own range.
"""

from typing import Any

import av
from av.container import InputContainer
from PIL import Image

from workers.extract import frames, limits, media, ocr, pixels
from workers.extract.base import PREVIEW_FRAMES, Extraction, OcrLine, Picture, Source, TextBlock, Warning_
from workers.extract.cues import windows
from workers.extract.shots import Pixels, Shot, ShotFinder, alike

warm = ocr.warm

_PREVIEW_WIDTH_PX = 160
# Tall phone videos: three times the width is enough.
_MOST_PREVIEW_HEIGHT_PX = 284


def extract(source: Source) -> Extraction:
    if source.part:
        return Extraction(**_shots(source), parts=source.part + 1)
    with media.opened(source) as container:
        survey = media.survey(container)
        said = media.tags(container)
        stream = media.pictures_of(container)
        sound = bool(container.streams.audio) and survey.audio_packets > 0
        size: dict[str, Any] = {}
        if stream is not None and media.moving(stream):
            frames.prepare(stream)
            size = _size(stream)
    warnings = list(survey.warnings)
    shown: dict[str, Any] = {"pictures": (), "warnings": ()}
    if size:
        shown = _shots(source)
    turned = shown.pop("turned", False)
    if not size and not sound and not survey.cues:
        warnings.append(Warning_("no_content", "The file has neither pictures nor sound that can be read."))
    pictures = [*shown["pictures"]]
    if size and pictures:
        pictures += _preview(source, survey.duration_s)
    if turned:
        size["width_px"], size["height_px"] = size["height_px"], size["width_px"]
    title = said.pop("title", "")
    return Extraction(
        blocks=described(said),
        pictures=tuple(pictures),
        speech=windows(survey.cues),
        title=title,
        metadata=said,
        duration_ms=round(survey.duration_s * 1000) or None,
        has_sound=sound,
        warnings=(*warnings, *shown["warnings"]),
        parts=survey.parts if size else 1,
        **size,
    )


def described(said: dict[str, str]) -> tuple[TextBlock, ...]:
    """The tags that are sentences or names, to be found by."""
    names = ("artist", "album", "composer", "description", "comment", "lyrics")
    words = "\n".join(dict.fromkeys(said[name] for name in names if said.get(name)))
    return (TextBlock(words),) if words else ()


def _size(stream: Any) -> dict[str, Any]:
    rate = stream.average_rate
    return {
        "width_px": stream.codec_context.width,
        "height_px": stream.codec_context.height,
        "frames_per_s": round(float(rate), 3) if rate and 0 < rate < 100_000 else None,
    }


def _shots(source: Source) -> dict[str, Any]:
    """The shots of the part's range, as fields of an Extraction. Part 0 fails when nothing can be decoded."""
    start_ms = source.part * limits.SECONDS_PER_PART * 1000
    end_ms = start_ms + limits.SECONDS_PER_PART * 1000
    reading = frames.Reading()
    finder = ShotFinder(start_ms)
    seen, last_ms, turned = 0, start_ms, False
    with media.opened(source) as container:
        stream = media.pictures_of(container)
        if stream is None:
            return {"warnings": (Warning_("media_damaged", ""),)}
        frames.prepare(stream)
        for frame in frames.sampled(container, stream, start_ms, end_ms, reading):
            finder.add(frame)
            last_ms = frame.time_ms
            if not seen:
                first = frame.picture()
                width, height = first.size
                turned = (width > height) != (stream.codec_context.width > stream.codec_context.height)
            seen += 1
    # The last frame lasts until the end of the recording, or of the range.
    end_ms = max(last_ms, min(end_ms, reading.end_ms))
    warnings: list[Warning_] = []
    if reading.broken or not seen:
        at = (
            f" between {start_ms // 1000} s and {end_ms // 1000} s"
            if seen
            else f" from {start_ms // 1000} s on"
        )
        warnings.append(Warning_("media_damaged", f"Pictures of the video{at} could not be decoded."))
    found = finder.finish(end_ms) if seen else []
    if seen and not source.part and not any(shot.picture for shot in found):
        # Blank from beginning to end: something has to stand for the video.
        found = [Shot(0, end_ms, first, None)]
    pictures = _pictures(found, source)
    return {"pictures": pictures, "warnings": tuple(warnings)} | (
        {"turned": turned} if not source.part else {}
    )


def _pictures(found: list[Shot], source: Source) -> tuple[Picture, ...]:
    read = _read(found)
    pictures = []
    for number, shot in enumerate(found):
        if shot.picture is None:
            continue
        stored = shot.picture.copy()
        stored.thumbnail((limits.MAX_KEYFRAME_SIDE_PX, limits.MAX_KEYFRAME_SIDE_PX))
        pictures.append(
            Picture(
                "shot",
                file=pixels.store(stored, source.scratch, f"shot-{number:04}"),
                ocr=read.get(number, ()),
                width_px=stored.width,
                height_px=stored.height,
                start_ms=shot.start_ms,
                end_ms=shot.end_ms,
            )
        )
    return tuple(pictures)


def _read(found: list[Shot]) -> dict[int, tuple[OcrLine, ...]]:
    """The words on the keyframes of the longest shots, by number; what looks the same is read once."""
    longest = sorted(range(len(found)), key=lambda number: found[number].start_ms - found[number].end_ms)
    lines: dict[int, tuple[OcrLine, ...]] = {}
    known: list[tuple[Pixels, int]] = []
    for number in longest:
        shot = found[number]
        if shot.picture is None or shot.small is None:
            continue
        same = next((other for small, other in known if alike(small, shot.small)), None)
        if same is not None:
            lines[number] = lines[same]
        elif len(known) < limits.MAX_OCR_SHOTS:
            lines[number] = ocr.read_lines(shot.picture)
            known.append((shot.small, number))
    return lines


def _preview(source: Source, duration_s: float) -> list[Picture]:
    """PREVIEW_FRAMES keyframes from all over the video, side by side; none where seeking does not work."""
    cells: list[Image.Image] = []
    with media.opened(source) as container:
        stream = media.pictures_of(container)
        frames.prepare(stream)
        for number in range(PREVIEW_FRAMES):
            cell = _keyframe(container, stream, duration_s * (number + 0.5) / PREVIEW_FRAMES)
            if cell is not None:
                cells.append(cell)
    if not cells:
        return []
    # A hole, where a frame could not be read, shows its neighbour.
    cells += [cells[-1]] * (PREVIEW_FRAMES - len(cells))
    width, height = cells[0].size
    height = min(_MOST_PREVIEW_HEIGHT_PX, max(2, round(height * _PREVIEW_WIDTH_PX / width)))
    strip = Image.new("RGB", (_PREVIEW_WIDTH_PX * PREVIEW_FRAMES, height))
    for number, cell in enumerate(cells):
        strip.paste(cell.resize((_PREVIEW_WIDTH_PX, height)), (number * _PREVIEW_WIDTH_PX, 0))
    return [Picture("preview", file=pixels.store(strip, source.scratch, "preview"))]


def _keyframe(container: InputContainer, stream: Any, seconds: float) -> Image.Image | None:
    """The last keyframe before that moment."""
    if not media.seek(container, stream, seconds):
        return None
    try:
        for frame in container.decode(stream):
            return frames.picture(frame, 2 * _PREVIEW_WIDTH_PX)
    except MemoryError:
        raise
    except (av.FFmpegError, ValueError):
        return None
    return None
