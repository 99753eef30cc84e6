from django.apps import AppConfig


class WorkersConfig(AppConfig):
    name = "workers"
    verbose_name = "Ingest"

    def ready(self) -> None:
        """Makes our Celery application the current one in every process, so that any of them can send a task."""
        import workers.celery  # noqa: F401
