"""The text of a BibTeX field: its parts put together, and LaTeX as HTML, TeX mathematics and Unicode."""

import logging
import re
from collections.abc import Callable
from functools import cache

from pylatexenc.latex2text import LatexNodes2Text, MacroTextSpec, get_default_latex_context_db
from pylatexenc.latexwalker import LatexMacroNode, LatexWalker
from pylatexenc.latexwalker import get_default_latex_context_db as get_default_walker_db
from pylatexenc.macrospec import std_macro

# What it says of broken LaTeX helps nobody: the text is shown as well as it can be.
logging.getLogger("pylatexenc").setLevel(logging.CRITICAL)

_MARK = re.compile(r'(?<!\\)[{}"#]')
_AFTER = re.compile(r"\s*+(?:#|$)")
# What TeX wants escaped and nobody else does, and the same signs as people type them.
_ESCAPED = re.compile(r"\\([%&#_])")
_SIGN = re.compile(r"([%&#])")
_MATHS = re.compile(r"(\$[^$]+\$)")
_BARE = str.maketrans({"{": "", "}": "", "~": " "})
_TAGS = {
    "emph": "i",
    "textit": "i",
    "textsl": "i",
    "textbf": "b",
    "textsuperscript": "sup",
    "textsubscript": "sub",
}
_OUR_TAGS = re.compile(r"</?(?:i|b|sup|sub)>")
# What the library does not know, or knows without its argument. Crossref writes its titles' tags with the first two.
_SIGNS = {"textless": "<", "textgreater": ">", "textasciitilde": "~", "-": ""}
_KEPT = ("url", "path", "mbox", "hbox")
_DROPPED = ("cite", "citep", "citet", "ref", "label", "footnote", "thanks")


def resolve(value: str, macros: dict[str, str], most: int) -> str:
    """Return a field's text: its parts, joined by "#", without braces or quotes, at most that long.

    Raises ValueError where something stands between two parts that does not join them.
    """
    parts: list[str] = []
    start = depth = length = 0
    quoted = closed = False

    def add(end: int) -> None:
        nonlocal length
        part = value[start:end].strip()
        text = part[1:-1] if closed else macros.get(part.lower(), part)
        parts.append(text[: max(0, most - length)])
        length += len(parts[-1])

    for mark in _MARK.finditer(value):
        sign, place = mark.group(), mark.start()
        outside = depth == 0 and not quoted
        if outside and sign == "#":
            add(place)
            start, closed = mark.end(), False
        elif outside and sign in '{"' and value[start:place].strip():
            raise ValueError("no comma after a field")
        if sign == "{":
            depth += 1
        elif sign == "}":
            depth -= 1
        elif sign == '"' and depth == 0:
            quoted = not quoted
        if sign in '}"' and depth == 0 and not quoted:
            closed = True
            if not _AFTER.match(value, mark.end()):
                raise ValueError("no comma after a field")
    add(len(value))
    return "".join(parts)


def to_title(text: str) -> str:
    """Return a title or an abstract with its LaTeX as HTML and characters, and its mathematics as it is."""
    text = _ESCAPED.sub(r"\1", " ".join(text.split()))
    if "\\" not in text:  # most texts, and much sooner done: braces that keep capitals
        if "{" in text or "}" in text or "~" in text:
            pieces = _MATHS.split(text)
            pieces[::2] = [piece.translate(_BARE) for piece in pieces[::2]]
            text = "".join(pieces)
        return text
    try:
        walker = LatexWalker(_SIGN.sub(r"\\\1", text), latex_context=_walker_context(), tolerant_parsing=True)
        shown = _to_text().nodelist_to_text(walker.get_latex_nodes()[0])
    except Exception:  # whatever the library's parser met, nesting beyond all bounds too: at least the words
        shown = text.translate(_BARE)
    return " ".join(shown.split())


def to_plain(text: str) -> str:
    """Return a name, an id or an address without LaTeX."""
    plain = to_title(text)
    return _OUR_TAGS.sub("", plain) if "<" in plain and "\\" in text else plain


@cache
def _walker_context() -> object:
    context = get_default_walker_db()
    macros = [std_macro(name, "{") for name in (*_TAGS, *_KEPT)] + [
        std_macro(name, "[{") for name in _DROPPED
    ]
    macros += [std_macro("href", "{{")]
    context.add_context_category("bzpeer", prepend=True, macros=macros)
    return context


@cache
def _to_text() -> LatexNodes2Text:
    context = get_default_latex_context_db()
    macros = [
        MacroTextSpec(name, simplify_repl=_argument(f"<{tag}>", f"</{tag}>")) for name, tag in _TAGS.items()
    ]
    macros += [MacroTextSpec(name, simplify_repl=_argument()) for name in (*_KEPT, "href")]
    macros += [MacroTextSpec(name, simplify_repl=sign) for name, sign in _SIGNS.items()]
    macros += [MacroTextSpec(name, discard=True) for name in _DROPPED]
    context.add_context_category("bzpeer", prepend=True, macros=macros)
    return LatexNodes2Text(latex_context=context, math_mode="verbatim")


def _argument(before: str = "", after: str = "") -> Callable[[LatexMacroNode, LatexNodes2Text], str]:
    """Return what shows a macro by its last argument; nothing where it has none."""

    def shown(node: LatexMacroNode, l2tobj: LatexNodes2Text) -> str:
        arguments = node.nodeargd.argnlist if node.nodeargd else []
        text = l2tobj.nodelist_to_text([arguments[-1]]) if arguments and arguments[-1] else ""
        return f"{before}{text}{after}" if text else ""

    return shown
