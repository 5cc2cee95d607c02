"""Personal names as the sources write them: cleaned, folded and split.

Nothing here decides whether two names are one person. It only brings
spellings into a form in which they can be compared.
"""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

# Letters that Unicode does not decompose into a base letter and a mark.
_LETTERS = str.maketrans(
    {
        "ß": "ss", "ẞ": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d",
        "ð": "d", "þ": "th", "ħ": "h", "ı": "i", "ŋ": "n", "ŧ": "t", "ĸ": "k",
        "ə": "e", "ɛ": "e", "ɔ": "o", "ɓ": "b", "ɗ": "d", "ƙ": "k", "ƴ": "y",
    }
)  # fmt: skip

# The last five are spacing accents that NFKD would turn into a space and a mark.
_APOSTROPHES = "'’‘‛`´′ʹʻʼʽʾʿˈ՚＇\"“”„" + "¨¯¸˘˙"
_HYPHENS = "‐‑‒–—―−﹣－"
_PUNCTUATION = str.maketrans(
    {**dict.fromkeys(_APOSTROPHES), **dict.fromkeys(_HYPHENS, "-"), "·": " ", "・": " ", "‧": " "}
)

# Letters (category Lo) that draw nothing.
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0")
# Marks that only choose how a character is drawn.
_INVISIBLE_MARKS = frozenset(["\u034f", *map(chr, range(0xFE00, 0xFE10))])

# Those of them that count as printable.
_UNSEEN = re.compile(f"[{''.join(_BLANK_LETTERS | _INVISIBLE_MARKS)}]")

_SUFFIXES = frozenset(["jr", "sr", "jnr", "snr", "ii", "iii", "iv"])
# With fewer words before it, "Ii" is a Japanese family name and not a numeral.
_NUMERALS = frozenset(["ii", "iii", "iv"])

_PARTICLES = frozenset({
    "van", "von", "vom", "de", "der", "den", "del", "della", "di", "da", "dos", "la", "le", "el",
    "al", "ben", "bin", "binti", "bint", "ibn", "abu",
})  # fmt: skip
# Particles only when written small: "Das", "Do", "Du", "Te" are names of their own.
_SMALL_PARTICLES = frozenset({
    "zu", "zum", "zur", "dal", "dalla", "das", "do", "du", "des", "degli", "dei", "las", "los",
    "lo", "ter", "ten", "te", "op", "af", "av", "'t", "’t",
})  # fmt: skip
# "Nguyen Van Linh" has a middle name Van, "Dick Van Dyke" has not.
_VIETNAMESE = frozenset({
    "nguyen", "tran", "le", "pham", "huynh", "hoang", "phan", "vu", "vo", "dang", "bui", "do", "ho",
    "ngo", "duong", "ly", "trinh", "dinh",
})  # fmt: skip

_PARENTHESES = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_MARKS_AROUND = "*†‡§¶#,;:"
_DOT_BEFORE_LETTER = re.compile(r"\.(?=[^\W\d_])")
# "J", "J.", "J.A.", "J.-P.", but not "St."
_INITIALS = re.compile(r"[^\W\d_](?:\.?-[^\W\d_]|\.[^\W\d_])*\.?")
_EAST_ASIAN = re.compile(
    r"[\u1100-\u11ff\u3005\u3040-\u30ff\u3130-\u318f\u3400-\u4dbf\u4e00-\u9fff"
    r"\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff ]+"
)


class Name(NamedTuple):
    """A personal name in parts, spelled as the source spells it.

    given: words and initials in order, hyphenated ones apart; may be empty.
    family: with its particles; the whole name when it is a single word.
    suffix: "Jr", "III" and the like without dots, or "".
    """

    given: tuple[str, ...]
    family: str
    suffix: str = ""

    @property
    def folded(self) -> "Name":
        """Return the same parts as `fold` writes them."""
        given = (part for word in self.given for part in fold(word).split())
        return Name(tuple(given), fold(self.family), fold(self.suffix))

    @property
    def family_key(self) -> str:
        """Return the folded last word of the family name, for looking up how common it is.

        Particles do not count: "van der Berg" gives "berg", "El-Sayed" gives "sayed".
        """
        words = fold(self.family).split()
        if not words:
            return ""
        particle, hyphen, rest = words[-1].partition("-")
        return rest if hyphen and rest and particle in _PARTICLES else words[-1]


