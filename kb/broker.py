"""How do messages travel in embedded mode? As files in one folder: kombu's filesystem transport, made robust.

kombu's own (5.7) writes a message in place, so a reader may take it half-written and die of it; raises when the
folder is gone, which ends a worker; orders messages by a clock that restarts with the machine; and keeps a taken
message in the system's temporary folder, maybe on another disk. Messages only point at rows, so one that is lost
costs time and no work.
"""

import contextlib
import json
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import filesystem

_SUFFIX = ".msg"


class FolderChannel(filesystem.Channel):
    """One file a message, named by time and queue; complete as soon as its name is there."""

    # The stubs of the two base classes name the second argument differently, so no signature suits both.
    def _put(self, queue: str, message: Any, **_: Any) -> None:  # type: ignore[override]
        folder = self._folder()
        name = f"{time.time_ns():020}_{uuid.uuid4().hex}"
        draft = folder / f"{name}.draft"
        draft.write_text(json.dumps(message))
        draft.rename(folder / f"{name}.{queue}{_SUFFIX}")

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:  # noqa: ARG002 - never waits
        for path in self._messages(queue):
            taken = path.with_suffix(f".{uuid.uuid4().hex}")
            # Of several readers the one whose rename succeeds has it.
            with contextlib.suppress(FileNotFoundError):
                path.rename(taken)
                text = taken.read_text()
                taken.unlink()
                message: dict[str, Any] = json.loads(text)
                return message
        raise Empty

    def _size(self, queue: str) -> int:
        return len(self._messages(queue))

    def _purge(self, queue: str) -> int:
        messages = self._messages(queue)
        for path in messages:
            path.unlink(missing_ok=True)
        return len(messages)

    def _queue_bind(self, *names: Any) -> None:
        self.control_folder.mkdir(parents=True, exist_ok=True)
        super()._queue_bind(*names)

    def _messages(self, queue: str) -> list[Path]:
        """Oldest first."""
        ending = f".{queue}{_SUFFIX}"
        try:
            return sorted(path for path in self._folder().iterdir() if path.name.endswith(ending))
        except FileNotFoundError:  # Deleted since it was made; the next look makes it again.
            return []

    def _folder(self) -> Path:
        folder = Path(self.data_folder_in)
        folder.mkdir(parents=True, exist_ok=True)
        return folder


class FolderTransport(filesystem.Transport):
    Channel = FolderChannel

    def drain_events(self, connection: Any, timeout: float | None = None, **_: Any) -> None:
        """Waits at most half a second: a worker looks only in between whether it was told to end."""
        super().drain_events(connection, timeout=None if timeout is None else min(timeout, 0.5))
