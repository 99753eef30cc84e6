"""What does a drawing in an Office Open XML part hold? Pictures, charts and diagrams, by the parts they refer to."""

from collections.abc import Iterator

from workers.extract import figures, limits, markup
from workers.extract.assemble import Assembly, one_line
from workers.extract.base import ExtractionError, Picture
from workers.extract.markup import Element
from workers.extract.ooxml import Package, Relation

# What Office adds to an alternative text that no person wrote; the guess itself is better than nothing.
_GUESSED = "Description automatically generated"
# Of the words of one chart: its title, axes, series and categories.
_CHART_CHARACTERS = 2000


def add(
    drawing: Element, part: str, *, package: Package, assembly: Assembly, page: int | None = None
) -> None:
    """Everything in `drawing`, an element of `part`, except text boxes."""
    for picture in pictures(drawing, part, package=package, assembly=assembly, page=page):
        picture("")
    add_words(drawing, part, package=package, assembly=assembly, page=page)


def add_words(
    drawing: Element, part: str, *, package: Package, assembly: Assembly, page: int | None = None
) -> None:
    """The words of the charts and diagrams in `drawing`."""
    for element in markup.descendants(drawing, "chart"):
        target = _target(element, "id", part, package)
        root = package.optional_tree(target.target) if target else None
        if root is not None:
            assembly.add(chart_words(root), "table", page)
    for element in markup.descendants(drawing, "relIds"):
        target = _target(element, "dm", part, package)
        root = package.optional_tree(target.target) if target else None
        for paragraph in () if root is None else markup.descendants(root, "p"):
            assembly.add(
                "".join(item.text or "" for item in markup.descendants(paragraph, "t")), "list", page
            )


class Found:
    """A picture that stands in a drawing; called with its caption, it becomes a figure."""

    def __init__(
        self, target: Relation, alt: str, *, package: Package, assembly: Assembly, page: int | None
    ) -> None:
        self._target, self._alt = target, alt
        self._package, self._assembly, self._page = package, assembly, page

    def __call__(self, caption: str) -> None:
        if self._target.external:
            # Never fetched; a picture of the collection is found by its path.
            self._assembly.figure(
                Picture(
                    "figure", link=self._target.target, alt_text=self._alt, caption=caption, page=self._page
                )
            )
            return
        try:
            data = self._package.data(self._target.target)
        except ExtractionError:
            self._assembly.warn("figure_unreadable", "")
            return
        figures.add_bytes(data, assembly=self._assembly, alt=self._alt, caption=caption, page=self._page)


def pictures(
    drawing: Element, part: str, *, package: Package, assembly: Assembly, page: int | None = None
) -> Iterator[Found]:
    """The pictures in `drawing`, DrawingML's and the older VML's."""
    for element in markup.descendants(drawing, "blip", "imagedata"):
        target = _target(element, "embed", part, package) or _target(element, "link", part, package)
        target = target or _target(element, "id", part, package)
        if target is not None:
            yield Found(target, _alt(element), package=package, assembly=assembly, page=page)


def chart_words(root: Element) -> str:
    """A chart's title, axis titles, series and categories, each once."""
    words = [_text(title) for title in markup.descendants(root, "title")]
    words += [
        one_line(value.text or "") for value in markup.descendants(root, "v") if _names_something(value)
    ]
    return "; ".join(dict.fromkeys(word for word in words if word))[:_CHART_CHARACTERS]


def _text(element: Element) -> str:
    return one_line(" ".join(item.text or "" for item in markup.descendants(element, "t", "v")))


def _names_something(value: Element) -> bool:
    """Whether this is a name of a series or category: the numbers of a chart answer no question."""
    for above in value.iterancestors():
        if markup.local(above) in {"tx", "cat"}:
            return not (value.text or "").replace(".", "", 1).lstrip("-").isdigit()
        if markup.local(above) in {"val", "xVal", "yVal", "ser"}:
            return False
    return False


def _target(element: Element, name: str, part: str, package: Package) -> Relation | None:
    identifier = next(
        (value for key, value in element.items() if key.startswith("{") and key.rpartition("}")[2] == name),
        "",
    )
    return package.relations(part).get(identifier) if identifier else None


def _alt(element: Element) -> str:
    """The alternative text of the shape around a picture."""
    for depth, above in enumerate(element.iterancestors()):
        if depth > limits.MAX_NESTING:
            break
        for item in (above, *above):
            name = markup.local(item)
            if name in {"docPr", "cNvPr"}:
                found = markup.attribute(item, "descr") or markup.attribute(item, "title")
            elif name == "shape":
                found = markup.attribute(item, "alt")
            elif name.startswith("nv") and name.endswith("Pr"):
                properties = markup.child(item, "cNvPr")
                found = markup.attribute(properties, "descr") or markup.attribute(properties, "title")
            else:
                continue
            # Word leaves the inner name empty and writes the text outside.
            if found:
                return _without_remark(found)
    return ""


def _without_remark(alt: str) -> str:
    """Without what Office adds to a text that it has guessed."""
    return one_line(alt.replace(_GUESSED, ""))
