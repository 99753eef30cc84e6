"""How well are pictures found by sentences, and sentences by pictures? A folder of captioned pictures.

Text to image: the pictures are indexed, each caption is a query. Image to text: the distinct captions are indexed,
one text file each, and each picture is a query. In both directions equal captions are one, and every picture that
has it counts as right.
"""

from collections.abc import Hashable
from pathlib import Path

from tqdm import tqdm

from retrieval.evaluation_data import CaptionedImage, read_captions
from retrieval.search import SearchRequest
from workers.evaluate.report import Judgements, ask, summary
from workers.evaluate.scratch import ingest, scratch_library


def evaluate_captions(folder: Path, work: Path) -> dict[str, object]:
    """Figures in both directions, by language."""
    images = read_captions(folder)
    languages = sorted({language for image in images for language in image.captions})
    return {
        "dataset": folder.resolve().name,
        "images": len(images),
        "text_to_image": _text_to_image(folder, images, languages),
        "image_to_text": {language: _image_to_text(images, language, work) for language in languages},
    }


def _text_to_image(folder: Path, images: list[CaptionedImage], languages: list[str]) -> dict[str, object]:
    with scratch_library() as library:
        asset_of = ingest(library, {_uri(folder, image): (image.path, "") for image in images})
        figures: dict[str, object] = {}
        for language in languages:
            right: dict[str, dict[Hashable, float]] = {}
            for image in images:
                for caption in image.captions.get(language, ()):
                    right.setdefault(caption, {})[asset_of[_uri(folder, image)]] = 1.0
            requests = [SearchRequest(words=caption) for caption in right]
            with tqdm(total=len(requests), desc=f"search by {language} caption", disable=None) as progress:
                answers = ask(library.user, requests, progress.update)
            figures[language] = summary(answers, list(right.values()), any_positive=True)
    return figures


def _image_to_text(images: list[CaptionedImage], language: str, work: Path) -> dict[str, object]:
    captions = sorted({caption for image in images for caption in image.captions.get(language, ())})
    uri_of = {caption: f"{language}-{number:06}.txt" for number, caption in enumerate(captions)}
    for caption, uri in uri_of.items():
        (work / uri).write_text(caption, encoding="utf-8")
    captioned = [image for image in images if image.captions.get(language)]
    with scratch_library() as library:
        asset_of = ingest(library, {uri: (work / uri, "") for uri in uri_of.values()})
        right: list[Judgements] = [
            {asset_of[uri_of[caption]]: 1.0 for caption in image.captions[language]} for image in captioned
        ]
        requests = [SearchRequest(picture=image.path.read_bytes()) for image in captioned]
        with tqdm(
            total=len(requests), desc=f"search {language} captions by picture", disable=None
        ) as progress:
            return summary(ask(library.user, requests, progress.update), right, any_positive=True)


def _uri(folder: Path, image: CaptionedImage) -> str:
    return image.path.relative_to(folder.resolve()).as_posix()
