"""What may the settings of a source say? One dataclass for each kind; what is wrong is named with its remedy."""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kb.exceptions import KbError
from kb.models import SourceKind

# Environment variables that a source may name: any other would let its maker send this server's own secrets, as an
# access key, to a server of theirs.
SECRET_NAME = re.compile(r"KB_SOURCE_[A-Z0-9_]{1,80}")
# A site of 100,000 pages is not crawled link by link.
MOST_PAGES = 100_000
MOST_DEPTH = 20
# Politeness that makes a scan of the default 500 pages last longer than half a day helps nobody.
LONGEST_DELAY_S = 60.0


class SourceSettingsError(KbError):
    """The settings of this source are not right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderSettings:
    """A folder of the server, local or mounted."""

    path: str

    def __post_init__(self) -> None:
        if not Path(self.path).is_absolute() or ".." in Path(self.path).parts:
            raise SourceSettingsError("`path` must be an absolute path on the server, such as /srv/share.")


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Settings:
    """The objects of a bucket whose keys begin with `prefix`; keys are in the environment of the workers."""

    endpoint: str
    bucket: str
    prefix: str = ""
    secure: bool = True
    region: str = ""
    access_key_env: str = ""
    secret_key_env: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9.-]+(:\d{1,5})?", self.endpoint):
            raise SourceSettingsError("`endpoint` must be a host, perhaps with a port, without a scheme.")
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", self.bucket):
            raise SourceSettingsError("`bucket` must be 3 to 63 of a-z 0-9 . -")
        for name in (self.access_key_env, self.secret_key_env):
            if name and not SECRET_NAME.fullmatch(name):
                raise SourceSettingsError(
                    "`access_key_env` and `secret_key_env` name environment variables of the workers, which "
                    "begin with KB_SOURCE_."
                )
        if bool(self.access_key_env) != bool(self.secret_key_env):
            raise SourceSettingsError("Name both `access_key_env` and `secret_key_env`, or neither.")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebsiteSettings:
    """The pages of one host: those of its sitemap, or those that links lead to from `url`."""

    url: str
    sitemap: str = ""
    # Only addresses whose path begins so.
    path_prefix: str = "/"
    max_depth: int = 3
    max_pages: int = 500
    delay_s: float = 1.0

    def __post_init__(self) -> None:
        for name in ("url", "sitemap"):
            address = getattr(self, name)
            if address or name == "url":
                _require_web_address(name, address)
        if self.sitemap and urlsplit(self.sitemap).hostname != urlsplit(self.url).hostname:
            raise SourceSettingsError("`sitemap` must be on the host of `url`.")
        if not self.path_prefix.startswith("/"):
            raise SourceSettingsError("`path_prefix` must begin with a slash.")
        if not 0 <= self.max_depth <= MOST_DEPTH:
            raise SourceSettingsError(f"`max_depth` must be 0 to {MOST_DEPTH}.")
        if not 1 <= self.max_pages <= MOST_PAGES:
            raise SourceSettingsError(f"`max_pages` must be 1 to {MOST_PAGES}.")
        if not 0 <= self.delay_s <= LONGEST_DELAY_S:
            raise SourceSettingsError(f"`delay_s` must be 0 to {LONGEST_DELAY_S:g}.")


Settings = FolderSettings | S3Settings | WebsiteSettings
_CLASSES: dict[str, type[FolderSettings] | type[S3Settings] | type[WebsiteSettings]] = {
    SourceKind.FOLDER: FolderSettings,
    SourceKind.S3: S3Settings,
    SourceKind.WEBSITE: WebsiteSettings,
}


def parse(kind: str, values: Mapping[str, Any]) -> Settings:
    """Raises SourceSettingsError."""
    wanted = _CLASSES[kind]
    fields = {field.name: field for field in dataclasses.fields(wanted)}
    for name, value in values.items():
        if name not in fields:
            raise SourceSettingsError(
                f"A source of this kind has no setting `{name}`; it has {_list(fields)}."
            )
        expected = fields[name].type
        # JSON has one kind of number; a boolean is none of them, whatever Python says.
        fits = {
            str: isinstance(value, str),
            bool: isinstance(value, bool),
            int: isinstance(value, int) and not isinstance(value, bool),
            float: isinstance(value, (int, float)) and not isinstance(value, bool),
        }[expected]  # type: ignore[index]  # the classes above have these four
        if not fits or (isinstance(value, str) and (len(value) > 1000 or not value.isprintable())):
            raise SourceSettingsError(f"`{name}` is not of the expected type.")
    missing = [
        name for name, field in fields.items() if field.default is dataclasses.MISSING and name not in values
    ]
    if missing:
        raise SourceSettingsError(f"A source of this kind needs {_list(missing)}.")
    return wanted(**values)


def as_dict(settings: Settings) -> dict[str, Any]:
    return dataclasses.asdict(settings)


def _require_web_address(name: str, address: str) -> None:
    try:
        parts = urlsplit(address)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or parts.username is not None or parts.password is not None:
        raise SourceSettingsError(f"`{name}` must be an http or https address without a password in it.")


def _list(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names)
