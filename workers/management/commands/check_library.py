"""`manage.py check_library`: proves that rows, statistics and objects agree, or names what does not."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from kb.storage import storage
from workers import checks


class Command(BaseCommand):
    help = "Proves that rows, statistics and objects agree, or names what does not and exits non-zero."

    def handle(self, *_: Any, **__: Any) -> None:
        findings = list(checks.check(storage()))
        for finding in findings:
            self.stdout.write(f"{finding.count} {finding.what}; for example {finding.example}")
        # Orphans cost disk, and a step in the middle of its work makes some: they are said, and are no failure.
        if any(finding.what != checks.ORPHANS for finding in findings):
            raise CommandError("The library does not agree with itself.")
        self.stdout.write("Rows, statistics and objects agree.")
