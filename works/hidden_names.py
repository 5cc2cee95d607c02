"""Former names that authors want shown nowhere: which spellings and texts hold one of them."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from bzpeer.lib.names import fold
from works.models import NameOverride

NOT_SHOWN = "(name not shown)"  # of a line that nobody was found for yet


def words_of_name(name: str) -> list[str]:
    """Return the folded words of a name, hyphenated ones apart.

    >>> words_of_name("Döe-Smith, J.R.")
    ['doe', 'smith', 'j', 'r']
    """
    return re.findall(r"[^\W_]+", fold(name))


def hides(hidden: Iterable[str], name: str) -> bool:
    """Return whether a name is one of the hidden ones: the same words in any order, or those and more.

    "Jane Doe" also hides "Doe, Jane", "JANE M. DOE" and the id "Jane Doe 0001", but not "J. Doe".
    """
    words = words_of_name(name)
    count = Counter(words)
    for one in hidden:
        wanted = words_of_name(one)
        if not wanted:
            continue
        if "".join(wanted) == "".join(words) or (len(wanted) > 1 and Counter(wanted) <= count):
            return True
    return False


def mentions(hidden: Iterable[str], text: str) -> bool:
    """Return whether a text holds a hidden name's words side by side, in this order or the family name first."""
    said = f" {' '.join(words_of_name(text))} "
    for one in hidden:
        words = words_of_name(one)
        turned = [*words[-1:], *words[:-1]]
        if words and any(f" {' '.join(order)} " in said for order in (words, turned)):
            return True
    return False


def hidden_names_of(author_ids: Iterable[int]) -> dict[int, list[str]]:
    """Return the hidden names of each of these authors who has some."""
    rows = NameOverride.objects.filter(author__in=set(author_ids), is_hidden=True)
    found: dict[int, list[str]] = defaultdict(list)
    for author_id, name in rows.order_by("pk").values_list("author", "name"):
        found[author_id].append(name)
    return dict(found)


def all_hidden_names() -> list[str]:
    """Return every hidden name: for lines that nobody was found for yet, whose they may be."""
    return list(NameOverride.objects.filter(is_hidden=True).order_by("pk").values_list("name", flat=True))
