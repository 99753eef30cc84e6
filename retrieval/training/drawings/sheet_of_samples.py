"""What do the drawn pictures look like? One picture of many, for a person to judge."""

import io
from collections.abc import Sequence

from PIL import Image

from retrieval.training.drawings.writer import Picture

_CELL_PX = 124


def contact_sheet(samples: Sequence[Picture], columns: int = 10) -> Image.Image:
    rows = (len(samples) + columns - 1) // columns
    sheet = Image.new("RGB", (columns * _CELL_PX, rows * _CELL_PX), (190, 150, 170))
    for i, sample in enumerate(samples):
        with Image.open(io.BytesIO(sample.webp)) as small:
            small.thumbnail((_CELL_PX - 4, _CELL_PX - 4))
            sheet.paste(small, (i % columns * _CELL_PX + 2, i // columns * _CELL_PX + 2))
    return sheet
