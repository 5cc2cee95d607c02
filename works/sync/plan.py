"""What to ask which source about a record, or about an identifier that no record here has yet."""

import re
from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple
from urllib.parse import quote

from works import identifiers
from works.ingest.records import Identifier
from works.models import Author, AuthorIdentifier, SyncRequest, Work, WorkIdentifier
from works.queries import record_by_pid
from works.search import find_by_identifier, recognise
from works.sync import addresses
from works.sync.addresses import LONGEST_LIST, MAX_TOGETHER, Question
from works.sync.errors import BadIdentifier

Kind = SyncRequest.Kind
MOST_OF_A_KIND = 3  # ids of one scheme that are asked for: records that were joined have several

_PID = re.compile(r"[0-9a-hjkmnp-tv-z]{7}")
_HELP = {
    Kind.AUTHOR: "an ORCID iD, an OpenAlex author id (A5023888391) or the id in the page's address",
    Kind.WORK: "a DOI, an arXiv id, an OpenAlex work id (W2741809807) or the id in the page's address",
    Kind.ORCID: "an ORCID iD (0000-0002-1825-0097)",
    Kind.ROR: "a ROR id (05wvpxv85)",
}


class Plan(NamedTuple):
    """scheme and value name the request; record is what we have already."""

    kind: SyncRequest.Kind
    scheme: str
    value: str
    record: Author | Work | None
    questions: list[Question]


def plan(kind: str, text: str) -> Plan:
    """Return what to ask for an identifier as somebody typed it. Raises BadIdentifier with a sentence."""
    kind = Kind(kind)
    text = text.strip()
    if kind == Kind.AUTHOR and (author := _author(text)):
        return plan_author(author)
    if kind == Kind.WORK and (work := _work(text)):
        return plan_work(work)
    identifier = _identifier(kind, text)
    if kind == Kind.ORCID:
        return Plan(kind, *identifier, None, [addresses.orcid_record(identifier[1])])
    if kind == Kind.ROR:
        questions = [addresses.ror_record(identifier[1]), addresses.openalex_institution(identifier)]
        return Plan(kind, *identifier, None, questions)
    record = find_by_identifier(*identifier)
    if isinstance(record, Author):
        return plan_author(_author(record.pid) or record)
    if isinstance(record, Work):
        return plan_work(record)
    if kind == Kind.AUTHOR:
        return Plan(kind, *identifier, None, _of_person([identifier]))
    return Plan(kind, *identifier, None, _of_work([identifier]))


def plan_author(author: Author) -> Plan:
    known = AuthorIdentifier.objects.filter(author=author, scheme__in=["orcid", "openalex"])
    ids = list(known.order_by("scheme", "value").values_list("scheme", "value"))
    questions = _of_person(ids) if ids else _of_works_of(author)
    return Plan(Kind.AUTHOR, "pid", author.pid, author, questions)


def plan_work(work: Work) -> Plan:
    ids = list(work.identifiers.order_by("scheme", "value").values_list("scheme", "value"))
    return Plan(Kind.WORK, "pid", work.pid, work, _of_work(ids))


def further_questions(kind: str, learnt: Iterable[Identifier], asked: Iterable[str]) -> list[Question]:
    """Return what to ask after an answer: a work's other sources, as far as they were not asked yet."""
    if kind != Kind.WORK:
        return []
    learnt, asked = list(learnt), set(asked)
    # OpenAlex is asked once, by whatever the reader gave: its answers name the other sources' ids.
    questions = [q for q in _of_work(learnt) if q.provider != "openalex"]
    return [question for question in questions if question.address not in asked]


def _of_person(ids: list[Identifier]) -> list[Question]:
    """An ORCID record, and OpenAlex' description of the person with the works it knows."""
    orcids = _some(ids, "orcid")
    questions = [addresses.orcid_record(value) for _, value in orcids]
    for identifier in _some(ids, "openalex") or orcids:
        questions += [addresses.openalex_author(identifier), addresses.openalex_works_of(identifier)]
    return questions


def _of_work(ids: list[Identifier]) -> list[Question]:
    dois = [one for one in _some(ids, "doi") if not identifiers.normalise_arxiv(one[1])]
    arxiv = _some(ids, "arxiv") or _some(
        [("arxiv", own) for scheme, value in ids if scheme == "doi" and (own := identifiers.normalise_arxiv(value))],
        "arxiv",
    )  # fmt: skip
    by_name = _some(ids, "openalex") or dois[:1] or arxiv[:1]
    questions = [addresses.openalex_work(identifier) for identifier in by_name]
    questions += [addresses.crossref_work(value) for _, value in dois]
    if arxiv:
        questions.append(addresses.arxiv_works([value for _, value in arxiv]))
    return questions


def _of_works_of(author: Author) -> list[Question]:
    """Where no source knows the person by an id: their newest works, several in one question."""
    rows = (
        WorkIdentifier.objects.filter(work__authorships__author=author, scheme__in=["arxiv", "doi"])
        .order_by("-work__publication_year", "-work_id", "scheme")
        .values_list("work_id", "scheme", "value")
    )
    of_work: dict[int, Identifier] = {}
    arxiv: list[str] = []
    for work, scheme, value in rows[: 4 * MAX_TOGETHER]:
        # A filter's own signs would cut the question short.
        if scheme == "arxiv" or not set(value) & set("|,+!"):
            of_work.setdefault(work, (scheme, value))
        if scheme == "arxiv":
            arxiv.append(value)
    questions = []
    if together := _together(list(of_work.values())):
        questions.append(addresses.openalex_works(together))
    if arxiv:
        questions.append(addresses.arxiv_works(arxiv[:MAX_TOGETHER]))
    return questions


def _together(ids: list[Identifier]) -> list[Identifier]:
    """Return as many identifiers, from the first on, as one address holds."""
    lengths = accumulate(len(quote(value)) + 20 for _, value in ids)
    return [one for one, length in zip(ids, lengths, strict=True) if length <= LONGEST_LIST][:MAX_TOGETHER]


def _some(ids: list[Identifier], scheme: str) -> list[Identifier]:
    return [one for one in ids if one[0] == scheme][:MOST_OF_A_KIND]


def _identifier(kind: SyncRequest.Kind, text: str) -> Identifier:
    found = recognise(text)
    fits = (
        found
        and {
            Kind.AUTHOR: found[0] == "orcid" or (found[0] == "openalex" and found[1].startswith("A")),
            Kind.WORK: found[0] in {"doi", "arxiv"} or (found[0] == "openalex" and found[1].startswith("W")),
            Kind.ORCID: found[0] == "orcid",
            Kind.ROR: found[0] == "ror",
        }[kind]
    )
    if not found or not fits:
        raise BadIdentifier(f"“{text[:80]}” is not {_HELP[kind]}.")
    if found[0] == "doi" and (arxiv := identifiers.normalise_arxiv(found[1])):
        return "arxiv", arxiv
    return found


def _author(pid: str) -> Author | None:
    return record_by_pid(Author.objects.defer("search"), pid) if _PID.fullmatch(pid) else None


def _work(pid: str) -> Work | None:
    return record_by_pid(Work.objects.defer("search"), pid) if _PID.fullmatch(pid) else None
