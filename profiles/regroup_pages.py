"""What the pages of joining and dividing show: the two sides of a merge, the works of a split, in groups that help."""

import re
from collections import defaultdict
from typing import Any, NamedTuple

from django.db.models import QuerySet

from profiles import access
from profiles.models import Claim, Proposal
from profiles.services.regrouping import records_named, standing_first
from works import queries, search
from works.models import Affiliation, Author, Authorship, SourceRecord, Work
from works.provenance import Link, links_of, provider_list
from works.services.regrouping import MergePreview, preview_merge

MOST_FOUND = 12
MOST_SHOWN = 50  # works of one side
MOST_TO_CHOOSE = 500
_PAGE = re.compile(r"(?:^|/)(?:researchers|works)/([0-9a-zA-Z]{1,12})(?:/|$)")
_PID = re.compile(r"[0-9a-zA-Z]{7}")


class Side(NamedTuple):
    """One of the two pages of a merge."""

    author: Author
    names: list[str]
    links: list[Link]
    affiliations: list[Affiliation]
    works: list[Work]
    claims: int
    held: bool


class Sides(NamedTuple):
    preview: MergePreview
    stands: Side
    ends: Side


class Group(NamedTuple):
    """Works of a page that have something in common. common: the names or institutions that they share."""

    common: list[str]
    works: list[Work]


def find_authors(text: str, *, but: Author) -> list[Author]:
    """Return whom a moderator may mean: by the address of a page, an identifier, or a name."""
    found = _named(Author.objects.public(), text)
    if not found and (known := search.recognise(text)):
        record = search.find_by_identifier(*known)
        found = [record] if isinstance(record, Author) else []
    if not found:
        found = list(search.search_authors(text)[:MOST_FOUND])
    standing = [
        author
        for author in found
        if author.pk != but.pk and not author.merged_into_id and not author.suppressed
    ]
    search.add_places(standing)
    return standing


def find_works(text: str, *, but: Work) -> list[Work]:
    """Return which works may be meant: by the address of a page, an identifier, or words of the title."""
    found = _named(Work.objects.all(), text)
    if not found and (known := search.recognise(text)):
        record = search.find_by_identifier(*known)
        found = [record] if isinstance(record, Work) else []
    if not found:
        found = list(search.search_works(text)[:MOST_FOUND])
    return shown_works([work.pk for work in found if work.pk != but.pk])


def _named(rows: QuerySet[Any], text: str) -> list[Any]:
    page = _PAGE.search(text)
    pid = page.group(1) if page else text.strip() if _PID.fullmatch(text.strip()) else ""
    record = queries.record_by_pid(rows, pid) if pid else None
    return [record] if record else []


def shown_works(numbers: list[int]) -> list[Work]:
    works = list(
        queries.works_for_card(Work.objects.filter(pk__in=numbers)).order_by("-publication_year", "pk")
    )
    queries.add_bylines(works)
    return works


def merge_sides(one: Author, other: Author) -> Sides:
    stands, ends = standing_first(one, other)
    return Sides(preview_merge(stands, ends), _side(stands), _side(ends))


def _side(author: Author) -> Side:
    works = list(
        queries.works_for_card(queries.author_works(author)).order_by("-publication_year", "-pk")[:MOST_SHOWN]
    )
    names = author.names.exclude(display_name=author.display_name).order_by("-works_count", "display_name")
    claims = access.claims_on(author)
    return Side(
        author,
        list(names.values_list("display_name", flat=True)[:12]),
        links_of("author", author.identifiers.order_by("scheme", "value")),
        queries.author_affiliations(author)[:8],
        works,
        claims.filter(state__in=Claim.OPEN).count(),
        claims.filter(state__in=Claim.HELD).exists(),
    )


