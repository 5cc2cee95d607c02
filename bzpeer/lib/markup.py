"""Titles and abstracts as sources write them, made safe to show and plain to search.

HTML, JATS and MathML are sanitised by nh3; TeX mathematics becomes MathML by latex2mathml, whose output
goes through nh3 as well because it does not escape text. Both run once, at import.
"""

import html
import re
import unicodedata
from typing import NamedTuple

import nh3
from latex2mathml.converter import convert
from latex2mathml.symbols_parser import convert_symbol

from bzpeer.lib.names import clean

MAX_FORMULA = 2000  # characters; longer TeX is shown as it is written
MAX_TEXT = 100_000

_INLINE = {"i", "em", "b", "strong", "sub", "sup", "code"}
_BLOCKS = {"br", "p", "ul", "ol", "li"}
_MATHML = {
    "math", "mi", "mn", "mo", "ms", "mtext", "mspace", "mrow", "mfrac", "msqrt", "mroot", "mstyle", "merror", "mpadded",
    "mphantom", "msub", "msup", "msubsup", "munder", "mover", "munderover", "mmultiscripts", "mprescripts", "none",
    "mtable", "mtr", "mtd", "semantics",
}  # fmt: skip
_ATTRIBUTES: dict[str, set[str]] = {
    "math": {"display"},
    "mi": {"mathvariant"},
    "mo": {
        "stretchy",
        "fence",
        "separator",
        "form",
        "largeop",
        "movablelimits",
        "symmetric",
        "minsize",
        "maxsize",
    },
    "mspace": {"width"},
    "mfrac": {"linethickness"},
    "mstyle": {"displaystyle", "scriptlevel"},
    "mover": {"accent"},
    "munder": {"accentunder"},
    "mtd": {"columnalign"},
    "code": {"class"},
}
_TAGS = _INLINE | _BLOCKS | _MATHML
# Text between these is dropped with them.
_CLEAN_CONTENT = {"script", "style", "annotation", "annotation-xml", "xref"}

_RENAMED = {
    "italic": "i",
    "bold": "b",
    "title": "p",
    "sec": "p",
    "list-item": "li",
    "list": "ul",
    "inline-formula": "",
    "scp": "",
    "u": "",
}
_PREFIX = re.compile(r"<(/?)(?:jats|mml|m|xhtml):", re.I)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)((?:\s[^<>]*)?)(/?)>")
# Tags that say nothing to a reader: nh3 takes them away and keeps their text.
_DROPPED = {
    "a", "abstracttext", "big", "div", "font", "h1", "h2", "h3", "h4", "label", "named-content", "sec", "small", "span",
    "styled-content", "subtitle", "table", "tbody", "td", "title", "tr", "tt", "u",
}  # fmt: skip
_KNOWN_TAG_START = re.compile(
    r"<(?!/?(?:"
    + "|".join(sorted(_TAGS | _CLEAN_CONTENT | _DROPPED, key=len, reverse=True))
    + r")(?=[\s/>]))",
    re.I,
)

_FORMULA = re.compile(
    r"\$\$(.+?)\$\$|(?<![\\$])\$(?!\s)([^$]+?)(?<![\s\\])\$|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.S
)
_MATHS_LOOKS = re.compile(
    r"[\\^_={}<>]|^[A-Za-z]{1,3}(?:'|\d)?$|^[|(\[].*[|)\]]$|^[\d.,]*[A-Za-z]?[+\-*/(][^\s]*$|^\d+(?:\.\d+)?$|^[A-Za-z]\([^)]*\)$"
)

