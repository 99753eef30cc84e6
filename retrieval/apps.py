from typing import Any

from django.apps import AppConfig


class RetrievalConfig(AppConfig):
    name = "retrieval"
    verbose_name = "Search"

    def ready(self) -> None:
        from kb.serving import started

        started.connect(_warm_up, dispatch_uid="retrieval encoders")


def _warm_up(**_: Any) -> None:
    # Imported here: what a search needs is heavy, and not every process searches.
    from retrieval import warm_up

    warm_up.load_encoders()