def works_in_groups(author: Author) -> list[Group]:
    """Return an author's works, those together that share a co-author, directly or through others, largest first."""
    works = list(
        queries.works_for_card(queries.author_works(author)).order_by("-publication_year", "-pk")[
            :MOST_TO_CHOOSE
        ]
    )
    queries.add_bylines(works, keep=author)
    mates: dict[int, set[tuple[int, str]]] = defaultdict(set)
    rows = (
        Authorship.objects.filter(work__in=works, index__lt=100).exclude(author=author).exclude(author=None)
    )
    for number, coauthor, name in rows.values_list("work", "author", "author__display_name"):
        mates[number].add((coauthor or 0, name or ""))
    group_of = {work.pk: {work.pk} for work in works}
    first: dict[int, int] = {}
    for work in works:
        for mate, _ in mates[work.pk]:
            joined = group_of[first.setdefault(mate, work.pk)] | group_of[work.pk]
            group_of |= dict.fromkeys(joined, joined)
    groups, seen = [], set[int]()
    for work in works:
        if work.pk not in seen:
            members = [other for other in works if other.pk in group_of[work.pk]]
            seen |= {member.pk for member in members}
            counts: dict[str, int] = defaultdict(int)
            for member in members:
                for _, name in mates[member.pk]:
                    counts[name] += 1
            groups.append(Group(sorted(counts, key=lambda name: (-counts[name], name))[:4], members))
    return sorted(groups, key=lambda group: -len(group.works))


class WorkSide(NamedTuple):
    """One of the two works of a merge, with the records behind it."""

    work: Work
    links: list[Link]
    records: list[SourceRecord]


def work_side(work: Work) -> WorkSide:
    (shown,) = shown_works([work.pk])
    return WorkSide(shown, links_of("work", work.identifiers.order_by("scheme", "value")), work_records(work))


def work_records(work: Work) -> list[SourceRecord]:
    """Return the records behind a work, each with its `key` and the `title` and `people` that it gives."""
    rows = list(SourceRecord.objects.filter(work=work).order_by("provider", "record_id"))
    for row in rows:
        row.key = f"{row.provider}:{row.record_id}"  # type: ignore[attr-defined]
        row.label = provider_list([row.provider])  # type: ignore[attr-defined]
        row.title = row.payload.get("title", "")  # type: ignore[attr-defined]
        row.people = ", ".join(a.get("raw_name", "") for a in row.payload.get("authorships", [])[:6])  # type: ignore[attr-defined]
        row.year = row.payload.get("publication_year")  # type: ignore[attr-defined]
    return rows


def likely_name(author: Author, works: list[Work]) -> str:
    """Return the name that stands on most of these works for an author."""
    counts: dict[str, int] = defaultdict(int)
    for shown, raw in Authorship.objects.filter(author=author, work__in=works).values_list(
        "display_name", "raw_author_name"
    ):
        counts[shown or raw] += 1
    return max(counts, key=lambda name: (counts[name], name), default=author.display_name)


def warnings_of_works(one: Work, other: Work) -> list[str]:
    """Return what speaks against two works being one, in words."""
    found = []
    schemes = [dict(work.identifiers.values_list("scheme", "value")) for work in (one, other)]
    for scheme, name in (("doi", "DOIs"), ("arxiv", "arXiv ids"), ("acl", "Anthology ids")):
        if scheme in schemes[0] and scheme in schemes[1] and schemes[0][scheme] != schemes[1][scheme]:
            found.append(f"They have different {name}.")
    if (
        one.publication_year
        and other.publication_year
        and abs(one.publication_year - other.publication_year) > 1
    ):
        found.append(f"They appeared in {one.publication_year} and {other.publication_year}.")
    authors = [set(work.authorships.values_list("author", flat=True)) - {None} for work in (one, other)]
    if authors[0] and authors[1] and not authors[0] & authors[1]:
        found.append("No author stands on both lists.")
    return found


def proposed(proposal: Proposal) -> dict[str, Any]:
    """Return what a proposal is about, as it stands now."""
    data, kind = proposal.data, proposal.kind
    if kind == Proposal.Kind.MERGE and proposal.author and proposal.other:
        return {"sides": merge_sides(proposal.author, proposal.other)}
    if kind == Proposal.Kind.SPLIT:
        rows = Work.objects.filter(pid__in=data.get("works", []))
        return {"works": shown_works(list(rows.values_list("pk", flat=True))), "name": data.get("name", "")}
    work = queries.record_by_pid(Work.objects.all(), data.get("work", ""))
    if work is None:
        return {}
    if kind == Proposal.Kind.WORKS_MERGE:
        other = queries.record_by_pid(Work.objects.all(), data.get("other", ""))
        same = other is None or other.pk == work.pk
        return {"one": work_side(work), "same": same} | ({} if same or other is None else {"two": work_side(other), "against": warnings_of_works(work, other)})  # fmt: skip
    chosen = set(records_named(work, data.get("records", [])))
    return {"one": work_side(work), "chosen": chosen}
