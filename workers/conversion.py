"""How does an old office file become one that can be read? LibreOffice converts it, as confined as a parser is.

A program of ten million lines reads untrusted bytes here, so it gets what a parser gets: a process of its own with
limits, no network, no secrets in its environment, and a folder that is deleted behind it. Its profile is new each time
and set to run no macro and follow no link. What it writes is then read as any other untrusted file.
"""

import dataclasses
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from kb.exceptions import FailureCode, IngestError
from workers.extract.limits import CONVERSION
from workers.extract.wire import LOG_FILE, NOT_CONFINED

# Names under which it is installed.
_PROGRAMS = ("soffice", "libreoffice")
# What it ends with after making a new profile: it wants to be started again (sal/rtl/bootstrap, EXITHELPER).
_RESTART = 81
_EXTENSIONS = {"text": "odt", "spreadsheet": "ods", "presentation": "odp", "sheet": "xlsx", "pdf": "pdf"}
# Path in the configuration, property, value. Levels count from never asking (0) to refusing (3); links to other
# files, which could bring in what this machine holds, are never updated.
_SETTINGS = (
    ("/org.openoffice.Office.Common/Security/Scripting", "MacroSecurityLevel", "3"),
    ("/org.openoffice.Office.Common/Security/Scripting", "DisableMacrosExecution", "true"),
    ("/org.openoffice.Office.Common/Security/Scripting", "DisablePythonRuntime", "true"),
    ("/org.openoffice.Office.Common/Security/Scripting", "DisableActiveContent", "true"),
    ("/org.openoffice.Office.Common/Security/Scripting", "BlockUntrustedRefererLinks", "true"),
    ("/org.openoffice.Office.Writer/Content/Update", "Link", "0"),
    ("/org.openoffice.Office.Calc/Content/Update", "Link", "2"),
    ("/org.openoffice.Office.Common/Misc", "FirstRun", "false"),
    ("/org.openoffice.Office.Common/Java/ApplicationInterface", "Enable", "false"),
)

Run = Callable[..., dict[str, Any]]


def converted(path: Path, *, name: str, target: str, folder: Path, run: Run) -> Path | None:
    """The file at `path` as media type `target`, inside the empty `folder`; None when LibreOffice cannot read it.

    `run` does a job in a limited child. Raises IngestError: the converter is missing, or passed a limit.
    """
    program = _program()
    profile, out = folder / "profile", folder / "out"
    (profile / "user").mkdir(parents=True)
    out.mkdir()
    (profile / "user" / "registrymodifications.xcu").write_text(_configuration(), encoding="utf-8")
    # Some old formats are told by the name alone.
    suffix = Path(name).suffix.lower()
    original = folder / f"in{suffix if suffix[1:].isalnum() and suffix.isascii() else ''}"
    shutil.copyfile(path, original)
    extension = _EXTENSIONS[target.rpartition(".")[2].rpartition("/")[2]]
    job = {
        "program": [
            program,
            f"-env:UserInstallation={profile.resolve().as_uri()}",
            *("--headless", "--nologo", "--norestore", "--nolockcheck", "--nodefault"),
            *("--convert-to", extension, "--outdir", str(out.resolve()), str(original.resolve())),
        ],
        "source": {"scratch": str(folder.resolve())},
        "limits": dataclasses.asdict(CONVERSION),
    }
    for _ in range(2):
        reply = run(job, wall_s=CONVERSION.wall_s)
        (folder / LOG_FILE).unlink(missing_ok=True)
        if _exit_code(reply) != _RESTART:
            break
    if reply["verdict"]:
        raise IngestError(FailureCode(reply["verdict"]))
    if _exit_code(reply) == NOT_CONFINED:
        raise IngestError(
            FailureCode.CONVERTER_MISSING,
            "This format needs LibreOffice, which this machine cannot keep from the network, so it is not run.",
        )
    return _result(out / f"in.{extension}")


def _program() -> str:
    for name in _PROGRAMS:
        if found := shutil.which(name):
            # The start script only looks for a display and Java, and its child would outlive it.
            real = Path(os.path.realpath(found)).with_name("soffice.bin")
            return str(real if os.access(real, os.X_OK) else found)
    raise IngestError(
        FailureCode.CONVERTER_MISSING,
        "This format is converted by LibreOffice, which is not installed here. Install it, or save the file anew.",
    )


def _configuration() -> str:
    items = "".join(
        f"<item oor:path={quoteattr(path)}><prop oor:name={quoteattr(name)} oor:op='fuse'><value>{value}</value></prop>"
        "</item>"
        for path, name, value in _SETTINGS
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<oor:items xmlns:oor="http://openoffice.org/2001/registry" '
        f'xmlns:xs="http://www.w3.org/2001/XMLSchema">{items}</oor:items>'
    )


def _exit_code(reply: dict[str, Any]) -> int:
    status = int(reply["status"]) if not reply["verdict"] else 0
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1


def _result(path: Path) -> Path | None:
    try:
        facts = path.lstat()
    except FileNotFoundError:
        return None
    # Nothing but a file of its own: a link would have a parser read what the converter could not.
    return path if stat.S_ISREG(facts.st_mode) and facts.st_nlink == 1 and facts.st_size else None