_ACCENTS = {
    "'": "\u0301", "`": "\u0300", "^": "\u0302", '"': "\u0308", "~": "\u0303", "=": "\u0304", ".": "\u0307",
    "u": "\u0306", "v": "\u030c", "H": "\u030b", "c": "\u0327", "k": "\u0328", "r": "\u030a", "d": "\u0323", "b": "\u0331",
}  # fmt: skip
_ACCENT = re.compile(
    r"""\\(?:(['`^"~=.])\s*|([uvHckrdb])(?:\s+|(?=\{)))(?:\{\s*(\\?[A-Za-z])\s*\}|(\\?[A-Za-z]))"""
)
_LETTERS = {"ss": "ß", "o": "ø", "O": "Ø", "l": "ł", "L": "Ł", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "aa": "å", "AA": "Å", "i": "ı", "j": "ȷ"}  # fmt: skip
_LETTER = re.compile(r"\\(ss|ae|AE|oe|OE|aa|AA|o|O|l|L|i|j)(?:\{\}|\s+|(?![A-Za-z]))")
_STYLE = re.compile(
    r"\\(?:emph|textit|textsl|text|textrm|textsf|textsc|textbf|texttt|mbox|url|href|uppercase)\s*\{([^{}]*)\}"
)
_OLD_STYLE = re.compile(r"\{\\(?:em|it|bf|tt|sc|sl|rm)\s+([^{}]*)\}")
_REFERENCE = re.compile(r"~?\\(?:cite[a-z]*|ref|eqref|label|footnote(?:mark)?)\*?(?:\[[^\]]*\])?\{[^{}]*\}")
_COMMAND = re.compile(r"\\([A-Za-z]+)\s*")
_FONTS = {"mathcal", "mathbb", "mathbf", "mathrm", "mathit", "mathsf", "mathfrak", "boldsymbol", "text", "textbf", "textit", "textrm", "rm", "bf", "left", "right", "operatorname", "displaystyle", "big", "Big", "bigl", "bigr", "ensuremath"}  # fmt: skip
# What only marked-up text holds; a hyphen or quote counts where two stand together.
_MARKED = re.compile(r"[<>&\\$~]|--|''|``")
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


class Rendered(NamedTuple):
    """html: safe to show as it is. plain: the same as text, for search, slugs and citations."""

    html: str
    plain: str


def render(text: str | None, *, blocks: bool = True) -> Rendered:
    """Return a title (blocks=False: no paragraphs or lists) or an abstract as safe HTML and as plain text.

    Reads plain text, HTML, JATS, MathML and TeX, mixed as sources mix them. Entities are undone once
    more where a source escaped twice. Never raises for bad markup: what is not understood is shown as
    it is written. Text beyond 100,000 characters is cut.
    """
    text = _tidy(text)
    if not _MARKED.search(text):
        return Rendered(text, clean(text))  # most texts: nothing to read, nothing to escape
    if "&" in text:
        text = html.unescape(text)
        if re.search(r"&(?:lt|gt|amp|quot|#\d+|#x[0-9a-f]+|[a-z]{2,8});", text, re.I):
            text = html.unescape(text)
        text = _tidy(text)
    html_parts: list[str] = []
    plain_parts: list[str] = []
    place = 0
    for match in _FORMULA.finditer(text):
        formula = next(group for group in match.groups() if group is not None).strip()
        if not _is_formula(formula, match):
            continue
        _add_text(text[place : match.start()], html_parts, plain_parts)
        html_parts.append(_mathml(formula))
        plain_parts.append(_plain_formula(formula))
        place = match.end()
    _add_text(text[place:], html_parts, plain_parts)
    shown = nh3.clean(
        "".join(html_parts), tags=_TAGS if blocks else _TAGS - _BLOCKS, clean_content_tags=_CLEAN_CONTENT, attributes=_ATTRIBUTES,
        strip_comments=True, link_rel=None,
    ).strip()  # fmt: skip
    return Rendered(shown, clean("".join(plain_parts)))


def _tidy(text: str | None) -> str:
    """Return text without NUL, control, bidirectional and unpaired surrogate characters."""
    text = " ".join((text or "")[:MAX_TEXT].split())
    if text.isprintable():
        return text
    text = _INVISIBLE.sub("", text)
    text = "".join(
        " " if char.isspace() else char
        for char in text
        if char.isspace() or unicodedata.category(char) not in {"Cc", "Cs"}
    )
    return " ".join(text.split())


