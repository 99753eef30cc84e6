"""Placeholder until the engine of workers.extract.ocr moves here."""
