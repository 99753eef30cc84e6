"""`manage.py check_library [--repair]`: do rows, vectors, statistics and objects agree, and what can be mended?"""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from kb.storage import storage
from workers import checks, repairs


class Command(BaseCommand):
    help = (
        "Proves that rows, vectors, word statistics and objects agree, or names what does not and exits with 1. "
        "The last line is one JSON object."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--repair",
            action="store_true",
            help="Mend what can be mended safely: count again, remove leftovers and objects that no row has named "
            "for an hour, and have the workers renew vectors and words that are missing.",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        objects = storage()
        found = list(checks.check(objects))
        for finding in found:
            self.stdout.write(f"{finding.count} {finding.what}; for example {finding.example}")
        done = repairs.repair(found, objects) if options["repair"] else []
        for item in done:
            later = ", once the workers are done with them" if item.is_under_way else ""
            self.stdout.write(f"mended: {item.mended} {item.what}{later}")
        left = list(checks.check(objects)) if done else found
        under_way = {item.what: item.mended for item in done if item.is_under_way}
        # Young orphans: a step in the middle of its work makes some. What workers mend is still there now.
        wrong = {
            finding.what: finding.count
            for finding in left
            if finding.what != checks.YOUNG_ORPHANS and finding.count > under_way.get(finding.what, 0)
        }
        if not wrong:
            self.stdout.write("Rows, vectors, statistics and objects agree.")
        answer = {
            "found": {finding.what: finding.count for finding in found},
            "mended": {item.what: item.mended for item in done if not item.is_under_way},
            "under_way": under_way,
            "wrong": wrong,
            "agrees": not wrong,
        }
        self.stdout.write(json.dumps(answer))
        if wrong:
            # Not CommandError: the JSON object stays the last line.
            sys.exit(1)
