"""How does a piece of LaTeX read as words? Markup off, accents and signs on; formulas stay as they are written."""

import re
import unicodedata

_ACCENTS = {
    "'": "\u0301", "`": "\u0300", "^": "\u0302", '"': "\u0308", "~": "\u0303", "=": "\u0304", ".": "\u0307",
    "c": "\u0327", "v": "\u030c", "u": "\u0306", "H": "\u030b", "r": "\u030a", "k": "\u0328",
}  # fmt: skip
_SIGNS = {
    "ss": "ß", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "o": "ø", "O": "Ø", "aa": "å", "AA": "Å", "l": "ł",
    "L": "Ł", "i": "i", "j": "j", "ldots": "…", "dots": "…", "textellipsis": "…", "textendash": "–",
    "textemdash": "—", "textquoteright": "’", "textquoteleft": "‘", "textbackslash": "\\", "LaTeX": "LaTeX",
    "TeX": "TeX", "S": "§", "P": "¶", "copyright": "©", "pounds": "£", "euro": "€", "textdegree": "°", "quad": " ",
    "qquad": " ", "newline": "\n", "par": "\n", "and": ", ", "textasciitilde": "~", "times": "×", "degree": "°",
    "textregistered": "®", "texttrademark": "™", "slash": "/", "textbar": "|", "backslash": "\\", "item": "",
}  # fmt: skip
# Their argument is no text: a name, a length, a file.
_SILENT = (
    "label|ref|eqref|pageref|autoref|cref|Cref|cite[a-zA-Z]*|nocite|bibliography|bibliographystyle|vspace|hspace"
    "|vskip|hskip|usepackage|documentclass|pagestyle|thispagestyle|setcounter|addtocounter|input|include|index"
    "|addcontentsline|setlength|addtolength|color|textcolor|fontsize|selectfont|hypersetup|graphicspath|keywords@"
)
_PIECE = re.compile(
    r"(?P<math>\$\$[^$]*\$\$|\$[^$]*\$|\\\(.*?\\\))"
    rf"|\\(?:{_SILENT})\b\*?(?:\s*\[[^\]]*\])*(?:\s*\{{[^{{}}]*\}})?"
    r"|\\href\s*\{[^{}]*\}"
    r"|\\(?P<accent>['`^\"~=.])\s*(?:\{\s*\\?(?P<a1>[A-Za-z])\s*\}|\\?(?P<a2>[A-Za-z]))"
    r"|\\(?P<letter>[cvuHrk])(?:\s+|\s*\{\s*)(?P<a3>[A-Za-z])\}?"
    r"|\\(?P<word>[A-Za-z@]+)\*?[ \t]?(?:\[[^\]\n]{0,200}\])?"
    r"|\\(?P<sign>[&%$#_{} ,;!/-])|\\\\(?:\[[^\]]*\])?|\\."
    r"|(?P<dash>---?)|(?P<quote>``|'')|(?P<other>[{}~&])",
    re.DOTALL,
)


def plain(text: str) -> str:
    return _PIECE.sub(_shown, text)


def _shown(found: re.Match[str]) -> str:
    if found["math"]:
        return found["math"]
    if found["accent"]:
        letter = found["a1"] or found["a2"]
        return unicodedata.normalize("NFC", letter + _ACCENTS[found["accent"]])
    if found["letter"]:
        return unicodedata.normalize("NFC", found["a3"] + _ACCENTS[found["letter"]])
    if found["word"]:
        return _SIGNS.get(found["word"], "")
    if found["sign"]:
        return " " if found["sign"] in " ,;" else "" if found["sign"] in "!/-" else found["sign"]
    if found["dash"]:
        return "—" if len(found["dash"]) == 3 else "–"
    if found["quote"]:
        return "“" if found["quote"] == "``" else "”"
    return " " if found["other"] in {"~", "&"} or found[0].startswith("\\\\") else ""
