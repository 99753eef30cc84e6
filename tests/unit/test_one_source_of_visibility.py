"""Does the query side ask kb/permissions.py, and nobody else, which content there is?"""

import re
from pathlib import Path

import retrieval

CONTENT = re.compile(r"\b(Asset|AssetVersion|Segment|Collection|Document|Image|Video)\.objects\b")


def test_nothing_in_retrieval_reads_content_past_the_permission_rule() -> None:
    root = Path(retrieval.__file__).parent
    direct = [
        f"{path.relative_to(root)}:{number}"
        for path in root.rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if CONTENT.search(line)
    ]
    assert direct == []
