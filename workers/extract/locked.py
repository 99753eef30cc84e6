"""What can be read of a file that a password protects? Nothing, and that is its outcome."""

from workers.extract.base import Extraction, ExtractionError, Source


def extract(_source: Source) -> Extraction:
    raise ExtractionError("encrypted")
