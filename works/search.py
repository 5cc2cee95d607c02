"""Search: the documents that are searched, and the questions put to them.

Names are searched by their folded words, whatever their order, accents and initials; titles also by
English word stems. Nothing here knows the trust number.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from django.db import models
from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When
from django.db.models.expressions import RawSQL

from bzpeer.lib.names import fold
from works import identifiers
from works.grounds import LAST_FIRST, add_grounds
from works.models import (
    Affiliation,
    Author,
    AuthorIdentifier,
    Institution,
    InstitutionIdentifier,
    Topic,
    TopicIdentifier,
    Work,
    WorkIdentifier,
)

MAX_QUERY = 300  # characters that are read of what somebody types
MAX_WORDS = 12
MAX_LEXEME = 60
COUNT_TO = 1000  # counts stop here: "1 000+"

_ASCII_BREAKS = re.compile(r"[^a-z0-9-]+")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff]+")
_PHRASE = re.compile(r'["“]([^"”]+)["”]')


class _Breaks(dict[int, int]):
    """Spaces for all characters but letters, numbers, marks and the hyphen; filled as they come."""

    def __missing__(self, code: int) -> int:
        char = chr(code)
        self[code] = code if char == "-" or unicodedata.category(char)[0] in "LNM" else ord(" ")
        return self[code]


_BREAKS = _Breaks()


def words_of(text: str) -> list[str]:
    """Return the folded words of text; hyphenated ones also joined, Chinese, Japanese and Korean runs in pairs.

    >>> words_of("Xiao-Ming Liú")
    ['xiao', 'ming', 'xiaoming', 'liu']
    """
    folded = fold(text)
    if folded.isascii():
        chunks: Iterable[str] = _ASCII_BREAKS.split(folded)
    else:
        chunks = folded.translate(_BREAKS).split()
    words: list[str] = []
    ascii = folded.isascii()
    for chunk in chunks:
        if ascii and "-" not in chunk:
            if chunk:
                words.append(chunk[:MAX_LEXEME])
            continue
        parts = [part[:MAX_LEXEME] for part in chunk.split("-") if part]
        for part in parts:
            words.extend(_pairs(part) if len(part) > 2 and _CJK.fullmatch(part) else [part])
        if len(parts) > 1:
            words.append("".join(parts)[:MAX_LEXEME])
    return words


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)]


def name_lexemes(name: str) -> list[str]:
    """Return what stands for one name: its words, neighbours joined ("liuke"), and the whole ("=ke liu")."""
    words = words_of(name)
    joined = [a + b for a, b in pairwise(words) if len(a) > 1 and len(b) > 1]
    return [*words, *(word[:MAX_LEXEME] for word in joined), whole_name(words)]


def whole_name(words: Sequence[str]) -> str:
    """Return the lexeme of a whole name, the same for every order of its words."""
    return "=" + " ".join(sorted(words))[: 4 * MAX_LEXEME]


def quoted(lexeme: str) -> str:
    """Quote a lexeme for PostgreSQL's text forms of tsvector and tsquery."""
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def document(lexemes: Iterable[tuple[str, str]]) -> str:
    """Return a tsvector's text form of (lexeme, weight) pairs, in order."""
    return " ".join(
        f"{quoted(lexeme)}:{min(place, 16383)}{weight}"
        for place, (lexeme, weight) in enumerate(lexemes, start=1)
        if lexeme
    )


# --- What somebody asks ---------------------------------------------------------------------------


class NameQuery(NamedTuple):
    """Three questions about names, each narrower: who may be meant, who bears the words, who bears the name."""

    loose: str
    exact: str
    whole: str


def name_query(text: str) -> NameQuery | None:
    """Read a name as people type it; None where it holds no word.

    Any order; a word may be a beginning; where one word stands in full, the others may be initials, on either
    side. A single initial beside two full words may be missing.
    """
    words = words_of(text[:MAX_QUERY])[:MAX_WORDS]
    if not words:
        return None
    full = [word for word in words if len(word) > 1]
    needed = full if len(full) >= 2 else words
    loose = [_all(_beginning(word) for word in needed)]
    if len(needed) > 1:
        loose += [
            _all([quoted(name), *(_word_or_initial(word) for word in _without(needed, i))])
            for i, name in enumerate(needed)
            if len(name) > 1
        ]
        # "Xiao Ming Wang" also finds "Xiaoming Wang".
        loose += [
            _all(
                [
                    _beginning(a + b),
                    *(_beginning(word) for j, word in enumerate(needed) if j not in (i, i + 1)),
                ]
            )
            for i, (a, b) in enumerate(pairwise(needed))
            if len(a) > 1 and len(b) > 1
        ]
    exact = _all(quoted(word) if len(word) > 1 else _beginning(word) for word in words)
    return NameQuery(" | ".join(f"({part})" for part in loose), exact, quoted(whole_name(words)))


