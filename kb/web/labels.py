"""What do people call the things that the database knows by a code?"""

from django.utils.functional import Promise
from django.utils.translation import get_language, get_language_info, gettext
from django.utils.translation import gettext_lazy as _

from kb.exceptions import FailureCode
from kb.models import IngestItem, Outcome, Role, SegmentKind, StepName

KINDS: dict[str, str | Promise] = {"document": _("Document"), "image": _("Image"), "video": _("Video")}
ROLES: dict[Role, str | Promise] = {
    Role.VIEWER: _("Viewer"),
    Role.EDITOR: _("Editor"),
    Role.MANAGER: _("Manager"),
}
SEGMENTS: dict[str, str | Promise] = {
    SegmentKind.TEXT: _("Passage"),
    SegmentKind.PAGE: _("Page"),
    SegmentKind.FIGURE: _("Figure"),
    SegmentKind.IMAGE: _("Image"),
    SegmentKind.SHOT: _("Scene"),
    SegmentKind.SPEECH: _("Speech"),
}
OUTCOMES: dict[str, str | Promise] = {
    Outcome.PENDING: _("In progress"),
    Outcome.INDEXED: _("Searchable"),
    Outcome.PARTIAL: _("Searchable in part"),
    Outcome.UNCHANGED: _("Already there"),
    Outcome.UNSUPPORTED: _("Not supported"),
    Outcome.FAILED: _("Failed"),
    Outcome.CANCELLED: _("Cancelled"),
}
STEPS: dict[str, str | Promise] = {
    StepName.EXTRACT: _("Reading"),
    StepName.TRANSCRIBE: _("Listening"),
    StepName.EMBED: _("Understanding"),
    StepName.INDEX: _("Indexing"),
}


def kind(code: str) -> str:
    return str(KINDS.get(code, code))


def interface_language() -> str:
    """ISO 639-1 code of the language in which the page is shown."""
    return (get_language() or "en").split("-")[0]


def language(code: str) -> str:
    """The name of a content's language, in the interface's language; the code itself when it has no name."""
    if code.split("-")[0] == "zh":
        # Django names the two scripts only; what is detected in a text is the language.
        return gettext("Chinese")
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return code


def moment(ms: int) -> str:
    """A place in a recording, as players show it: 1:05, 1:00:05."""
    seconds = ms // 1000
    hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def seconds(ms: int) -> str:
    """A moment as players' addresses have it, never before it: the frame before would be another shot's."""
    tenths = -(-ms // 100)
    return f"{tenths // 10}.{tenths % 10}" if tenths % 10 else str(tenths // 10)


def duration(seconds: float) -> str:
    """For someone who waits: seconds below a minute and a half, then minutes, then hours."""
    if seconds < 90:
        return gettext("%(n)d s") % {"n": round(seconds)}
    if seconds < 90 * 60:
        return gettext("%(n)d min") % {"n": round(seconds / 60)}
    return gettext("%(n)d h") % {"n": round(seconds / 3600)}


def place(page: int | None, start_ms: int | None) -> str:
    """Where in an asset something stands; empty when it is the asset as a whole."""
    if page is not None:
        return gettext("Page %(page)d") % {"page": page}
    return "" if start_ms is None else moment(start_ms)


def reason(item: IngestItem) -> tuple[str, str]:
    """Why a file is not searchable, or only in part: in the reader's language, and in the worker's own words.

    The second is empty where it would only repeat the first. Workers write English; the closed list of codes
    is what the catalogue can translate, so outside English the code's sentence comes first.
    """
    if not item.error_code:
        return item.error_message, ""
    advice = (
        str(FailureCode(item.error_code).label) if item.error_code in FailureCode.values else item.error_code
    )
    message = item.error_message or advice
    if interface_language() == "en":
        return message, ""
    translated = gettext(advice)
    return translated, "" if message == advice else message
