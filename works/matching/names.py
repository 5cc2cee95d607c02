"""Names as they are compared: which two may be one person's, and what they have in common."""

from collections.abc import Iterator
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

from bzpeer.lib.names import is_particle, split_name


class Spelling(NamedTuple):
    """A name made comparable: folded, without particles and hyphens.

    family: one word. given: what stands before it, the first parts of a double family name among them.
    """

    given: tuple[str, ...]
    family: str
    suffix: str = ""

    @property
    def first(self) -> str:
        return self.given[0] if self.given else ""

    @property
    def joined(self) -> str:
        return "".join(self.given)

    @property
    def has_only_initials(self) -> bool:
        return len(self.first) < 2


class Shared(NamedTuple):
    """What two names have in common. dropped: initials and names that only one of them has.

    alias: the names only agree when read in another order or without a part that matters.
    """

    spelling: Spelling
    dropped_initials: int = 0
    dropped_names: int = 0
    nickname: bool = False
    alias: bool = False


_split_once = split_name.__wrapped__  # a cache of all names there are would only hold them in memory


def spelling(name: str) -> Spelling:
    """Return a name as it is compared.

    >>> spelling("Victor Gutiérrez-Basulto"), spelling("Khalid Al Khatib").family
    (Spelling(given=('victor', 'gutierrez'), family='basulto', suffix=''), 'khatib')
    """
    parts = _split_once(name).folded
    words = parts.family.replace("-", " ").split()
    while len(words) > 1 and is_particle(words[0]):
        del words[0]
    before = [word for word in words[:-1] if not is_particle(word)]
    family = words[-1] if words else ""
    return Spelling((*parts.given, *before), _plain(family), parts.suffix)


def _plain(family: str) -> str:
    """Write "mueller" and "muller" alike; in short names (Xue, Guo) the e is no umlaut."""
    if len(family) < 6:
        return family
    for digraph, letter in (("ae", "a"), ("oe", "o"), ("ue", "u")):
        family = family.replace(digraph, letter)
    return family


def shared(one: Spelling, other: Spelling) -> Shared | None:
    """Return what two names have in common, None where they contradict each other.

    "m hempstead" and "mark hempstead" share "m hempstead"; "mark" and "mary" contradict, "william" and
    "bill" do not. Both need a given name, or neither.
    """
    if one.family != other.family or (one.suffix and other.suffix and one.suffix != other.suffix):
        return None
    if one.given == other.given:
        return Shared(one if one.suffix or not other.suffix else other)
    if not one.given or not other.given:
        return None
    if one.joined == other.joined:
        return Shared(min(one, other))  # "Ting-Hao" and "Tinghao"
    return _align(one, other) or _align_joined(one, other) or _align_joined(other, one)


def _align(one: Spelling, other: Spelling) -> Shared | None:
    nickname = False
    given: list[str] = []
    for place, (a, b) in enumerate(zip(one.given, other.given, strict=False)):
        if a == b or (len(a) == 1 and b.startswith(a)):
            given.append(a)
        elif len(b) == 1 and a.startswith(b):
            given.append(b)
        elif place == 0 and formal(a) & formal(b):
            nickname = True
            given.append(min(a, b))
        else:
            return None
    longer = max(one.given, other.given, key=len)[len(given) :]
    initials = sum(len(part) == 1 for part in longer)
    return Shared(Spelling(tuple(given), one.family), initials, len(longer) - initials, nickname)


def _align_joined(one: Spelling, other: Spelling) -> Shared | None:
    """Compare with the first two parts written as one: "tinghao" and "ting hao kenneth"."""
    if len(one.given) < 2 or len(one.given[1]) < 2 or len(one.first) < 2:
        return None
    return _align(Spelling((one.first + one.given[1], *one.given[2:]), one.family), other)


def aliases(name: Spelling) -> Iterator[Spelling]:
    """Yield spellings of other families or initials that may be the same person's: only strong evidence tells.

    The words in the other order; without the second family name; a given name's short or long form.
    """
    if len(name.given) == 1 and len(name.first) > 1:
        yield Spelling((_plain(name.family),), _plain(name.first))
    if len(name.given) > 1 and len(name.given[-1]) > 2:
        yield Spelling(name.given[:-1], _plain(name.given[-1]))
    for other in sorted(_other_forms(name.first)):
        if other[0] != name.first[0]:
            yield Spelling((other, *name.given[1:]), name.family)
            if len(name.given) > 1:
                yield Spelling((other,), name.family)


def shared_as_aliases(one: Spelling, other: Spelling) -> Shared | None:
    """Return what two names have in common of which one is an alias of the other; None where they are not."""
    if other in aliases(one):
        return Shared(other, alias=True)
    return Shared(one, alias=True) if one in aliases(other) else None


def shared_by_initials(one: Spelling, other: Spelling) -> Shared | None:
    """Return what two names have in common of which one has no full given name."""
    return shared(one, other) if one.has_only_initials or other.has_only_initials else None


@lru_cache(maxsize=1)
def _forms() -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
    text = resources.files("works.matching").joinpath("given_names.txt").read_text("utf-8")
    to_formal: dict[str, set[str]] = {}
    to_short: dict[str, set[str]] = {}
    for line in text.splitlines():
        full, _, short = line.partition(":")
        for form in short.split():
            to_formal.setdefault(form, set()).add(full)
            to_short.setdefault(full, set()).add(form)
    return ({k: frozenset(v) for k, v in to_formal.items()}, {k: frozenset(v) for k, v in to_short.items()})


def formal(given: str) -> frozenset[str]:
    """Return a given name and the full forms that it is short for."""
    return _forms()[0].get(given, frozenset()) | {given}


def _other_forms(given: str) -> frozenset[str]:
    to_formal, to_short = _forms()
    return (to_formal.get(given, frozenset()) | to_short.get(given, frozenset())) - {given}


def name_block(name: str) -> str:
    """Return family name and first initial: but for aliases, only people of one block can be the same by name."""
    return block_of(spelling(name))


def block_of(name: Spelling) -> str:
    return f"{name.family[:90]} {name.first[:1]}".strip()
