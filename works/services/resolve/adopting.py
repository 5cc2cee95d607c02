"""The author records whose identifiers stand on no work: whose they are by name.

The Anthology tells people apart by id only where it must. Of everybody else its list says under which names
they wrote, and its papers bear nothing but these names.
"""

from collections import Counter, defaultdict

import numpy as np
from numpy.typing import NDArray

from bzpeer.lib.sql import query
from works.matching.papers import Identifier
from works.services.resolve.reading import BY_NAME, Described, Read


def adopt_described(read: Read, person: NDArray[np.int64]) -> tuple[NDArray[np.int64], dict[Identifier, int]]:
    """Return the person of each line, and who by name alone is whom an author record describes: a line of theirs.

    Only where each name of the record is borne by one person on the provider's own works. Who bears different
    names of one record becomes one, unless a work names both or an identifier or decision speaks against it.
    """
    records = _unheld(read)
    bearers = _bearers(read, person, records)
    claimed = Counter(one for several in bearers for one in several)
    order = np.argsort(person, kind="stable")
    joined, adopted = person.copy(), dict[Identifier, int]()
    for record, people in zip(records, bearers, strict=True):
        if not people or any(claimed[one] > 1 for one in people):
            continue
        starts = np.searchsorted(person, sorted(people), "left", sorter=order)
        ends = np.searchsorted(person, sorted(people), "right", sorter=order)
        lines = np.sort(np.concatenate([order[start:end] for start, end in zip(starts, ends, strict=True)]))
        if len(people) == 1 or _may_be_one(read, lines):
            joined[lines] = lines[0]
            adopted.update(dict.fromkeys(record.telling, int(lines[0])))
    return joined, adopted


def _bearers(read: Read, person: NDArray[np.int64], records: list[Described]) -> list[set[int]]:
    """Return the people who bear the names of each record; none where a name is several people's or records'."""
    names_of = [{record.display_name, *record.names} for record in records]
    lines_of = _lines_by_name(read, set().union(*names_of))
    claims = Counter(name for names in names_of for name in names)
    found = []
    for names in names_of:
        several = [set(person[lines_of[name]].tolist()) for name in names if name in lines_of]
        sure = all(len(people) == 1 for people in several) and all(claims[name] == 1 for name in names)
        found.append(set().union(*several) if sure else set())
    return found


def _may_be_one(read: Read, lines: NDArray[np.int64]) -> bool:
    collection = read.collection
    papers = collection.paper_of[lines]
    told = any(line in collection.ids or line in collection.pins for line in lines.tolist())
    return not told and len(np.unique(papers)) == len(papers)


def _unheld(read: Read) -> list[Described]:
    held = {identifier for several in read.collection.ids.values() for identifier in several}
    return [
        record
        for record in read.described
        if record.provider == BY_NAME and not record.merged_into and not record.telling & held
    ]


def _lines_by_name(read: Read, names: set[str]) -> dict[str, NDArray[np.int64]]:
    """Return the lines on the provider's works that bear these names, as printed, and no id of the provider."""
    collection = read.collection
    rows = query("select work_id from works_workidentifier where scheme = %s", [BY_NAME])
    own = np.isin(collection.works, np.array([work for (work,) in rows], np.int64))
    numbers = {number: name for number, name in enumerate(collection.names) if name in names}
    lines = np.flatnonzero(
        np.isin(collection.name_of, sorted(numbers)) & own[collection.paper_of] & read.wanted
    )
    found: dict[str, list[int]] = defaultdict(list)
    for line in lines.tolist():
        if not any(scheme == BY_NAME for scheme, _ in collection.ids.get(line, ())):
            found[numbers[int(collection.name_of[line])]].append(line)
    return {name: np.array(several) for name, several in found.items()}
