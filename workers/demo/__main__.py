"""`make demo`: how does a fresh machine get from nothing to searches that answer? Each step in its order.

SERVE=0 ends after the searches; PORT is the web page's. The exit status is 1 when a search missed.
"""

import os
import sys
from argparse import Namespace

# The demo makes accounts with known passwords: never in an installation that is configured for anything else.
os.environ["DJANGO_SETTINGS_MODULE"] = "kb.settings.embedded"

import django

django.setup()

from kb.exceptions import KbError  # noqa: E402 - needs Django set up
from workers.demo.run import prepare, serve, show_examples  # noqa: E402 - likewise


def main() -> int:
    serving = Namespace(port=int(os.environ.get("PORT", "8000")), workers=os.cpu_count() or 1)
    with prepare(workers=serving.workers) as users:
        missed = show_examples(users)
    if missed or os.environ.get("SERVE", "1") == "0":
        return 1 if missed else 0
    return serve(serving.port, serving.workers)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KbError as error:
        sys.exit(f"demo: {error}")
    except KeyboardInterrupt:
        sys.exit(130)  # As a shell reports Ctrl-C.
