"""Say that two authors are one, or that one is two; look first at what that would do."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from django.db import transaction
from django.db.models import QuerySet

from bzpeer.lib.names import fold
from bzpeer.lib.sql import execute
from works.models import Author, Authorship, NameOverride, RegroupedLine, Regrouping, Suggestion, Work
from works.services.catalogue import lock_catalogue
from works.services.described import best_name
from works.services.regrouping.identifiers import records_without_lines
from works.services.regrouping.journal import author_events
from works.services.regrouping.replay import Event, flipped
from works.services.regrouping.settling import bases_of, own_refusals, settle
from works.services.regrouping.terms import Moved, Refused, titles_of


class MergePreview(NamedTuple):
    """What merging other into author would do. together: works that list both. refused: works of the one that the
    other said are not theirs. reasons: what identity resolution noted about the two."""

    author: Author
    other: Author
    works: int
    together: list[Work]
    refused: list[Work]
    reasons: list[str]

    @property
    def refusal(self) -> str:
        """Return why it cannot be, "" where it can."""
        try:
            _check(self)
        except Refused as refusal:
            return str(refusal)
        return ""


def preview_merge(author: Author, other: Author) -> MergePreview:
    """Look at what would happen if other ended and author had all works of both."""
    ours, theirs = (set(_works_of(one).values_list("pk", flat=True)) for one in (author, other))
    together = Work.objects.filter(pk__in=ours & theirs).defer("search").order_by("pk")
    refused = {work for work, who in own_refusals(theirs, [author.pk])}
    refused |= {work for work, who in own_refusals(ours, [other.pk])}
    pair = sorted((author.pk, other.pk))
    suggested = Suggestion.objects.filter(author_a=pair[0], author_b=pair[1])
    return MergePreview(
        author, other, len(theirs), list(together), list(Work.objects.filter(pk__in=refused).defer("search").order_by("pk")),
        list(suggested.values_list("reason", flat=True)),
    )  # fmt: skip


def lock_authors(*authors: int) -> list[Author]:
    """Lock the catalogue, then authors in the order of their ids; return them as given."""
    lock_catalogue()
    rows = Author.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=authors).order_by("pk")
    found = {author.pk: author for author in rows.defer("search")}
    return [found[number] for number in authors]


@transaction.atomic
def merge_authors(*, author: Author, other: Author) -> Moved:
    """Give all works of other to author; other's address leads there for ever. Raises Refused."""
    author, other = lock_authors(author.pk, other.pk)
    _check(preview_merge(author, other))
    earlier = author_events([author.pk, other.pk])
    event = Regrouping.objects.create(kind=Regrouping.Kind.MERGE_AUTHORS, author=author, other_author=other)
    _write_lines(event, other.pk, earlier)
    _keep_hidden(other, author)
    return _settled(event)


@transaction.atomic
def split_author(*, author: Author, works: Iterable[int], name: str) -> Moved:
    """Give some of an author's works to a new one of that name; imports keep them apart for ever. Raises Refused."""
    (author,) = lock_authors(author.pk)
    chosen = _chosen(author, set(works))
    new = Author.objects.create(display_name=name[:255])
    forms = Authorship.objects.filter(author=author, work__in=chosen).values_list(
        "display_name", "raw_author_name"
    )
    _name(new, [shown or raw for shown, raw in forms], author)
    earlier = author_events([author.pk])
    event = Regrouping.objects.create(kind=Regrouping.Kind.SPLIT_AUTHOR, author=author, other_author=new)
    _write_lines(event, author.pk, earlier, chosen)
    return _settled(event)


def undo_authors(event: Regrouping) -> Moved:
    """Take a merge or split of authors back. Raises Refused."""
    assert event.author_id and event.other_author_id  # noqa: S101 - of authors
    _, other = lock_authors(event.author_id, event.other_author_id)
    if event.kind == Regrouping.Kind.SPLIT_AUTHOR and (other.claimed or other.suppressed):
        state = "was claimed" if other.claimed else "is hidden"
        raise Refused(f"The page that began then, {other}, {state} since. It has to stay.")
    return _settled(event, stands=False)


def redo_authors(event: Regrouping) -> Moved:
    """Let a merge or split stand again that was taken back. Raises Refused."""
    assert event.author_id and event.other_author_id  # noqa: S101 - of authors
    author, other = lock_authors(event.author_id, event.other_author_id)
    if event.kind == Regrouping.Kind.MERGE_AUTHORS:
        root = author.merged_into or author
        _check(preview_merge(root, other))
        _write_lines(event, other.pk, author_events([author.pk, other.pk]))
    elif author.suppressed:
        raise Refused(f"The page of {author} is hidden on request. Show it again first.")
    return _settled(event, stands=True)


