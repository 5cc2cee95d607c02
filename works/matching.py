"""Who is who: how much evidence says that two lines of author lists are one person. Pure: no database, no clock.

Evidence is counted in bits, log2 of how much likelier it is under one person than under two. The rarer a
full name, the less further evidence it needs; a common name never joins by itself.
"""

import csv
import io
import lzma
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import resources

from bzpeer.lib.names import Name, split_name

PEOPLE = 24.0  # bits: 2^24, about how many people ever wrote scholarly works
CERTAINTY = 3.4  # bits wanted beyond even odds
MOST_FROM_ONE_COAUTHOR = 14.0  # a shared coauthor can be another homonym pair; two are needed for more
SHARED_INSTITUTION = 7.0
SHARED_TOPIC = 5.0
SHARED_SOURCE = 4.0  # a journal or conference; a repository holds everything
FAR_APART = 30  # years between two works that need a bit more each ten years


@dataclass(frozen=True, slots=True)
class Line:
    """One authorship, with what may tell whose it is.

    key: unique and steady, used to break ties. ids: identifiers that providers give this person.
    coauthors: folded names of the others on the work. source: where it appeared, unless a repository. pin: an author record that this line may not leave.
    """

    key: int
    work: int
    name: str
    ids: frozenset[tuple[str, str]] = frozenset()
    coauthors: frozenset[str] = frozenset()
    institutions: frozenset[int] = frozenset()
    topics: frozenset[int] = frozenset()
    year: int | None = None
    pin: int | None = None
    source: int | None = None
    parts: Name = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", split_name(self.name).folded)


@cache
def _shares() -> dict[str, dict[str, float]]:
    """Return how common family and given names are, as shares of 80,558 real author names."""
    packed = resources.files("works.ingest").joinpath("name_frequencies.tsv.xz").read_bytes()
    shares: dict[str, dict[str, float]] = {"family": {}, "given": {}}
    text = lzma.decompress(packed).decode("utf-8")
    for row in csv.reader(io.StringIO(text), delimiter="\t"):
        if len(row) == 3 and row[0] in shares:
            shares[row[0]][row[1]] = float(row[2])
    return shares


_UNSEEN = 1 / 60_000  # a part that stood in fewer than 3 of 80,558 names


def _bits(kind: str, part: str) -> float:
    return -math.log2(_shares()[kind].get(part, _UNSEEN))


def name_bits(parts: Name) -> float:
    """Return how much a folded full name tells, in bits: "wei wang" about 14, "udit gupta" about 25.

    Both orders are looked up and the commoner counts: nobody can tell whether Ke or Liu is the family
    name. Initials and missing given names tell little.
    """
    family = parts.family.split()[-1] if parts.family else ""
    given = [part for part in parts.given if part]
    if not family:
        return 0.0
    if not given:
        return _bits("family", family)
    natural = _bits("family", family) + _given_bits(given)
    swapped = (
        _bits("family", given[-1]) + _bits("given", family)
        if len(given) == 1 and len(given[0]) > 1
        else natural
    )
    return min(natural, swapped)


def _given_bits(given: Sequence[str]) -> float:
    first = given[0]
    bits = _bits("given", first) if len(first) > 1 else 4.0
    # A middle name or initial tells something more, though it is often left out.
    return bits + sum(3.0 if len(part) == 1 else 5.0 for part in given[1:3])


def common_name(one: Name, other: Name) -> Name | None:
    """Return what two compatible folded names have in common; None where they contradict.

    "m hempstead" and "mark hempstead" share "m hempstead"; "mark" and "mary" contradict.
    """
    if one.family != other.family and one.family.replace("-", " ") != other.family.replace("-", " "):
        return None
    shared = []
    for a, b in zip(one.given, other.given, strict=False):
        if a == b or (len(a) == 1 and b.startswith(a)):
            shared.append(a)
        elif len(b) == 1 and a.startswith(b):
            shared.append(b)
        else:
            return None
    if bool(one.given) != bool(other.given):
        return None
    return Name(tuple(shared), one.family)


def evidence(one: Line, other: Line) -> float | None:
    """Return the bits of evidence beyond what joining two lines needs; None where it is forbidden.

    At least 0 joins. Something other than the name must speak for it, however rare the name.
    """
    if one.work == other.work:
        return None
    shared_name = common_name(one.parts, other.parts)
    if shared_name is None:
        return None
    if _contradict(one.ids, other.ids) or (one.pin and other.pin and one.pin != other.pin):
        return None
    found = _coauthor_bits(one, other)
    if one.institutions & other.institutions:
        found += SHARED_INSTITUTION
    if one.topics & other.topics:
        found += SHARED_TOPIC
    if one.source and one.source == other.source:
        found += SHARED_SOURCE
    if found <= 0:
        return None
    if one.year and other.year and abs(one.year - other.year) > FAR_APART:
        found -= (abs(one.year - other.year) - FAR_APART) / 10
    needed = max(SHARED_TOPIC, PEOPLE - name_bits(shared_name) + CERTAINTY)
    return found - needed


@lru_cache(maxsize=200_000)
def _bits_of(folded_name: str) -> float:
    return name_bits(split_name(folded_name).folded)


def _coauthor_bits(one: Line, other: Line) -> float:
    shared = one.coauthors & other.coauthors
    if not shared:
        return 0.0
    # Any of n coauthors could have met any of m by chance.
    chance = math.log2(len(one.coauthors)) + math.log2(len(other.coauthors))
    return max(
        0.0, sum(min(_bits_of(name), MOST_FROM_ONE_COAUTHOR + chance) for name in sorted(shared)) - chance
    )


