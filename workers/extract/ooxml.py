"""How is an Office Open XML package read? Its parts, what they refer to, and what it says of itself.

Own code, where python-docx 1.2 and python-pptx 1.0 would be at hand: the first gives no text of content controls,
tracked insertions and text boxes; both refuse templates, and load every part of the package, videos included.
"""

import posixpath
import re
from dataclasses import dataclass
from urllib.parse import unquote

from workers.extract import limits, markup
from workers.extract.base import ExtractionError
from workers.extract.markup import Element
from workers.extract.zipped import Zipped

_LANGUAGE = re.compile(r"([a-z]{2})(?:[-_]|$)", re.IGNORECASE)
# docProps/core.xml element -> the name that metadata gives it.
_PROPERTIES = {
    "creator": "author",
    "subject": "subject",
    "description": "description",
    "keywords": "keywords",
    "created": "created_at",
    "modified": "modified_at",
    "category": "category",
}


@dataclass(frozen=True, slots=True)
class Relation:
    """`kind` is the last word of the relation's type; `target` the part's name, or a URL when `external`."""

    kind: str
    target: str
    external: bool


@dataclass(frozen=True, slots=True)
class Properties:
    title: str
    language: str
    metadata: dict[str, str]


class Package:
    def __init__(self, archive: Zipped) -> None:
        self._archive = archive
        self._names = {name.lower(): name for name in archive.members}
        self._relations: dict[str, dict[str, Relation]] = {}

    @property
    def main(self) -> str:
        """The part that the package is about. Raises ExtractionError when it has none."""
        found = self.first("", "officeDocument")
        if not found:
            raise ExtractionError("corrupt", "The file has no main part.")
        return found

    def first(self, part: str, kind: str) -> str:
        """The first part that `part` refers to as `kind` and that is there; empty if there is none."""
        relations = self.relations(part).values()
        return next((item.target for item in relations if item.kind == kind and self.has(item.target)), "")

    def has(self, part: str) -> bool:
        return part.lower() in self._names

    def tree(self, part: str) -> Element:
        """The root element. Raises ExtractionError."""
        return markup.parse(self._archive.read(self._name(part), limits.MAX_TREE_BYTES))

    def optional_tree(self, part: str) -> Element | None:
        """The root element of a part that the document can do without: None when it is missing or damaged."""
        try:
            return self.tree(part) if part and self.has(part) else None
        except ExtractionError:
            return None

    def data(self, part: str) -> bytes:
        """Raises ExtractionError."""
        return self._archive.read(self._name(part))

    def relations(self, part: str) -> dict[str, Relation]:
        """What `part` refers to, by identifier; that of the package itself is the empty name."""
        if part not in self._relations:
            self._relations[part] = self._read_relations(part)
        return self._relations[part]

    def properties(self) -> Properties:
        root = self.optional_tree(self.first("", "core-properties"))
        found = {} if root is None else {markup.local(item): (item.text or "").strip() for item in root}
        language = _LANGUAGE.match(found.get("language", ""))
        return Properties(
            title=found.get("title", ""),
            language=language[1].lower() if language else "",
            metadata={name: found[key] for key, name in _PROPERTIES.items() if found.get(key)},
        )

    def _name(self, part: str) -> str:
        # Part names do not differ by case alone (ECMA-376 part 2, 6.2.2.3), and some programs mix it.
        return self._names.get(part.lower(), part)

    def _read_relations(self, part: str) -> dict[str, Relation]:
        folder, name = posixpath.split(part)
        root = self.optional_tree(posixpath.join(folder, "_rels", f"{name}.rels"))
        found: dict[str, Relation] = {}
        for item in () if root is None else root:
            target, external = item.get("Target") or "", item.get("TargetMode") == "External"
            if not external:
                target = posixpath.normpath(posixpath.join("/", folder, unquote(target))).lstrip("/")
            kind = (item.get("Type") or "").rpartition("/")[2]
            found[item.get("Id") or ""] = Relation(kind, target, external)
        return found