def _settled(event: Regrouping, *, stands: bool | None = None) -> Moved:
    """Settle what hangs together with an event: a new one (stands None), or one that is taken back or redone."""
    if stands is not None:
        event.is_undone = not stands
        event.save(update_fields=["is_undone"])
    events = author_events([event.author_id or 0])
    found = settle(flipped(events, event.pk, stands=bool(stands is False)), events)
    return Moved(event, *found, records=[])


# --- What is refused -------------------------------------------------------------------------------------------


def _check(preview: MergePreview) -> None:
    author, other = preview.author, preview.other
    if author.pk == other.pk:
        raise Refused("These are one page already.")
    for one in (author, other):
        if one.merged_into_id:
            raise Refused(f"The page of {one} was joined with another already. Choose the one that stands.")
        if one.suppressed:
            raise Refused(f"The page of {one} is hidden on request. Show it again first.")
    if other.claimed and author.claimed:
        raise Refused("Both pages are claimed. One of the claims has to be given up first.")
    if other.claimed:
        raise Refused(f"The page of {other} is claimed, so it is the one that stands: join {author} into it.")
    if preview.together:
        raise Refused(
            f"Both stand on the author list of {titles_of(preview.together)}, so they are two people. If one of the"
            " two is there by mistake, mend that first.",
            preview.together,
        )
    if preview.refused:
        raise Refused(
            f"One of the two said that {titles_of(preview.refused)} is not theirs, and the other has it. Take that"
            " decision back first if it was wrong.",
            preview.refused,
        )


def _chosen(author: Author, works: set[int]) -> set[int]:
    theirs = set(_works_of(author).values_list("pk", flat=True))
    if author.merged_into_id:
        raise Refused("This page was joined with another since. Start again from the one that stands.")
    if author.suppressed:
        raise Refused(f"The page of {author} is hidden on request. Show it again first.")
    if not works or not works <= theirs:
        raise Refused("Choose the works that go to the new page, of those that stand on this one.")
    if works == theirs:
        raise Refused("Leave at least one work here: with all of them gone, nothing would be divided.")
    return works


def _works_of(author: Author) -> QuerySet[Work]:
    return Work.objects.filter(pk__in=Authorship.objects.filter(author=author).values("work"))


# --- What is written -------------------------------------------------------------------------------------------


def _write_lines(event: Regrouping, author: int, earlier: list[Event], works: set[int] | None = None) -> None:
    """Write down the lines of an author that an event moves: all, or those on works."""
    bases = bases_of([author], earlier)
    RegroupedLine.objects.bulk_create(
        (
            RegroupedLine(regrouping=event, work_id=work, base_author_id=base)
            for (work, _), base in sorted(bases.items())
            if works is None or work in works
        ),
        ignore_conflicts=True,
    )
    if works is None:
        execute(
            "insert into works_recorddecision (record_id, regrouping_id, work_number, base_work_number)"
            " select record, %s, %s, coalesce((select base_work_number from works_recorddecision d"
            "  join works_regrouping g on g.id = d.regrouping_id and g.kind = %s where d.record_id = record order by d.id limit 1), %s)"
            " from unnest(%s::bigint[]) record on conflict do nothing",
            [event.pk, event.author_id, event.kind, author, records_without_lines(author)],
        )


def _name(new: Author, forms: list[str], old: Author) -> None:
    """Keep a name that the works do not suggest by themselves, and hide there what is hidden on the old page."""
    if best_name(Counter(forms)) != new.display_name:
        folded = fold(new.display_name)[:255]
        NameOverride.objects.create(author=new, name=new.display_name, folded=folded, is_hidden=False)
    _keep_hidden(old, new)


def _keep_hidden(old: Author, new: Author) -> None:
    """Hide former names also where the works go; what somebody wanted hidden is not shown again by an undo."""
    execute(
        "insert into works_nameoverride (author_id, name, folded, is_hidden, created_at)"
        " select %s, name, folded, true, now() from works_nameoverride where author_id = %s and is_hidden and folded <> %s"
        " on conflict do nothing",
        [new.pk, old.pk, fold(new.display_name)[:255]],
    )
