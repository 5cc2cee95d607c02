"""Find who is who without being told, and compare with the identifiers that were hidden."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from types import ModuleType
from typing import Any, NamedTuple

import yaml

from bzpeer.lib.names import fold
from works.evaluation.affiliations import is_held_out
from works.evaluation.scores import Agreement, compare
from works.ingest import acl, openalex
from works.ingest.files import UnreadableFile, find_files, open_members, read_records
from works.ingest.records import AuthorshipRecord, Identifier, WorkRecord
from works.matching.census import Census
from works.matching.papers import Author, Collection, Paper, Vocabulary
from works.matching.people import find_people

Say = Callable[[str], None]
VARIANTS = "name_variants.yaml"
_INTERIM = ("A42", "A43")


class Measure(NamedTuple):
    """One gold set. methods: the resolver first, then what names alone would give. shared: only names of several."""

    name: str
    title: str
    lines: int
    people: int
    methods: dict[str, Agreement]
    shared_lines: int
    shared_people: int
    shared: dict[str, Agreement]


class _Work(NamedTuple):
    """What is kept of a record: neither abstract nor references. day: of two versions the newer counts."""

    rank: Any
    title: str
    year: int | None
    source: str
    topics: tuple[str, ...]
    authorships: tuple[AuthorshipRecord, ...]


# --- The ACL Anthology --------------------------------------------------------------------------------------------


def measure_acl(paths: list[str], say: Say) -> list[Measure]:
    """Measure on the Anthology: its ORCIDs and person ids say who is who.

    An id that the Anthology says to be of several people is nobody's, and an ORCID and a person id on one line
    are one person's; the figures with every id as it is printed stand beside.
    """
    works = _read(acl, paths, say)
    lines = [authorship for work in works for authorship in work.authorships]
    say(f"{len(works):,} papers with {len(lines):,} author lines; every id is hidden")
    found = _resolve(works)
    variants = _variants(paths)
    several = {person["id"] for person in variants if "id" in person and _is_of_several(person)}
    printed = [authorship.orcid or authorship.acl for authorship in lines]
    one = _same_people(lines, variants, several)
    people = [
        ""
        if authorship.acl in several
        else one(("orcid", authorship.orcid) if authorship.orcid else ("acl", authorship.acl))
        if authorship.orcid or authorship.acl
        else ""
        for authorship in lines
    ]
    names = [authorship.name for authorship in lines]
    held_out = [
        label if label and is_held_out(normalised(name)) else ""
        for label, name in zip(people, names, strict=True)
    ]
    return [
        _measure("acl", "ACL Anthology, people", people, names, found),
        _measure("acl_held_out", "ACL Anthology, the half of names held out", held_out, names, found),
        _measure("acl_as_printed", "ACL Anthology, every id as printed", printed, names, found),
    ]


def _is_of_several(person: dict[str, Any]) -> bool:
    return str(person.get("comment", "")).startswith("May refer to")


def _same_people(
    lines: Iterable[AuthorshipRecord], variants: Iterable[dict[str, Any]], several: set[str]
) -> Callable[[Identifier], Identifier]:
    """Return a function that gives one identifier for all of one person's."""
    above: dict[Identifier, Identifier] = {}

    def root(identifier: Identifier) -> Identifier:
        while identifier in above:
            identifier = above[identifier]
        return identifier

    pairs = [(line.acl, line.orcid) for line in lines if line.acl and line.orcid]
    pairs += [(person["id"], person["orcid"]) for person in variants if "id" in person and "orcid" in person]
    for person, orcid in pairs:
        if person not in several and root(("orcid", orcid)) != root(("acl", person)):
            above[root(("orcid", orcid))] = root(("acl", person))
    return root