def _add_text(text: str, html_parts: list[str], plain_parts: list[str]) -> None:
    text = _tex_text(text)
    marked = _PREFIX.sub(r"<\1", text)
    marked = _TAG.sub(_renamed, marked)
    # A "<" that opens no tag we know is a less-than sign.
    marked = _KNOWN_TAG_START.sub("&lt;", marked)
    html_parts.append(marked)
    if "<" in marked or "&" in marked:
        spaced = re.sub(r"</?(?:p|br|li|ul|ol|mtr)\b[^>]*>", " ", marked)
        bare = nh3.clean(spaced, tags=set(), clean_content_tags=_CLEAN_CONTENT)
        plain_parts.append(html.unescape(bare))
    else:
        plain_parts.append(marked)


def _renamed(match: re.Match[str]) -> str:
    closing, name, rest, selfclosing = match.groups()
    if name.lower() in _RENAMED:
        name = _RENAMED[name.lower()]
        return f"<{closing}{name}>" if name else ""
    return f"<{closing}{name}{rest}{selfclosing}>"


def _tex_text(text: str) -> str:
    """Return text with TeX's accents, quotes and plain commands written as they are read."""
    if "\\" in text:
        # Accents first: the dotless i of \'{\i} is there for the accent alone.
        text = _ACCENT.sub(_accented, text)
        text = _LETTER.sub(lambda match: _LETTERS[match.group(1)], text)
        for _ in range(3):
            text = _OLD_STYLE.sub(r"\1", _STYLE.sub(r"\1", text))
        text = re.sub(r"\\([%&#_$ ])", r"\1", text).replace("\\\\", " ").replace("\\-", "")
        text = _REFERENCE.sub("", text)
        text = re.sub(r"\{\\([A-Za-z]+)\}", _symbol, text)
        text = _COMMAND.sub(_symbol, text)
        text = re.sub(r"\{([A-Za-zÀ-ž])\}", r"\1", text)
    if "``" in text or "''" in text:
        text = text.replace("``", "“").replace("''", "”")
    if "--" in text:
        text = re.sub(r"(?<=\w)---(?=\w)", "—", re.sub(r"(?<=\w)--(?=\w)", "–", text))
    return re.sub(r"(?<=\S)~(?=\S)", " ", text)


def _symbol(match: re.Match[str]) -> str:
    """Return the character of a command such as \\geq, or the command as it stands."""
    if match.group(1) == "sim":
        return "∼"
    code = convert_symbol(f"\\{match.group(1)}")
    return chr(int(code, 16)) if code else match.group()


def _accented(match: re.Match[str]) -> str:
    mark = _ACCENTS[match.group(1) or match.group(2)]
    letter = (match.group(3) or match.group(4)).lstrip("\\")
    return unicodedata.normalize("NFC", letter + mark)


def _is_formula(formula: str, match: re.Match[str]) -> bool:
    if not formula or len(formula) > MAX_FORMULA or match.group(2) is None:
        return bool(formula) and len(formula) <= MAX_FORMULA
    if match.string[match.end() : match.end() + 1].isdigit() and "\\" not in formula:
        return False  # "$5 to $10"
    return bool(_MATHS_LOOKS.search(formula))


def _mathml(formula: str) -> str:
    try:
        return convert(formula)
    except (Exception, RecursionError):  # the library raises whatever its parser met
        return f'<code class="tex">{html.escape(formula)}</code>'


def _plain_formula(formula: str) -> str:
    formula = re.sub(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", r"\1/\2", formula)
    text = _COMMAND.sub(
        lambda match: "" if match.group(1) in _FONTS else _symbol(match).lstrip("\\"), formula
    )
    return re.sub(r"[{}\\]", "", text).replace(" ", "" if len(text) < 12 else " ").strip()
