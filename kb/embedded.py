"""Where is everything in embedded mode? One folder holds it all: delete it and the installation is new."""

import contextlib
import hashlib
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# sun_path of unix(7), less its final NUL. macOS has four bytes less.
LONGEST_SOCKET_PATH_BYTES = 103


@dataclass(frozen=True)
class Home:
    """The folder of an embedded installation."""

    root: Path

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def objects(self) -> Path:
        return self.root / "objects"

    @property
    def broker(self) -> Path:
        return self.root / "broker"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    @property
    def static(self) -> Path:
        return self.root / "static"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def socket_dir(self) -> Path:
        """Of Postgres. Not below `root`, nor below a temporary folder with a long path: a socket's is limited."""
        fingerprint = hashlib.sha256(str(self.root.resolve()).encode()).hexdigest()[:16]
        name = f"kb-{os.getuid()}-{fingerprint}"
        chosen = Path(tempfile.gettempdir()) / name
        socket = chosen / ".s.PGSQL.5432"
        return chosen if len(os.fsencode(socket)) <= LONGEST_SOCKET_PATH_BYTES else Path("/tmp") / name  # noqa: S108 - made with mode 0700 by kb.postgres

    def secret_key(self) -> str:
        """Made at the first start and kept, readable by this user only."""
        path = self.root / "secret_key"
        if not path.exists():
            self.root.mkdir(parents=True, exist_ok=True)
            # Written aside and linked into place, so that no other process ever reads half a key.
            handle, draft = tempfile.mkstemp(dir=self.root)
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_urlsafe(50))
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
            Path(draft).unlink()
        return path.read_text()

    def database(self) -> dict[str, Any]:
        """Django's DATABASES entry: over the private socket, no TCP port is opened."""
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "kb",
            "USER": "postgres",
            "HOST": str(self.socket_dir),
            "OPTIONS": {"pool": False, "prepare_threshold": None},
            "CONN_MAX_AGE": 300,
            "CONN_HEALTH_CHECKS": True,
        }

    def broker_options(self) -> dict[str, Any]:
        """kombu's filesystem transport: one folder that every process reads and writes."""
        folder = str(self.broker / "messages")
        return {
            "data_folder_in": folder,
            "data_folder_out": folder,
            "control_folder": str(self.broker / "control"),
            # Seconds between two looks into the folder: short beside a step, and a look costs 20 microseconds.
            "polling_interval": 0.1,
        }