def clean(text: str) -> str:
    """Remove what cannot be seen and join runs of white space.

    Control, zero-width, bidirectional and unpaired surrogate characters go;
    tabs, line breaks and odd spaces become one space. NFC.

    >>> clean(" Liu\\u200b \\tKe\\x00 ")
    'Liu Ke'
    """
    text = " ".join(text.split())
    if text.isprintable() and not _UNSEEN.search(text):
        return text if text.isascii() else unicodedata.normalize("NFC", text)
    kept = []
    for char in text:
        category = unicodedata.category(char)
        if char.isspace():
            kept.append(" ")
        elif char in _BLANK_LETTERS or char in _INVISIBLE_MARKS or category in {"Cc", "Cf", "Cs"}:
            continue
        else:
            kept.append(char)
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).split())


def fold(text: str) -> str:
    """Return text in small letters without accents, apostrophes and dots.

    Hyphens of every kind become "-". A dot between letters parts two words, as
    the space does that others write there. Only Latin and Greek lose their
    accents; other scripts need their marks and keep them.

    >>> fold("Wójcik-Łukasz, J.R.  O’Neill")
    'wojcik-lukasz, j r oneill'
    >>> fold("Йорданов")
    'йорданов'
    """
    # Words of names come again and again.
    return _fold_again(text) if len(text) <= 40 else _fold(text)


def _fold(text: str) -> str:
    if text.isascii():
        text = clean(text).replace("'", "").replace("`", "").replace('"', "")
        return " ".join(_DOT_BEFORE_LETTER.sub(" ", text).replace(".", "").lower().split())
    # Once before NFKC, which would make a space and a mark of "´", and once for what it brings to light.
    text = unicodedata.normalize("NFKC", clean(text).translate(_PUNCTUATION)).translate(_PUNCTUATION)
    text = _DOT_BEFORE_LETTER.sub(" ", text).replace(".", "")
    if text.isascii():
        return " ".join(text.lower().split())
    text = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    plain = _COMBINING.sub("", text)
    if plain.isascii():
        return " ".join(plain.translate(_LETTERS).split())
    kept = []
    base_keeps_marks = False
    for char in text:
        is_mark, keeps_marks = _kind_of(char)
        if not is_mark:
            base_keeps_marks = keeps_marks
            kept.append(char)
        elif base_keeps_marks:
            kept.append(char)
    # Composing again joins the Hangul syllables that NFKD took apart.
    folded = unicodedata.normalize("NFC", "".join(kept)).translate(_LETTERS)
    return " ".join(folded.split())


_fold_again = lru_cache(100_000)(_fold)
_COMBINING = re.compile(r"[\u0300-\u036f]+")


@lru_cache(20_000)
def _kind_of(char: str) -> tuple[bool, bool]:
    """Return whether a character is a mark, and whether as a letter it keeps the marks that follow it."""
    if unicodedata.category(char).startswith("M"):
        return True, False
    foreign = not unicodedata.name(char, "").startswith(("LATIN", "GREEK", "MODIFIER"))
    return False, char.isalpha() and foreign


