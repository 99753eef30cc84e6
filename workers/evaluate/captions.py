"""How well are pictures found by sentences, and sentences by pictures? A folder of captioned pictures.

Text to image: the pictures are indexed, each caption is a query. Image to text: the distinct captions are indexed,
one text file each, and each picture is a query. In both directions equal captions are one, and every picture that
has it counts as right.
"""

from collections.abc import Hashable, Sequence
from pathlib import Path

from tqdm import tqdm

from retrieval.evaluation_data import CaptionedImage, read_captions
from retrieval.evaluation_runs import Run
from retrieval.search import SearchRequest
from workers.evaluate.examples import examples
from workers.evaluate.outcome import Example, Outcome, Shown
from workers.evaluate.report import Judgements, Measured, ask, measured
from workers.evaluate.scratch import ingest, scratch_library
from workers.evaluate.site import site


def evaluate_captions(folder: Path, work: Path) -> Outcome:
    """Both directions, by language. `work`: an empty folder for the files."""
    images = read_captions(folder)
    languages = sorted({language for image in images for language in image.captions})
    to_image = _text_to_image(folder, images, languages)
    to_text = {language: _image_to_text(folder, images, language, work) for language in languages}
    found = {f"text_to_image/{language}": answer for language, answer in to_image.items()}
    found |= {f"image_to_text/{language}": answer for language, answer in to_text.items()}
    sections = {
        f"{direction}/{channel}": section
        for direction, (answer, _) in found.items()
        for channel, section in answer.sections.items()
    }
    name = folder.resolve().name
    figures = {
        "dataset": name,
        "images": len(images),
        **site(),
        "text_to_image": {language: answer.figures for language, (answer, _) in to_image.items()},
        "image_to_text": {language: answer.figures for language, (answer, _) in to_text.items()},
    }
    return Outcome(
        Run("captions", name, site(), sections),
        figures,
        [answer.table for answer, _ in found.values()],
        [example for _, shown in found.values() for example in shown],
    )


Answer = tuple[Measured, list[Example]]


def _text_to_image(folder: Path, images: list[CaptionedImage], languages: Sequence[str]) -> dict[str, Answer]:
    found: dict[str, Answer] = {}
    with scratch_library() as library:
        asset_of = ingest(library, {_uri(folder, image): (image.path, "") for image in images})
        picture_of = {asset_of[_uri(folder, image)]: image.path for image in images}
        for language in languages:
            right: dict[str, dict[Hashable, float]] = {}
            for image in images:
                for caption in image.captions.get(language, ()):
                    right.setdefault(caption, {})[asset_of[_uri(folder, image)]] = 1.0
            requests = [SearchRequest(words=caption) for caption in right]
            with tqdm(total=len(requests), desc=f"search by {language} caption", disable=None) as progress:
                ranked = ask(library.user, requests, progress.update)
            captions = list(right)
            answer = measured(
                ranked,
                list(right.values()),
                title=f"{folder.resolve().name}, sentence → picture, {language}",
                keys=captions,
                candidates=len(picture_of),
                any_positive=True,
            )
            shown = examples(
                f"Sentence → picture, {language}",
                ranked.rankings(len(requests)),
                list(right.values()),
                lambda index, captions=captions: Shown(captions[index]),  # type: ignore[misc]
                lambda asset: Shown(picture=picture_of[asset].read_bytes()),
            )
            found[language] = answer, shown
    return found


def _image_to_text(folder: Path, images: list[CaptionedImage], language: str, work: Path) -> Answer:
    captions = sorted({caption for image in images for caption in image.captions.get(language, ())})
    uri_of = {caption: f"{language}-{number:06}.txt" for number, caption in enumerate(captions)}
    for caption, uri in uri_of.items():
        (work / uri).write_text(caption, encoding="utf-8")
    captioned = [image for image in images if image.captions.get(language)]
    with scratch_library() as library:
        asset_of = ingest(library, {uri: (work / uri, "") for uri in uri_of.values()})
        caption_of = {asset_of[uri]: caption for caption, uri in uri_of.items()}
        right: list[Judgements] = [
            {asset_of[uri_of[caption]]: 1.0 for caption in image.captions[language]} for image in captioned
        ]
        requests = [SearchRequest(picture=image.path.read_bytes()) for image in captioned]
        with tqdm(
            total=len(requests), desc=f"search {language} captions by picture", disable=None
        ) as progress:
            ranked = ask(library.user, requests, progress.update)
    answer = measured(
        ranked,
        right,
        title=f"{folder.resolve().name}, picture → sentence, {language}",
        keys=[_uri(folder, image) for image in captioned],
        candidates=len(captions),
        any_positive=True,
    )
    shown = examples(
        f"Picture → sentence, {language}",
        ranked.rankings(len(requests)),
        right,
        lambda index: Shown(picture=captioned[index].path.read_bytes()),
        lambda asset: Shown(caption_of[asset]),
    )
    return answer, shown


def _uri(folder: Path, image: CaptionedImage) -> str:
    return image.path.relative_to(folder.resolve()).as_posix()