def _variants(paths: list[str]) -> list[dict[str, Any]]:
    """Return the people of the Anthology's list of name variants; none where it is not among the files."""
    for path in find_files(paths, acl.SUFFIXES):
        for name, stream in open_members(path, acl.SUFFIXES) if path.name.startswith(VARIANTS) else ():
            try:
                people = yaml.load(stream.read(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
            except yaml.YAMLError as error:
                raise UnreadableFile(f"{name}: no YAML ({error}).") from None
            return (
                [person for person in people if isinstance(person, dict)] if isinstance(people, list) else []
            )
    return []


# --- OpenAlex -----------------------------------------------------------------------------------------------------


def measure_openalex(paths: list[str], say: Say) -> list[Measure]:
    """Measure on OpenAlex: the author ids of before and after mid-2023, when everybody got a new one.

    Those of A42… and A43… stood for some months beside older ones of the same people: they tell nothing.
    """
    works = _read(openalex, paths, say)
    parts: dict[str, list[_Work]] = defaultdict(list)
    for work in works:
        new = Counter(a.openalex.startswith("A5") for a in work.authorships if a.openalex)
        if new:
            parts["openalex_new" if new[True] > new[False] else "openalex_old"].append(work)
    titles = {"openalex_old": "OpenAlex, ids before mid-2023", "openalex_new": "OpenAlex, ids since mid-2023"}
    measures = []
    for name, some in sorted(parts.items()):
        lines = [authorship for work in some for authorship in work.authorships]
        say(f"{len(some):,} works with {len(lines):,} author lines; every author id is hidden")
        ids = [a.openalex if a.openalex.startswith("A5") == (name == "openalex_new") else "" for a in lines]
        ids = ["" if number.startswith(_INTERIM) else number for number in ids]
        measures.append(_measure(name, titles[name], ids, [a.name for a in lines], _resolve(some)))
    return measures


# --- Both ---------------------------------------------------------------------------------------------------------


def _read(reader: ModuleType, paths: list[str], say: Say) -> list[_Work]:
    """Return the newest version of each work, in the order of their ids."""
    works: dict[str, _Work] = {}
    for path in find_files(paths, reader.SUFFIXES):
        for record in read_records(reader, path):
            if isinstance(record, WorkRecord) and not record.withdrawn:
                known = works.get(record.record_id)
                if known is None or record.rank > known.rank:
                    works[record.record_id] = _work(record)
    say(f"{len(works):,} works read")
    return [works[number] for number in sorted(works)]


def _work(record: WorkRecord) -> _Work:
    source = record.source.display_name if record.source and record.source.type != "repository" else ""
    topics = tuple(topic.value for topic in record.topics)
    return _Work(record.rank, record.title, record.publication_year, source, topics, record.authorships)


def _resolve(works: list[_Work]) -> list[int]:
    """Return the person of each author line, found without any identifier of people."""
    collection = Collection(_papers(works))
    return find_people(collection, Census.of(collection)).person.tolist()


def _papers(works: list[_Work]) -> Iterator[Paper]:
    sources, topics, institutions = Vocabulary(), Vocabulary(), Vocabulary()
    keys = iter(range(sum(len(work.authorships) for work in works)))
    for number, work in enumerate(works):
        authors = [
            Author(
                next(keys), line.name, institutions=tuple(institutions(i.ror or i.openalex or i.display_name) for i in line.institutions),
                affiliation=" ".join(line.raw_affiliations), variants=line.variants,
            )
            for line in work.authorships
        ]  # fmt: skip
        source = sources(work.source) if work.source else None
        yield Paper(number, authors, work.year, source, work.title, tuple(topics(t) for t in work.topics))


def normalised(name: str) -> str:
    """Return a name without accents, punctuation and capitals."""
    return fold(name).replace("-", " ")


def _measure(name: str, title: str, gold: list[Any], names: list[str], found: list[int]) -> Measure:
    known = [place for place, label in enumerate(gold) if label]
    folded = {place: normalised(names[place]) for place in known}
    bearers: dict[str, set[Hashable]] = defaultdict(set)
    for place in known:
        bearers[folded[place]].add(gold[place])
    shared = [place for place in known if len(bearers[folded[place]]) > 1]

    def methods(places: list[int]) -> dict[str, Agreement]:
        truth = [gold[place] for place in places]
        return {
            "resolver": compare(truth, [found[place] for place in places]),
            "exact name": compare(truth, [names[place] for place in places]),
            "normalised name": compare(truth, [folded[place] for place in places]),
        }

    return Measure(
        name, title, len(known), len({gold[place] for place in known}), methods(known),
        len(shared), len({gold[place] for place in shared}), methods(shared),
    )  # fmt: skip