def _contradict(one: Iterable[tuple[str, str]], other: Iterable[tuple[str, str]]) -> bool:
    """Return whether two sets of identifiers name different people within one scheme.

    OpenAlex gave everybody a new id in mid-2023 (A5…): an old and a new one may be one person.
    """
    ours, theirs = dict(one), dict(other)
    for scheme in ours.keys() & theirs.keys():
        if ours[scheme] != theirs[scheme]:
            if scheme == "openalex" and _era(ours[scheme]) != _era(theirs[scheme]):
                continue
            return True
    return False


def _era(openalex: str) -> int:
    """Return which of OpenAlex's numberings an id is of: A42… and A43… stood for months in early 2023, beside an older one."""
    return 5 if openalex.startswith("A5") else 4 if openalex.startswith(("A42", "A43")) else 2


class Clusters:
    """Lines joined into people; refuses a join that would contradict itself."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self.lines = {line.key: line for line in lines}
        self._parent = {key: key for key in self.lines}
        self._works = {key: {line.work} for key, line in self.lines.items()}
        self._ids: dict[int, set[tuple[str, str]]] = {key: set(line.ids) for key, line in self.lines.items()}
        self._pins = {key: {line.pin} - {None} for key, line in self.lines.items()}
        self._names = {key: {line.parts} for key, line in self.lines.items()}

    def root(self, key: int) -> int:
        while self._parent[key] != key:
            self._parent[key] = self._parent[self._parent[key]]
            key = self._parent[key]
        return key

    def join(self, one: int, other: int, *, by_id: str = "") -> bool:
        """Join two people; by_id: the scheme that says so, else by evidence, which ids may not contradict."""
        a, b = sorted((self.root(one), self.root(other)))
        if a == b:
            return True
        if self._works[a] & self._works[b] or len(self._pins[a] | self._pins[b]) > 1:
            return False
        if self._conflict(self._ids[a], self._ids[b], by_id):
            return False
        # "A. Di Martino" must not join Alessandro and Alberto.
        if not by_id and any(common_name(x, y) is None for x in self._names[a] for y in self._names[b]):
            return False
        self._parent[b] = a
        self._works[a] |= self._works.pop(b)
        self._ids[a] |= self._ids.pop(b)
        self._pins[a] |= self._pins.pop(b)
        self._names[a] |= self._names.pop(b)
        return True

    @staticmethod
    def _conflict(one: set[tuple[str, str]], other: set[tuple[str, str]], by_id: str) -> bool:
        if {value for scheme, value in one if scheme == "orcid"} ^ {
            value for scheme, value in other if scheme == "orcid"
        }:
            both = [{value for scheme, value in ids if scheme == "orcid"} for ids in (one, other)]
            if all(both) and not both[0] & both[1]:
                return True
        if by_id:
            return False
        now = [
            {value for scheme, value in ids if scheme == "openalex" and value.startswith("A5")}
            for ids in (one, other)
        ]
        return all(now) and not now[0] & now[1]

    def groups(self) -> list[list[Line]]:
        found: dict[int, list[Line]] = defaultdict(list)
        for key in sorted(self.lines):
            found[self.root(key)].append(self.lines[key])
        return list(found.values())


class NearMiss(tuple[int, int, float]):
    """Two lines whose evidence fell short by a little: (key, key, score below 0)."""


NEAR = -6.0
MOST_PAIRS_OF_ONE_FEATURE = 200  # a feature that more lines share tells little and costs their square


def cluster(lines: Sequence[Line], blocks: dict[int, str]) -> tuple[list[list[Line]], list[NearMiss]]:
    """Return lines grouped into people, and near misses. blocks: each line's name block.

    The result does not depend on the order of the lines.
    """
    clusters = Clusters(lines)
    _join_by(clusters, lines, lambda line: [("pin", str(line.pin))] if line.pin else [], "pin")
    for scheme in ("orcid", "openalex"):
        _join_by(clusters, lines, lambda line, s=scheme: [i for i in line.ids if i[0] == s], scheme)  # type: ignore[misc]
    scored: list[tuple[float, int, int]] = []
    near: list[NearMiss] = []
    by_key = clusters.lines
    for one, other in _candidate_pairs(lines, blocks):
        score = evidence(by_key[one], by_key[other])
        if score is None:
            continue
        if score >= 0:
            scored.append((-score, one, other))
        elif score >= NEAR:
            near.append(NearMiss((one, other, score)))
    for _, one, other in sorted(scored):
        clusters.join(one, other)
    near = [miss for miss in near if clusters.root(miss[0]) != clusters.root(miss[1])]
    return clusters.groups(), near


def _join_by(
    clusters: Clusters, lines: Sequence[Line], keys: Callable[[Line], list[tuple[str, str]]], scheme: str
) -> None:
    first: dict[tuple[str, str], int] = {}
    for line in sorted(lines, key=lambda line: line.key):
        for key in keys(line):
            if key in first:
                clusters.join(first[key], line.key, by_id=scheme)
            else:
                first[key] = line.key


def _candidate_pairs(lines: Sequence[Line], blocks: dict[int, str]) -> list[tuple[int, int]]:
    """Return pairs of one name block that share a coauthor, an institution or a topic."""
    sharing: dict[tuple[str, str, object], list[int]] = defaultdict(list)
    for line in lines:
        block = blocks[line.key]
        for kind, values in (
            ("coauthor", line.coauthors),
            ("institution", line.institutions),
            ("topic", line.topics),
        ):
            for value in values:
                sharing[(block, kind, value)].append(line.key)
    pairs: set[tuple[int, int]] = set()
    for keys in sharing.values():
        if 1 < len(keys) <= MOST_PAIRS_OF_ONE_FEATURE:
            ordered = sorted(keys)
            pairs.update((one, other) for i, one in enumerate(ordered) for other in ordered[i + 1 :])
    return sorted(pairs)
