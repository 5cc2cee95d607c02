"""Template tags that every template has."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from django import template
from django.core.paginator import Page
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime

register = template.Library()

NARROW_SPACE = "\u202f"

# Where an identifier leads, in full, as DOI, ORCID and ROR ask for.
_ADDRESSES = {
    "doi": "https://doi.org/{}",
    "arxiv": "https://arxiv.org/abs/{}",
    "openalex": "https://openalex.org/{}",
    "dblp": "https://dblp.org/rec/{}",
    "acl": "https://aclanthology.org/{}",
    "pmid": "https://pubmed.ncbi.nlm.nih.gov/{}",
    "orcid": "https://orcid.org/{}",
    "ror": "https://ror.org/{}",
    "wikidata": "https://www.wikidata.org/wiki/{}",
    "isni": "https://isni.org/isni/{}",
}

_SCHEMES = {
    "doi": "DOI", "arxiv": "arXiv", "openalex": "OpenAlex", "dblp": "DBLP", "acl": "ACL Anthology", "pmid": "PubMed",
    "orcid": "ORCID", "ror": "ROR", "isni": "ISNI", "wikidata": "Wikidata",
}  # fmt: skip


@register.filter
def scheme_name(scheme: str) -> str:
    """Write the name of an identifier's scheme as its owners do."""
    return _SCHEMES.get(scheme, scheme)


@register.filter
def stored_html(text: str | None) -> SafeString:
    """Show a title_html or abstract_html as it is stored.

    The one place that trusts stored markup: works' import ran it through nh3 (bzpeer.lib.markup), and nothing
    else writes those two columns. Anything else is escaped by the template.
    """
    return mark_safe(text or "")  # noqa: S308


@register.filter
def thousands(number: int | None) -> str:
    """Write 12345 as "12 345", with a narrow space that does not break."""
    return "" if number is None else f"{number:,}".replace(",", NARROW_SPACE)


@register.filter
def up_to(number: int, most: int) -> str:
    """Write a number that was counted no further than most: "1 000+"."""
    return f"{thousands(most)}+" if number > most else thousands(number)


@register.filter
def day(moment: date | datetime | None) -> SafeString:
    """Write a date as "14 Mar 2022", with the exact time for machines."""
    if moment is None:
        return mark_safe("")
    if isinstance(moment, datetime):
        moment = localtime(moment)
        exact = moment.isoformat(timespec="seconds")
    else:
        exact = moment.isoformat()
    return format_html('<time datetime="{}">{}</time>', exact, date_format(moment, "j M Y"))


@register.filter
def published(work: Any) -> SafeString:
    """Write when a work appeared. OpenAlex says 1 January where it knows the year alone; so do pages."""
    date_known = work.publication_date and (work.publication_date.month, work.publication_date.day) != (1, 1)
    if date_known:
        return day(work.publication_date)
    year = work.publication_year
    return format_html('<time datetime="{}">{}</time>', year, year) if year else mark_safe("")


@register.filter
def years(row: Any) -> str:
    """Write the first_year and last_year of row as "2019 to 2022", "2022" or nothing."""
    first, last = row.first_year or row.last_year, row.last_year or row.first_year
    if not first:
        return ""
    return str(first) if first == last else f"{first} to {last}"


def identifier_address(scheme: str, value: str) -> str:
    """Return the full address of an identifier, or "" where its scheme has none."""
    address = _ADDRESSES.get(scheme, "")
    return address.format(quote(value, safe="/:;()._-")) if address else ""


@register.filter
def address_of(identifier: Any) -> str:
    return identifier_address(identifier.scheme, identifier.value)


@register.simple_tag
def identifier_link(scheme: str, value: str) -> str:
    """Write an identifier as its full address and a link to it; as plain text where it has no address."""
    address = identifier_address(scheme, value)
    if not address:
        return format_html('<span class="mono">{}</span>', value)
    shown = _ADDRESSES[scheme].format(value)
    return format_html('<a class="mono bare" rel="external noopener" href="{}">{}</a>', address, shown)


@register.simple_tag
def json_ld(data: dict[str, Any]) -> SafeString:
    """Write a JSON-LD data block. "<", ">" and "&" are escaped, so that no text in it can end the block."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return mark_safe(f'<script type="application/ld+json">{text}</script>')  # noqa: S308


@register.filter
def page_numbers(page: Page[Any]) -> list[int]:
    """Return the numbers to link: both ends and the neighbours; 0 stands for those left out."""
    numbers = page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
    return [number if isinstance(number, int) else 0 for number in numbers]


class Bar(NamedTuple):
    year: int
    works: int
    x: float
    column: float
    stick_x: float
    width: float
    y: float
    height: float


class YearChart(NamedTuple):
    bars: list[Bar]
    width: int
    height: int
    baseline: int
    first: int
    last: int


@register.simple_tag
def year_chart(
    counts: Sequence[tuple[int | None, int]], width: int = 640, height: int = 72
) -> YearChart | None:
    """Lay out works by year as bars, a column per year; None for fewer than three years."""
    known = [(year, count) for year, count in counts if year]
    if len(known) < 3:
        return None
    first, last = known[0][0], known[-1][0]
    column = min(32.0, width / (last - first + 1))
    most = max(count for _, count in known)
    room = height - 16
    bars = []
    for year, count in known:
        x = (year - first) * column
        tall = max(2.0, room * count / most)
        gap = min(3.0, column * 0.15)
        bars.append(
            Bar(year, count, round(x, 2), round(column, 2), round(x + gap, 2), round(column - 2 * gap, 2),
                round(room - tall, 2), round(tall, 2))
        )  # fmt: skip
    return YearChart(bars, round((last - first + 1) * column), height, height - 2, first, last)


@register.filter
def slug_in(address: str) -> str:
    """Return the readable part of a record's address: "/researchers/abc/liu-ke/" gives "liu-ke"."""
    return unquote(address.rstrip("/").rpartition("/")[2])
