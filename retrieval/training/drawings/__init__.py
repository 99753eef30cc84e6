"""Pictures of an office that the project draws itself, with labels and sentences that are exact."""

from retrieval.training.drawings import charts, diagrams, documents, plans, round_charts, screens
from retrieval.training.drawings.registry import Renderer

RENDERERS: tuple[Renderer, ...] = (
    *charts.renderers(),
    *round_charts.renderers(),
    *diagrams.renderers(),
    *documents.renderers(),
    *screens.renderers(),
    *plans.renderers(),
)
