"""Pictures of an office that the project draws itself, with labels and sentences that are exact."""

from retrieval.training.drawings import (
    calendars,
    charts,
    codes,
    diagrams,
    documents,
    editors,
    maps,
    round_charts,
    screens,
    web_forms,
    whiteboards,
)
from retrieval.training.drawings.registry import Renderer

RENDERERS: tuple[Renderer, ...] = (
    *charts.renderers(),
    *round_charts.renderers(),
    *diagrams.renderers(),
    *documents.renderers(),
    *screens.renderers(),
    *editors.renderers(),
    *web_forms.renderers(),
    *maps.renderers(),
    *calendars.renderers(),
    *codes.renderers(),
    *whiteboards.renderers(),
)