@lru_cache(50_000)
def split_name(text: str) -> Name:
    """Split a personal name into given names, family name and suffix.

    Reads "First Last", "Last, First", "Last, Jr., First", "Smith J. A." and
    single words. Names written in Chinese, Japanese or Korean characters have
    the family name first when a space parts them and are left whole otherwise.
    Text in brackets is dropped. Returns empty parts for a text without a name.

    >>> split_name("Ludwig van der Berg Jr.")
    Name(given=('Ludwig',), family='van der Berg', suffix='Jr')
    >>> split_name("Wu, Carole-Jean")
    Name(given=('Carole', 'Jean'), family='Wu', suffix='')
    """
    text = clean(text)
    text = clean(_PARENTHESES.sub(" ", text)) or text.strip("()[]")
    parts = [_words(part) for part in re.split("[,，]", text)]
    parts = [words for words in parts if words]
    suffix = ""
    # "Last, Jr., First", "Last, First, Jr." and "First Last, Jr."
    for words in parts[1:]:
        if len(words) == 1 and fold(words[0]) in _SUFFIXES:
            suffix = words[0].replace(".", "")
            parts.remove(words)
            break
    if not parts:
        return Name((), "")
    if len(parts) == 1:
        given, family, own_suffix = _split_natural(parts[0])
    else:
        family, own_suffix = _without_suffix(parts[0], least=1)
        given, later_suffix = _without_suffix([word for words in parts[1:] for word in words], least=1)
        own_suffix = own_suffix or later_suffix
    return Name(_given_parts(given), " ".join(family), suffix or own_suffix)


def _words(text: str) -> list[str]:
    words = (word.strip(_MARKS_AROUND) for word in text.split())
    return [word for word in words if word.strip(".-")]


def _split_natural(words: list[str]) -> tuple[list[str], list[str], str]:
    """Split words in the order in which people say them."""
    words, suffix = _without_suffix(words, least=1)
    joined = " ".join(words)
    if _EAST_ASIAN.fullmatch(joined):
        if len(words) == 2 and len(words[1]) == 1 < len(words[0]):
            # "민준 김": turned round by a source, as the family name is the short one.
            return words[:1], words[1:], suffix
        return words[1:], words[:1], suffix
    if "·" in joined and _EAST_ASIAN.fullmatch(joined.replace("·", " ")):
        # A foreign name in Chinese characters keeps its own order.
        words = joined.replace("·", " ").split()
        return words[:-1], words[-1:], suffix
    trailing: list[str] = []
    while len(words) > 1 and _is_initial(words[-1]) and not all(map(_is_initial, words)):
        trailing.insert(0, words[-1])
        words = words[:-1]
    start = _family_start(words)
    return words[:start] + trailing, words[start:], suffix


def _is_initial(word: str) -> bool:
    return not _EAST_ASIAN.match(word) and bool(_INITIALS.fullmatch(word))


def _family_start(words: list[str]) -> int:
    """Return the place of the first word that belongs to the family name."""
    start = len(words) - 1
    if start < 1:
        return 0
    has_capitals = any(word != word.lower() for word in words)
    vietnamese = fold(words[0]) in _VIETNAMESE or fold(words[-1]) in _VIETNAMESE
    while start > 0:
        word = words[start - 1]
        folded = fold(word)
        small = word == word.lower()
        if folded in _PARTICLES:
            if not small and (start == 1 or vietnamese):
                break
        elif not (small and word in _SMALL_PARTICLES):
            break
        if start == 1 and not (small and has_capitals):
            # "di wu" without any capital is a given name more often than a particle.
            break
        start -= 1
    if has_capitals and start > 2 and words[start - 1] in {"y", "i", "e"}:
        # "Santiago Ramón y Cajal"
        start -= 2
    return start


def _without_suffix(words: list[str], *, least: int) -> tuple[list[str], str]:
    """Take a suffix off the end when at least that many words stay."""
    last = fold(words[-1]) if words else ""
    if last in _SUFFIXES and len(words) > least + (last in _NUMERALS):
        return words[:-1], words[-1].replace(".", "")
    return words, ""


def _given_parts(words: list[str]) -> tuple[str, ...]:
    text = " ".join(words)
    for hyphen in _HYPHENS + "-":
        text = text.replace(hyphen, " ")
    text = _DOT_BEFORE_LETTER.sub(". ", text)
    return tuple(part for part in text.split() if part.strip("."))


def is_particle(word: str) -> bool:
    """Return whether a folded word of a family name is left out when names are looked up: "van", "de la", "al"."""
    return word in _PARTICLES or word in _SMALL_PARTICLES
