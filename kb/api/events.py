"""How does someone watch a run without asking each second? As server-sent events, until the run ends.

https://html.spec.whatwg.org/multipage/server-sent-events.html. A stream holds a thread of the web server, so each
lasts minutes at most (browsers then connect again), and each person has few.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Generator, Iterator

from django.conf import settings
from django.http import StreamingHttpResponse
from rest_framework.exceptions import Throttled

from kb import progress
from kb.api.serializers import RunEventSerializer
from kb.models import OPEN_RUN_STATES, IngestRun
from kb.permissions import AnyUser, visible_runs

# After that the browser connects again, maybe with another process: nobody holds a thread for a day.
STREAM_S = 300.0
# Between two looks at the run.
POLL_S = 1.0
# The medians of the steps' stages move slowly, and cost more to ask for than the counts.
STAGES_EVERY = 5
# Open streams of one person and of all people in one process, which has eight threads; who comes too many is told to
# ask for the run itself instead, as the page then does.
STREAMS_A_PERSON = 2
STREAMS_A_PROCESS = 4

_open: Counter[int] = Counter()
_lock = threading.Lock()


class TooManyStreams(Throttled):
    """No further stream; the run's own address tells the same."""

    default_detail = "Too many event streams are open. Ask for the run itself."
    extra_detail_singular = extra_detail_plural = ""


class RunEvents:
    """The body of the answer. Ends when the run does, when the person may not see it any more, or after STREAM_S."""

    def __init__(self, user: AnyUser, run: IngestRun) -> None:
        self._user, self._user_id, self._run_id = user, int(user.pk or 0), run.pk
        self._is_open = True
        with _lock:
            if _open[self._user_id] >= STREAMS_A_PERSON or _open.total() >= STREAMS_A_PROCESS:
                raise TooManyStreams
            _open[self._user_id] += 1
        self._events = self._watch()

    def __iter__(self) -> Iterator[bytes]:
        return self._events

    def close(self) -> None:
        """Called by Django when the answer is over, however it ended, also before it began."""
        self._events.close()
        with _lock:
            if self._is_open:
                self._is_open = False
                _open[self._user_id] -= 1
                if not _open[self._user_id]:
                    del _open[self._user_id]

    def _watch(self) -> Generator[bytes, None, None]:
        until = time.monotonic() + float(getattr(settings, "KB_EVENT_STREAM_S", STREAM_S))
        last, stages, looks = "", list[progress.Stage](), 0
        while True:
            # Asked anew each time: a grant that is taken away takes effect at once.
            run = visible_runs(self._user).filter(pk=self._run_id).first()
            if run is None:
                return
            if looks % STAGES_EVERY == 0 or run.state not in OPEN_RUN_STATES:
                stages = progress.stages_of_run(run)
            looks += 1
            far = progress.of_run(run)
            data = json.dumps(RunEventSerializer({"run": run, "progress": far, "stages": stages}).data)
            # A comment where nothing is new: a client that has gone is only noticed by writing to it.
            yield f"event: progress\ndata: {data}\n\n".encode() if data != last else b": nothing new\n\n"
            last = data
            if run.state not in OPEN_RUN_STATES:
                yield b"event: end\ndata: {}\n\n"
                return
            if time.monotonic() + POLL_S > until:
                return
            time.sleep(POLL_S)


def stream(user: AnyUser, run: IngestRun) -> StreamingHttpResponse:
    """Raises TooManyStreams."""
    response = StreamingHttpResponse(RunEvents(user, run), content_type="text/event-stream; charset=utf-8")
    # nginx would gather the events until its buffer is full.
    response.headers["X-Accel-Buffering"] = "no"
    return response
