"""What is known about a version until it is published? Each part adds what it found to AssetVersion.facts.

A part that runs again replaces what it said before.
"""

from typing import Any

from kb.exceptions import FailureCode
from kb.models import AssetVersion
from workers.extract.base import Extraction

# Of a title, as in Asset.title.
_LONGEST_TITLE = 500
# Said about the whole file at its end, after every part's own.
WHOLE_FILE = 1_000_000
# Warnings after which the file may hold more than was seen.
_MISSING = {FailureCode.CORRUPT, FailureCode.MEMBERS_CAPPED, FailureCode.NESTED_TOO_DEEP}
# An asset's page shows them all; a document of a thousand bad pages says so in a few.
_MOST_WARNINGS = 20


def merge(version: AssetVersion, part: int, extraction: Extraction) -> None:
    """Called with the version's row locked."""
    facts: dict[str, Any] = version.facts
    if part == 0:
        facts["title"] = " ".join(extraction.title.replace("\x00", "").split())[:_LONGEST_TITLE]
        facts["language"] = extraction.language
        facts["metadata"] = {
            key: value.replace("\x00", "") for key, value in extraction.metadata.items() if value
        }
        for name in ("page_count", "width_px", "height_px", "duration_ms", "frames_per_s"):
            facts[name] = getattr(extraction, name)
    found = [[part, warning.code, warning.message.replace("\x00", "")] for warning in extraction.warnings]
    others = [warning for warning in facts.get("warnings", []) if warning[0] != part]
    facts["warnings"] = sorted(others + found, key=lambda warning: warning[0])[:_MOST_WARNINGS]
    version.save(update_fields=["facts"])


def keep_preview(version: AssetVersion, part: int, key: str) -> None:
    """Where the strip of frames is that shows a video at a glance. It belongs to the version, not to a segment."""
    if part == 0 and version.facts.get("preview_key", "") != key:
        version.facts["preview_key"] = key
        version.save(update_fields=["facts"])


def warn(version: AssetVersion, part: int, code: FailureCode, message: str = "") -> None:
    """Adds one warning; called with the version's row locked."""
    warnings = [warning for warning in version.facts.get("warnings", []) if warning[:2] != [part, code]]
    version.facts["warnings"] = [*warnings, [part, str(code), message or str(code.label)]]
    version.save(update_fields=["facts"])


def has_missing_parts(version: AssetVersion) -> bool:
    """Whether something of the file was not read: a later part, or what lies behind damage or a cap."""
    return any(part > 0 or code in _MISSING for part, code, _ in version.facts.get("warnings", []))


def first_warning(version: AssetVersion) -> tuple[str, str]:
    """Its code and sentence; two empty strings when there is none."""
    for _, code, message in version.facts.get("warnings", []):
        return code, message or str(FailureCode(code).label)
    return "", ""
