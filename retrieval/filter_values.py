"""What does a filter's value name? Kinds, file types, languages and dates, as people write them."""

import re
from datetime import date

_KIND_NAMES = {
    "document": ("document", "documents", "doc", "docs", "文档", "文件"),
    "image": ("image", "images", "picture", "pictures", "photo", "photos", "图片", "图像", "照片"),
    "video": ("video", "videos", "视频", "影片"),
}
_KIND_OF = {alias: kind for kind, aliases in _KIND_NAMES.items() for alias in aliases}

_LANGUAGE_NAMES = {
    "zh": ("chinese", "中文", "汉语", "简体", "简体中文", "cn"),
    "en": ("english", "英文", "英语"),
    "ja": ("japanese", "日文", "日语", "日本語"),
    "ko": ("korean", "韩文", "韩语", "한국어"),
    "de": ("german", "deutsch", "德语"),
    "fr": ("french", "français", "法语"),
    "es": ("spanish", "español", "西班牙语"),
    "ru": ("russian", "русский", "俄语"),
}
_LANGUAGE_OF = {alias: code for code, aliases in _LANGUAGE_NAMES.items() for alias in aliases}
_LANGUAGE_CODE = re.compile("([a-z]{2})(?:[-_][a-z0-9]{2,8})*")

_OFFICE = "application/vnd.openxmlformats-officedocument"
_MEDIA_TYPES = {
    "pdf": ("application/pdf",),
    "docx": (f"{_OFFICE}.wordprocessingml.document",),
    "doc": ("application/msword",),
    "word": (f"{_OFFICE}.wordprocessingml.document", "application/msword"),
    "xlsx": (f"{_OFFICE}.spreadsheetml.sheet",),
    "xls": ("application/vnd.ms-excel",),
    "excel": (f"{_OFFICE}.spreadsheetml.sheet", "application/vnd.ms-excel"),
    "pptx": (f"{_OFFICE}.presentationml.presentation",),
    "ppt": ("application/vnd.ms-powerpoint",),
    "powerpoint": (f"{_OFFICE}.presentationml.presentation", "application/vnd.ms-powerpoint"),
    "odt": ("application/vnd.oasis.opendocument.text",),
    "ods": ("application/vnd.oasis.opendocument.spreadsheet",),
    "odp": ("application/vnd.oasis.opendocument.presentation",),
    "rtf": ("application/rtf", "text/rtf"),
    "epub": ("application/epub+zip",),
    "html": ("text/html", "application/xhtml+xml"),
    "htm": ("text/html", "application/xhtml+xml"),
    "md": ("text/markdown",),
    "markdown": ("text/markdown",),
    "rst": ("text/x-rst", "text/prs.fallenstein.rst"),
    "txt": ("text/plain",),
    "text": ("text/plain",),
    "csv": ("text/csv",),
    "json": ("application/json",),
    "xml": ("application/xml", "text/xml"),
    "tex": ("text/x-tex", "application/x-tex"),
    "eml": ("message/rfc822",),
    "msg": ("application/vnd.ms-outlook",),
    "zip": ("application/zip",),
    "png": ("image/png",),
    "jpg": ("image/jpeg",),
    "jpeg": ("image/jpeg",),
    "webp": ("image/webp",),
    "gif": ("image/gif",),
    "tiff": ("image/tiff",),
    "tif": ("image/tiff",),
    "bmp": ("image/bmp",),
    "heic": ("image/heic",),
    "avif": ("image/avif",),
    "svg": ("image/svg+xml",),
    "mp4": ("video/mp4",),
    "mov": ("video/quicktime",),
    "mkv": ("video/x-matroska",),
    "webm": ("video/webm",),
    "mp3": ("audio/mpeg",),
    "wav": ("audio/wav", "audio/x-wav"),
}
_MEDIA_TYPE = re.compile("[a-z]+/[a-z0-9][a-z0-9.+-]*")

# 2026, 2026-01, 2026-01-31; also with slashes, dots, or 年月日.
_DATE = re.compile("(\\d{4})(?:[-/.年](\\d{1,2})(?:[-/.月](\\d{1,2}))?)?[年月日]?")


def kind_of(value: str) -> str:
    """document, image or video; empty when `value` names none."""
    return _KIND_OF.get(value.casefold(), "")


def media_types_of(value: str) -> tuple[str, ...]:
    """The media types of a file name's ending, a program's name or a media type; empty when there are
    none."""
    name = value.casefold().removeprefix(".")
    return _MEDIA_TYPES.get(name) or ((name,) if _MEDIA_TYPE.fullmatch(name) else ())


def language_of(value: str) -> str:
    """ISO 639-1, of a code or a name; empty when `value` is neither."""
    name = value.casefold()
    code = _LANGUAGE_CODE.fullmatch(name)
    return _LANGUAGE_OF.get(name) or (code[1] if code else "")


def day_of(value: str) -> date | None:
    """The first day of a year, month or day, as web search engines read it: after:2025 includes 2025.

    None when there is no such day.
    """
    match = _DATE.fullmatch(value)
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
    except ValueError:  # A month 13, a 30 February, a year 0.
        return None
