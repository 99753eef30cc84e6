"""How does an old office file become one that can be read? LibreOffice converts it, as confined as a parser is.

A program of ten million lines reads untrusted bytes here, so it gets what a parser gets: a process of its own with
limits, no network, no secrets in its environment, and a folder that is deleted behind it. It can open nothing outside
that folder and its own installation: LibreOffice 7.4 draws pictures that a document merely names, whatever its settings
say. Its profile is new each time and set to run no macro. What it writes is then read as any other untrusted file.
"""

import dataclasses
import hashlib
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
# What it ends with after making a new profile (seen with 7.4): it wants to be started again.
_RESTART = 81
# What programs need to start and to draw letters: libraries, fonts, and their settings.
_SYSTEM = (
    *("/usr/lib", "/usr/lib64", "/usr/share", "/usr/bin", "/lib", "/lib64", "/bin"),
    *("/etc/ld.so.cache", "/etc/fonts", "/etc/libreoffice", "/etc/localtime"),
    *("/var/lib/libreoffice", "/var/spool/libreoffice", "/var/cache/fontconfig"),
    *("/dev/urandom", "/dev/zero"),
)
# LibreOffice refuses to start where it cannot make a socket in this very folder.
_SOCKETS = "/tmp"  # noqa: S108 -- nothing is read or written there.
_EXTENSIONS = {"text": "odt", "spreadsheet": "ods", "presentation": "odp", "sheet": "xlsx", "pdf": "pdf"}
# Path in the configuration, property, value. Macros at the highest level of security; links to other files, which
# could bring in what this machine holds, are not to be updated.
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
        "read": [*_SYSTEM, _installation(program)],
        "sockets": [_SOCKETS],
        "source": {"scratch": str(folder.resolve())},
        "limits": dataclasses.asdict(CONVERSION),
    }
    for _ in range(2):
        reply = run(job, kind="pixels", wall_s=CONVERSION.wall_s)  # Which reads the result, too.
        (folder / LOG_FILE).unlink(missing_ok=True)
        _remove_sockets(profile)
        if _exit_code(reply) != _RESTART:
            break
    if reply["verdict"]:
        raise IngestError(FailureCode(reply["verdict"]))
    if _exit_code(reply) == NOT_CONFINED:
        raise IngestError(
            FailureCode.CONVERTER_MISSING,
            "This format needs LibreOffice, which cannot be confined on this machine, so it is not run.",
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


def _remove_sockets(profile: Path) -> None:
    """The socket on which it would meet a second instance: it has no right to remove it, as it has none in /tmp."""
    # Named after the profile: MD5 of its address in UTF-16, the digits of each byte without a leading zero (seen with
    # 7.4), and after the user where it knows one.
    digest = hashlib.md5(profile.resolve().as_uri().encode("utf-16-le"), usedforsecurity=False).digest()
    suffix = "SingleOfficeIPC_" + "".join(f"{byte:x}" for byte in digest)
    for name in (f"OSL_PIPE_{suffix}", f"OSL_PIPE_{os.getuid()}_{suffix}"):
        Path(_SOCKETS, name).unlink(missing_ok=True)


def _installation(program: str) -> str:
    """The folder that the program came in; for a script of somebody's own, no more than that folder of scripts."""
    folder = Path(program).parent
    return str(folder.parent if folder.name == "program" else folder)


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
