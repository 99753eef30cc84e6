"""`manage.py relay`: sends ready ingest steps to the workers and takes lost ones back, until told to stop."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from workers import metrics, relay


class Command(BaseCommand):
    help = "Sends ready ingest steps to the workers and takes lost ones back, until told to stop."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="One round, then end.")
        parser.add_argument(
            "--metrics-port", type=int, default=0, help="Serve Prometheus metrics; 0: do not."
        )
        parser.add_argument("--metrics-address", default="127.0.0.1", help="Where to serve them.")

    def handle(self, *_: Any, **options: Any) -> None:
        if options["once"]:
            self.stdout.write(f"{relay.turn()} steps sent.")
            return
        if options["metrics_port"]:
            metrics.serve(options["metrics_port"], options["metrics_address"])
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        relay.run(stop)
