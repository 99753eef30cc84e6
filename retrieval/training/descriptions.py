"""Which words describe a picture? Its sentences, and its label said in several ways.

One sentence of several ways to say a label teaches more than the bare word: the words that people search with
differ (Radford et al. 2021, section 3.1.4, on prompts).
"""

import re
from collections.abc import Iterator

from retrieval.training.shards import Sample

# Of alt texts and captions that go on for a paragraph, the first sentence says what is seen.
SENTENCE = re.compile(r"(?<=[.!?。！？])\s*")
LONG_CHARACTERS = 120
# Said of photographs and of drawn things alike; `{}` is the label.
TEMPLATES = ("{}", "a photo of a {}", "a picture of a {}", "an image showing a {}")
STYLED = ("a {} of a {}", "a {} drawing of a {}")
# More than this teaches nothing new and makes tables wide.
MOST = 12


def descriptions(sample: Sample, *, chinese: bool = False) -> tuple[str, ...]:
    """English, and with `chinese` also Chinese, each once, the best first. Empty where nothing is known."""
    texts = list(dict.fromkeys(_english(sample)))
    if chinese:
        texts[MOST - 5 :] = []
        texts += [text for text in dict.fromkeys(sample.captions_zh) if text not in texts]
    return tuple(texts[:MOST])


def label_text(sample: Sample) -> str | None:
    """The one text that stands for the sample's class, equal for all of it."""
    return sample.label.strip().lower() if sample.label else None


def _english(sample: Sample) -> Iterator[str]:
    label = label_text(sample)
    if label:
        yield label
    for caption in sample.captions:
        yield caption
        if len(caption) > LONG_CHARACTERS:
            first = SENTENCE.split(caption, maxsplit=1)[0]
            if len(first.split()) >= 3:
                yield first
    if not label:
        return
    style = sample.meta.get("style")
    if isinstance(style, str) and style and style != "photo":
        yield STYLED[0].format(style, label)
        return
    for template in TEMPLATES[1:]:
        yield template.format(label)
    aliases = sample.meta.get("aliases")
    if isinstance(aliases, list):
        yield from (alias for alias in aliases if isinstance(alias, str) and alias)
