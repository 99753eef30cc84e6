"""What does a web process do before its first request? gunicorn reads this file: `--config python:kb.serving`.

A first search would load the encoders, which takes a second or more. So each worker process loads them when it starts
to serve: after the fork, since the threads of a loaded model do not live through one, and beside the requests.
"""

import threading
from typing import Any

from django.dispatch import Signal

# kb knows nothing of encoders; who has something to load listens.
started = Signal()


def post_worker_init(_worker: Any) -> None:
    """gunicorn calls this in each worker process, once the application is loaded."""
    threading.Thread(target=started.send_robust, args=(None,), name="warm-up", daemon=True).start()
