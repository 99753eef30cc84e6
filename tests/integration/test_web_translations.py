"""Is every sentence of the pages there in Chinese, and is the compiled catalogue the one that is written?"""

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils.translation.template import templatize

from kb.exceptions import FailureCode

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ("kb", "retrieval")
CALL = re.compile(r"""\bn?gettext\(u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}|%%")


def catalogue(app: str) -> dict[str, str]:
    path = ROOT / app / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.mo"
    with path.open("rb") as file:
        entries = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    return {key[0] if isinstance(key, tuple) else key: text for key, text in entries.items() if key}


def in_templates(app: str) -> Iterator[str]:
    for path in (ROOT / app / "templates").rglob("*.html"):
        for match in CALL.finditer(templatize(path.read_text())):
            yield ast.literal_eval(match[1])


def in_code(app: str) -> Iterator[str]:
    # The pages, and what the query path says to people in them.
    for path in (*(ROOT / app / "web").rglob("*.py"), *(ROOT / app).glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                first = node.args[0]
                if node.func.id in ("_", "gettext") and isinstance(first, ast.Constant):
                    yield first.value


@pytest.mark.parametrize("app", APPS)
def test_every_sentence_of_the_pages_is_translated(app: str) -> None:
    wanted = {*in_templates(app), *in_code(app)}
    assert len(wanted) > 20
    assert wanted - set(catalogue(app)) == set()


def test_every_reason_for_a_failure_is_translated() -> None:
    assert {str(label) for label in FailureCode.labels} - set(catalogue("kb")) == set()


@pytest.mark.parametrize("app", APPS)
def test_translations_keep_the_places_of_what_is_filled_in(app: str) -> None:
    for original, text in catalogue(app).items():
        assert sorted(PLACEHOLDER.findall(original)) == sorted(PLACEHOLDER.findall(text)), original


@pytest.mark.parametrize("app", APPS)
def test_the_compiled_catalogue_is_the_written_one(app: str) -> None:
    written = (ROOT / app / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po").read_text()
    entries = re.findall(
        r'^msgid "(.+)"\n(?:msgid_plural ".*"\n)?msgstr(?:\[0\])? "(.*)"$', written, re.MULTILINE
    )
    plain = {ast.literal_eval(f'"{key}"'): ast.literal_eval(f'"{text}"') for key, text in entries}
    assert plain == catalogue(app)
