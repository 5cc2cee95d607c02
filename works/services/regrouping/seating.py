"""Who stands on the author lists of works that were joined or taken apart.

A list that is written anew knows the names that its records print. Whoever stood on one of the lists before is put
on the line that bears their name; what is left, identity resolution finds as ever.
"""

from collections import Counter, defaultdict
from typing import NamedTuple

from bzpeer.lib.sql import execute, query
from works.ingest.merging import name_key
from works.matching.names import shared, spelling
from works.models import RegroupedLine, Regrouping
from works.services.regrouping.journal import OF_AUTHORS, author_events
from works.services.regrouping.replay import path
from works.services.regrouping.settling import MADE, bases_of, follow

_NAME = "coalesce(nullif(a.display_name, ''), a.raw_author_name)"


class Led(NamedTuple):
    """Authors who lost their last line with a work that ended, or got it back: where they led to before and after."""

    before: dict[int, int]
    after: dict[int, int]


class Seats:
    """The lists of works before they are regrouped. event: what is being done, which remembers the lists that end."""

    def __init__(self, works: list[int], event: Regrouping, others: list[int]) -> None:
        """others: the regroupings that hang together with this one: what these lists lost, they remember, too."""
        self._event = event
        self._stood: dict[str, set[int]] = defaultdict(set)
        self._names: dict[int, set[str]] = defaultdict(set)
        self._source: dict[
            int, tuple[int, int]
        ] = {}  # of an author: the list, and whose line it was to begin with
        rows = query(
            f"select a.work_id, {_NAME}, a.author_id from works_authorship a where a.work_id = any(%s) and a.author_id is not null",  # noqa: S608
            [works],
        )
        authors = {author for _, _, author in rows}
        bases = bases_of(authors, author_events(authors)) if authors else {}
        for work, name, author in rows:
            self._add(name, author)
            self._source[author] = work, bases.get((work, author), author)
        self._before = {author: self._source[author] for author in authors}
        self._recall(others)
        self._ended = self._recall([event.pk]) if event.kind == Regrouping.Kind.MERGE_WORKS else set()
        if event.kind == Regrouping.Kind.MERGE_WORKS and not event.is_undone:
            theirs = [base for (work, _), base in bases.items() if work == event.other_work_number]
            self._remember(event.other_work_number or 0, theirs)  # joining works takes these lines along

    def fill(self, works: list[int]) -> Led:
        """Put whoever stood before on the lines without an author."""
        self._copy_decisions(works)
        seated: set[int] = set()
        for work in works:
            rows = query(
                f"select a.id, {_NAME}, a.author_id from works_authorship a where a.work_id = %s order by a.index",  # noqa: S608
                [work],
            )
            here = {author for _, _, author in rows if author}
            empty = {row: name for row, name, author in rows if author is None}
            found: dict[int, int] = {}
            for candidates in self._tiers(work):  # of two namesakes, who stood on this very list
                left = {row: name for row, name in empty.items() if row not in found}
                found |= self._match(left, candidates - here - set(found.values()))
            execute(
                "update works_authorship a set author_id = m.author from unnest(%s::bigint[], %s::bigint[]) as m (id, author) where a.id = m.id",
                [list(found), list(found.values())],
            )
            self._copy_lines(work, set(found.values()))
            seated |= here | set(found.values())
        if works:
            lost = [base for author, (_, base) in self._before.items() if author not in seated]
            self._remember(works[0], lost)
        back, led = self._stand_again(works), self._lead_on(works)
        before = back | {author: author for author in led}
        after = {author: author for author in back} | led
        follow(before, after)
        return Led(before, after)

    # --- What is remembered -----------------------------------------------------------------------------------

    def _remember(self, work: int, bases: list[int]) -> None:
        """Write down who stands on a list that ends, or lost a line, as whose line it was before any regrouping."""
        RegroupedLine.objects.bulk_create(
            [RegroupedLine(regrouping=self._event, work_id=work, base_author_id=base) for base in bases],
            ignore_conflicts=True,
        )

    def _recall(self, events: list[int]) -> set[int]:
        """Take in whom regroupings remember, as who they are by now, and return them."""
        found = set()
        for work, base in RegroupedLine.objects.filter(regrouping__in=events).values_list(
            "work", "base_author"
        ):
            author = path((work, base), base, author_events([base]))[-1]
            found.add(author)
            self._source[author] = work, base
            for name in self._known_names(base) | self._known_names(author):
                self._add(name, author)
        return found

    def _known_names(self, author: int) -> set[str]:
        return {
            name
            for (name,) in query(
                "select display_name from works_author where id = %s union select display_name from works_authorname where author_id = %s",
                [author, author],
            )
        }

    def _add(self, name: str, author: int) -> None:
        self._stood[name_key(name)].add(author)
        self._names[author].add(name)

    # --- Who sits where -----------------------------------------------------------------------------------------

    def _tiers(self, work: int) -> list[set[int]]:
        before, everybody = set(self._before), set(self._names)
        own = self._ended if work == self._event.other_work_number else before - self._ended
        return [own, before, everybody]

    def _match(self, empty: dict[int, str], candidates: set[int]) -> dict[int, int]:
        """Return who is meant by lines, where one alone fits one line alone: by the same name, else by a like one."""
        found: dict[int, int] = {}
        for fits in (self._same, self._alike):
            left = {row: name for row, name in empty.items() if row not in found}
            told = {row: (fits(name) & candidates) - set(found.values()) for row, name in left.items()}
            counts = Counter(author for several in told.values() for author in several)
            for row, several in told.items():
                if len(several) == 1 and counts[author := next(iter(several))] == 1:
                    found[row] = author
        return found

    def _same(self, name: str) -> set[int]:
        return set(self._stood.get(name_key(name), ()))

    def _alike(self, name: str) -> set[int]:
        wanted = spelling(name)
        return {
            author
            for author, names in self._names.items()
            if any(shared(wanted, spelling(other)) is not None for other in names)
        }

    def _stand_again(self, works: list[int]) -> dict[int, int]:
        """Let authors stand again who led to a namesake while their only work was joined; return where they led."""
        return dict(
            query(
                "update works_author a set merged_into_id = null, version = version + 1 where a.merged_into_id is not null"
                " and a.id = any(select author_id from works_authorship where work_id = any(%s)) returning a.id, old.merged_into_id",
                [works],
            )
        )

    def _lead_on(self, works: list[int]) -> dict[int, int]:
        """Lead authors who lost their last line with a work that ended to who stands on the same line of it."""
        lost = [
            author
            for (author,) in query(
                "select a.id from works_author a where a.id = any(%s) and not a.claimed and not a.suppressed and a.merged_into_id is null"
                " and not exists (select 1 from works_authorship s where s.author_id = a.id)",
                [list(self._before)],
            )
        ]
        lines: dict[str, set[int]] = defaultdict(set)
        for name, author in query(
            f"select {_NAME}, a.author_id from works_authorship a where a.work_id = any(%s) and a.author_id is not null",  # noqa: S608
            [works],
        ):
            lines[name_key(name)].add(author)
        led = {}
        for author in lost:
            heirs = set().union(*(lines.get(name_key(name), set()) for name in self._names[author]))
            if len(heirs) == 1:
                led[author] = heirs.pop()
        execute(
            "update works_author a set merged_into_id = m.heir, version = version + 1"
            " from unnest(%s::bigint[], %s::bigint[]) as m (id, heir) where a.id = m.id",
            [list(led), list(led.values())],
        )
        return led

    def _copy_lines(self, work: int, authors: set[int]) -> None:
        """Have what was regrouped of authors hold for the lines that they got on another list, too."""
        sources = [(*self._source[author], author) for author in authors if self._source[author][0] != work]
        execute(
            "insert into works_regroupedline (regrouping_id, work_id, base_author_id)"
            " select l.regrouping_id, %s, l.base_author_id from unnest(%s::bigint[], %s::bigint[]) as s (work, base)"
            " join works_regroupedline l on l.work_id = s.work and l.base_author_id = s.base"
            " join works_regrouping g on g.id = l.regrouping_id and g.kind = any(%s) on conflict do nothing",
            [work, [old for old, _, _ in sources], [base for _, base, _ in sources], list(OF_AUTHORS)],
        )

    def _copy_decisions(self, works: list[int]) -> None:
        """Have what people said of a work hold for what was taken from it, where the same person is on its list."""
        pairs = [(old, new) for old in works for new in works if old != new]
        for author, is_theirs, reason, new in query(
            "select d.author_id, d.is_theirs, d.reason, p.new from unnest(%s::bigint[], %s::bigint[]) as p (old, new)"
            " join works_authorshipdecision d on d.work_id = p.old where d.reason not like %s",
            [[old for old, _ in pairs], [new for _, new in pairs], f"{MADE}%"],
        ):
            names = {spelling(name) for name in self._known_names(author)}
            rows = query(f"select {_NAME} from works_authorship a where a.work_id = %s", [new])  # noqa: S608
            if any(shared(spelling(name), own) is not None for (name,) in rows for own in names):
                execute(
                    "insert into works_authorshipdecision (author_id, work_id, is_theirs, reason, created_at)"
                    " values (%s, %s, %s, %s, now()) on conflict do nothing",
                    [author, new, is_theirs, reason],
                )
