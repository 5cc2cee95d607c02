"""Who asked to be hidden is known again by their identifiers, also where nothing else would join a line to them."""

from collections import defaultdict

from bzpeer.lib.sql import query
from works.matching.names import Spelling, shared, spelling
from works.matching.papers import Identifier
from works.services.resolve.reading import Read


def pin_hidden(read: Read) -> None:
    """Say of the lines that bear an identifier of a hidden author, and a name that fits, that they are theirs.

    Otherwise a person whose earlier works lost their identifiers would come back as somebody new. At most one line
    of a work: of two with the same identifier one is a mistake of the source.
    """
    collection = read.collection
    hidden = _hidden()
    if not hidden:
        return
    names = _names(set(hidden.values()))
    paper_of = collection.paper_of.tolist()
    taken = {(paper_of[line], author) for line, author in collection.pins.items()}
    for line, identifiers in sorted(collection.ids.items()):
        author = next((hidden[one] for one in identifiers if one in hidden), None)
        if author is None or line in collection.pins or author in collection.barred.get(line, ()):
            continue
        name = spelling(collection.names[collection.name_of[line]])
        fits = any(shared(name, own) is not None for own in names[author])
        if fits and (paper_of[line], author) not in taken:
            collection.pins[line] = author
            taken.add((paper_of[line], author))


def _hidden() -> dict[Identifier, int]:
    rows = query(
        "select i.scheme, i.value, i.author_id from works_author a join works_authoridentifier i on i.author_id = a.id"
        " where a.suppressed"
    )
    return {(scheme, value): author for scheme, value, author in rows}


def _names(authors: set[int]) -> dict[int, set[Spelling]]:
    found: dict[int, set[Spelling]] = defaultdict(set)
    for author, name in query(
        "select author_id, display_name from works_authorname where author_id = any(%s)"
        " union select id, display_name from works_author where id = any(%s)",
        [sorted(authors)] * 2,
    ):
        found[author].add(spelling(name))
    return found
