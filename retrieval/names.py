"""Does a name say what bears it, or did a camera, a scanner or a program count it?"""

import re

_COUNTED = re.compile(
    r"(img|dsc|dscf|dscn|image|picture|photo|pic|screenshot|scan|untitled|figure|fig|slide|page|图|图片|截图)"
    r"([\W_\d]|\bat\b)*",
    re.IGNORECASE,
)
# A word of three letters that is not part of a number, or two ideographs.
_WORDY = re.compile(r"\b[^\W\d_]{3,}\b|[\u3400-\u9fff]{2}")


def says_something(name: str) -> bool:
    """False for `IMG_2041`, `Figure 3`, `图 7` and `1075716537 62105738b4`."""
    # To a regular expression an underscore is a letter.
    words = name.replace("_", " ").strip()
    return _WORDY.search(words) is not None and _COUNTED.fullmatch(words) is None
