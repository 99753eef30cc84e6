"""Do translations lie together? Of each text, whether its translation is the nearest of all on the other side."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from retrieval.encoders.base import Encoder, Vectors
from retrieval.evaluation_runs import Run
from retrieval.pairs import Warn, read_pairs
from workers.evaluate.examples import examples
from workers.evaluate.outcome import Outcome, Shown, Table
from workers.evaluate.pairs import Found, find, text_rows

COLUMNS = ("accuracy@1", "recall@10", "mrr")
DIRECTIONS = {"zh_to_en": "Chinese → English", "en_to_zh": "English → Chinese"}


def evaluate_translations(path: Path, encoder: Encoder, warn: Warn) -> Outcome:
    """Figures of `encoder` on the pairs of `path`, without an index. Raises DataError."""
    pairs = read_pairs(path, warn)
    texts = {"zh": [pair.zh for pair in pairs], "en": [pair.en for pair in pairs]}
    rows = {language: text_rows(encoder, of, query=False) for language, of in texts.items()}
    found, shown = {}, []
    for name, title in DIRECTIONS.items():
        asked, answered = name.split("_to_")
        found[name], distinct = _find(rows[asked], rows[answered], texts[answered])
        right = [{int(row.argmax()): 1.0} for row in found[name].right]
        shown += examples(
            title,
            found[name].order.tolist(),
            right,
            lambda place, asked=asked: Shown(text=texts[asked][place]),  # type: ignore[misc]
            lambda place, distinct=distinct: Shown(text=distinct[place]),  # type: ignore[misc]
        )
    figures: dict[str, object] = {"pairs": len(pairs), "encoder": encoder.spec.key}
    for name, answer in found.items():
        means = answer.section.means()
        figures[name] = {column: round(means[column], 4) for column in COLUMNS}
    figures["cosine"] = round(float(np.sum(rows["zh"] * rows["en"], axis=1).mean()), 4)
    return Outcome(
        Run(
            "pairs",
            path.name,
            {"text_encoder": encoder.spec.key},
            {name: answer.section for name, answer in found.items()},
        ),
        figures,
        [
            Table(
                f"Translations of {path.name}",
                tuple(answer.row(DIRECTIONS[name], COLUMNS) for name, answer in found.items()),
                COLUMNS,
            )
        ],
        shown,
    )


def _find(queries: Vectors, answers: Vectors, texts: Sequence[str]) -> tuple[Found, list[str]]:
    """Among the distinct texts, which are returned too: equal ones are one answer."""
    distinct, first, place = np.unique(np.asarray(texts), return_index=True, return_inverse=True)
    right = np.zeros((len(queries), len(distinct)))
    right[np.arange(len(queries)), place] = 1.0
    keys = [str(number) for number in range(len(queries))]
    return find(queries, answers[first], right, keys), [str(text) for text in distinct]
