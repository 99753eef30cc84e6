"""What becomes of the files that a parser found inside a file? They come in as members of its asset."""

from functools import partial
from pathlib import Path

from kb import members
from kb.exceptions import FailureCode, IngestError
from kb.members import Budget, Found
from workers import outbox
from workers.extract import limits
from workers.extract.base import Extraction, Member, Warning_
from workers.outbox import Lease

_BUDGET = Budget(depth=limits.MAX_DEPTH, files=limits.MAX_TREE_MEMBERS, size_bytes=limits.MAX_ARCHIVE_BYTES)


def bring_in(lease: Lease, extraction: Extraction, scratch: Path) -> tuple[Warning_, ...]:
    """Returns what is to be said about members that were left out. Safe to repeat."""
    if not extraction.members:
        return ()
    found = [_found(member, scratch) for member in extraction.members]
    left_out = members.bring_in(lease.step.asset_version, found, _BUDGET, partial(outbox.holding, lease))
    return () if left_out is None else (Warning_(left_out, str(left_out.label)),)


def _found(member: Member, scratch: Path) -> Found:
    if member.file:
        return Found(member.path, file=scratch / member.file)
    return Found(member.path, reason=IngestError(FailureCode(member.error), member.message or None))