def _without(words: Sequence[str], index: int) -> list[str]:
    return [word for i, word in enumerate(words) if i != index]


def _all(terms: Iterable[str]) -> str:
    return " & ".join(terms)


def _beginning(word: str) -> str:
    return f"{quoted(word[:MAX_LEXEME])}:*"


def _word_or_initial(word: str) -> str:
    """A full word also meets its initial alone; an initial meets every word that it begins."""
    return f"({quoted(word)} | {quoted(word[0])})" if len(word) > 1 else _beginning(word)


def _matches(query: str) -> RawSQL:
    return RawSQL("search @@ %s::tsquery", [query], output_field=models.BooleanField())


def _word_or_beginning(word: str) -> str:
    """A short word is meant whole: "ke" shall not find "kernel"."""
    return _beginning(word) if len(word) > 3 else quoted(word)


def _by_name(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    """Return the rows whose name fits: the very name first, then all words in full, then more works."""
    query = name_query(text)
    if query is None:
        return rows.none()
    closeness = Case(
        When(_matches(query.whole), then=2),
        When(_matches(query.exact), then=1),
        default=0,
        output_field=IntegerField(),
    )
    found = rows.filter(_matches(query.loose)).annotate(closeness=closeness)
    return found.order_by("-closeness", "-works_count", "id")


def search_authors(text: str) -> QuerySet[Author]:
    """Return authors whose name fits, the same name first, then who has more works here."""
    return _by_name(Author.objects.public().defer("search"), text)


def search_institutions(text: str) -> QuerySet[Institution]:
    """Return institutions whose name fits; who was withdrawn for another is found under that other."""
    return _by_name(
        Institution.objects.defer("search").exclude(status="withdrawn", successor__isnull=False), text
    )


def search_topics(text: str) -> QuerySet[Topic]:
    """Return topics in whose name or description of place every word begins one."""
    words = words_of(text[:MAX_QUERY])[:MAX_WORDS]
    if not words:
        return Topic.objects.none()
    found = Q()
    for word in words:
        found &= Q(search_key__contains=f" {word}")
    same = " " + " ".join(words)
    closeness = Case(When(search_key__startswith=same, then=1), default=0, output_field=IntegerField())
    rows = Topic.objects.filter(found).select_related("parent").annotate(closeness=closeness)
    return rows.order_by("-closeness", "-works_count", "id")


ORDERS = {"best": "Best match", "newest": "Newest", "cited": "Most cited"}


def search_works(text: str, order: str = "best") -> QuerySet[Work]:
    """Return works whose title, authors or abstract hold the words; "quoted words" stand together.

    What every source took back is not found by its words, only by its identifiers.
    Best match: works by somebody of that very name, then PostgreSQL's rank, title before authors before
    abstract, nudged by citations.
    """
    text = text[:MAX_QUERY]
    phrases = [fold(phrase) for phrase in _PHRASE.findall(text)]
    rest = fold(_PHRASE.sub(" ", text))
    words = [word for word in words_of(rest) if len(word) > 1][:MAX_WORDS] or words_of(rest)[:MAX_WORDS]
    parts: list[str] = []
    params: list[str] = []
    if words:
        parts.append("(plainto_tsquery('english', %s) || %s::tsquery)")
        params += [rest, _all(_word_or_beginning(word) for word in words)]
    for phrase in phrases:
        parts.append("phraseto_tsquery('english', %s)")
        params.append(phrase)
    if not parts:
        return Work.objects.none()
    query = " && ".join(parts)
    # Only %s placeholders are put together here; what somebody typed goes in as parameters.
    rows = Work.objects.defer("search").filter(
        RawSQL(  # noqa: S611
            f"works_work.search @@ ({query})",
            params,
            output_field=models.BooleanField(),
        ),
        is_withdrawn=False,
    )
    if order == "newest":
        return rows.order_by(F("publication_date").desc(nulls_last=True), "-id")
    if order == "cited":
        return rows.order_by("-cited_by_count", "-id")
    rank = RawSQL(  # noqa: S611
        f"ts_rank('{{0.05, 0.1, 0.4, 1.0}}', works_work.search, ({query}))"
        " * (1 + 0.08 * ln(1 + works_work.cited_by_count)) + (works_work.search @@ %s::tsquery)::int",
        [*params, quoted(whole_name(words_of(rest)))],
        output_field=models.FloatField(),
    )
    return rows.annotate(rank=rank).order_by("-rank", "-id")


def count_up_to(rows: QuerySet[Any], most: int = COUNT_TO) -> int:
    """Return how many rows there are, most + 1 standing for "more than most"."""
    return rows.order_by().values(one=Value(1))[: most + 1].count()


def add_places(authors: Sequence[Author]) -> None:
    """Give each author `place`, the affiliation of the last year, or None: it tells namesakes apart.

    Each place has `ground` (works.grounds), for what a page may say of it.
    """
    rows = (
        Affiliation.objects.filter(author__in=[author.pk for author in authors])
        .order_by("author", *LAST_FIRST)
        .distinct("author")
        .select_related("institution")
        .defer("institution__search")
    )
    places = {row.author_id: row for row in rows} if authors else {}
    add_grounds(places.values())
    for author in authors:
        author.place = places.get(author.pk)  # type: ignore[attr-defined]


# --- Identifiers ------------------------------------------------------------------------------------

_OPENALEX_KINDS: dict[str, tuple[type[models.Model], str]] = {
    "A": (AuthorIdentifier, "author"),
    "W": (WorkIdentifier, "work"),
    "I": (InstitutionIdentifier, "institution"),
    "T": (TopicIdentifier, "topic"),
}
_NORMALISE: dict[str, Callable[[str], str | None]] = {
    "orcid": identifiers.normalise_orcid,
    "arxiv": identifiers.normalise_arxiv,
    "doi": identifiers.normalise_doi,
    "openalex": identifiers.normalise_openalex,
    "ror": identifiers.normalise_ror,
    "acl": identifiers.normalise_acl,
    "dblp": identifiers.normalise_dblp,
}


def recognise(text: str) -> tuple[str, str] | None:
    """Return (scheme, value) where text as a whole is an identifier, else None."""
    text = text.strip()
    if not text or len(text) > 600 or len(text.split()) > 1:
        return None
    if re.fullmatch(r"(?:https?://)?(?:www\.)?(?:orcid\.org/)?[\dXx-]{16,19}/?", text, re.I):
        value = identifiers.normalise_orcid(text)
        return ("orcid", value) if value else None
    for scheme in ("arxiv", "ror", "acl", "dblp"):
        if value := _NORMALISE[scheme](text):
            return scheme, value
    if re.match(r"(?:https?://(?:dx\.)?doi\.org/|doi:)?10\.\d", text, re.I):
        value = identifiers.normalise_doi(text)
        return ("doi", value) if value else None
    if re.fullmatch(r"(?:https?://(?:api\.)?openalex\.org/(?:\w+/)?)?[AWIT]\d{5,15}", text, re.I):
        value = identifiers.normalise_openalex(text)
        return ("openalex", value) if value else None
    return None


def find_by_identifier(scheme: str, raw: str) -> Author | Work | Topic | Institution | None:
    """Return the record that an identifier names, in whatever spelling; None where nobody here has it."""
    if scheme == "doi" and (arxiv := identifiers.normalise_arxiv(raw)):
        # arXiv's own DOIs are arXiv ids in other clothes.
        scheme, raw = "arxiv", arxiv
    value = _NORMALISE[scheme](raw)
    if not value:
        return None
    if scheme == "openalex":
        model, field = _OPENALEX_KINDS.get(value[0], (TopicIdentifier, "topic"))
    elif scheme == "orcid":
        model, field = AuthorIdentifier, "author"
    elif scheme == "ror":
        model, field = InstitutionIdentifier, "institution"
    else:
        model, field = WorkIdentifier, "work"
    row = model._default_manager.filter(scheme=scheme, value=value).select_related(field).first()
    return getattr(row, field) if row else None
