"""Which Chinese words get vectors of their own? Those that a unigram model of the training texts keeps (Kudo 2018)."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from tokenizers import Tokenizer, models, trainers

from retrieval.characters import fold
from retrieval.encoders.student_tokens import HAN_RUN

# Longer pieces are phrases of one source's style, seen too seldom to be learnt.
LONGEST = 4
# A sentence that a catalogue repeats a thousand times is one way of saying it.
MOST_REPEATS = 20
UNKNOWN = "[UNK]"


def learn_words(texts: Iterable[str], *, size: int) -> Tokenizer:
    """A unigram model over runs of Han characters: every character of `texts`, and about `size` pieces in all."""
    runs: Counter[str] = Counter(run for text in texts for run in han_runs(text))
    tokenizer = Tokenizer(models.Unigram())
    trainer = trainers.UnigramTrainer(
        vocab_size=size,
        initial_alphabet=sorted({character for run in runs for character in run}),
        special_tokens=[UNKNOWN],
        unk_token=UNKNOWN,
        max_piece_length=LONGEST,
        show_progress=False,
    )
    repeated: Iterator[str] = (run for run, count in runs.items() for _ in range(min(count, MOST_REPEATS)))
    tokenizer.train_from_iterator(repeated, trainer)
    return tokenizer


def han_runs(text: str) -> list[str]:
    """The runs of Han characters in `text`, folded."""
    return HAN_RUN.findall(fold(text))


def saved_words(path: Path, texts: Iterable[str], *, size: int) -> Tokenizer:
    """From `path` where they were learnt before, else learnt and kept there."""
    if not path.exists():
        draft = path.with_suffix(".unfinished")
        learn_words(texts, size=size).save(str(draft))
        draft.replace(path)
    return Tokenizer.from_file(str(path))
