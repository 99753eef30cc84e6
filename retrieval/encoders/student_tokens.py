"""Which tokens does the bilingual student read? Chinese words of its own, and the teacher's for everything else.

Traditional characters become Simplified ones first. Runs of Han characters are cut into the words of a unigram
model (Kudo 2018); what lies between them keeps the tokens, and so the vectors, that the teacher has for it.
"""

import json
import re
from pathlib import Path

from tokenizers import Tokenizer

from retrieval.characters import HAN, fold

HAN_RUN = re.compile(f"([{HAN}]+)")
# The teacher has never met Chinese punctuation; in its own, 1.3 % more of held-out translations are found.
PUNCTUATION = str.maketrans(
    {"。": ".", "、": ",", "【": "[", "】": "]", "—": "-", "·": " ", "‘": "'", "’": "'"}
    | dict.fromkeys("《》“”「」『』", '"')
)
# Characters that the vocabulary lacks are rare: names of people and places. They share so many vectors, so that a
# name is at least like itself; two of them meet on the same one rarely enough.
SHARED = 256
# A token covers a few characters; what lies beyond this cannot be among the first 256 tokens of ordinary text.
CHARACTERS_PER_TOKEN = 16


class StudentTokens:
    """Token ids: the teacher's first, then the words, then the vectors that rare characters share."""

    def __init__(self, words: Tokenizer, teacher: Tokenizer, *, max_tokens: int) -> None:
        self._words = words
        self._teacher = teacher
        for tokenizer in (words, teacher):
            tokenizer.no_padding()
            tokenizer.no_truncation()
        self._first_word: int = teacher.get_vocab_size()
        self._first_shared: int = self._first_word + words.get_vocab_size()
        characters = "".join(piece for piece in words.get_vocab() if len(piece) == 1)
        self._known = re.compile(f"([{re.escape(characters)}]+)")
        self._start = _id(teacher, "[CLS]")
        self._end = _id(teacher, "[SEP]")
        self._max_tokens = max_tokens

    @classmethod
    def load(cls, file: Path, *, max_tokens: int) -> "StudentTokens":
        """From the JSON of both tokenizers: `words` and `teacher`."""
        both = json.loads(file.read_text())
        words, teacher = (Tokenizer.from_str(json.dumps(both[name])) for name in ("words", "teacher"))
        return cls(words, teacher, max_tokens=max_tokens)

    @property
    def size(self) -> int:
        return self._first_shared + SHARED

    @property
    def first_word(self) -> int:
        """Where the student's own tokens begin."""
        return self._first_word

    def ids(self, text: str) -> list[int]:
        """Between [CLS] and [SEP], at most `max_tokens` in all."""
        # Half a surrogate pair, which JSON can carry, has no UTF-8: the tokenizers would refuse the text.
        text = text[: self._max_tokens * CHARACTERS_PER_TOKEN].encode("utf-8", "replace").decode()
        found = [self._start]
        for index, part in enumerate(HAN_RUN.split(fold(text).translate(PUNCTUATION))):
            if len(found) >= self._max_tokens:
                break
            found += self._run(part) if index % 2 else self._between(part)
        return [*found[: self._max_tokens - 1], self._end]

    def _run(self, run: str) -> list[int]:
        found: list[int] = []
        for index, part in enumerate(self._known.split(run)):
            if index % 2:
                found += [self._first_word + token for token in self._words.encode(part).ids]
            else:
                found += [self._first_shared + ord(character) % SHARED for character in part]
        return found

    def _between(self, part: str) -> list[int]:
        ids: list[int] = self._teacher.encode(part, add_special_tokens=False).ids if part.strip() else []
        return ids


def _id(tokenizer: Tokenizer, token: str) -> int:
    found: int | None = tokenizer.token_to_id(token)
    if found is None:
        raise ValueError(f"The teacher's tokenizer lacks {token}.")
    return found
