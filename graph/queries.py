"""Reads of slices: what a page draws, and what it must not show any more."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Q
from django.urls import reverse

from bzpeer.lib.text import slug_of
from graph.algorithms.payload import METHOD_VERSION, Payload
from graph.algorithms.ties import MOST_AUTHORS
from graph.models import GraphSlice
from works.models import Author, Institution, Topic, Work
from works.queries import record_by_pid

Subject = Author | Work | Topic | Institution

MODELS: dict[str, type[Subject]] = {
    "author": Author,
    "work": Work,
    "topic": Topic,
    "institution": Institution,
}
_RECORD_PAGES = {
    "author": "profiles:author",
    "work": "works:work",
    "topic": "works:topic",
    "institution": "works:institution",
}
_HEAVY = {
    "author": ["search"],
    "work": ["search", "abstract", "abstract_html"],
    "topic": [],
    "institution": ["search"],
}


def find_subject(kind: str, pid: str) -> Subject | None:
    """Return the record that pid leads to, merged or moved ones followed; None where there is none."""
    rows = MODELS[kind].objects.defer(*_HEAVY[kind])
    return record_by_pid(rows, pid)


def name_of(subject: Subject) -> str:
    return (subject.title if isinstance(subject, Work) else subject.display_name) or "Untitled"


def record_address(kind: str, pid: str, name: str) -> str:
    """Return the address of a record's own page."""
    return reverse(_RECORD_PAGES[kind], args=[pid, slug_of(name)])


@dataclass(frozen=True)
class Shown:
    """A built slice without the people who have no page any more; hidden holds places in payload["nodes"]."""

    found: GraphSlice
    payload: Payload
    hidden: frozenset[int]

    @property
    def is_empty(self) -> bool:
        return len(self.payload["nodes"]) - len(self.hidden) <= 1


def built_slice(found: GraphSlice) -> Shown | None:
    """Return what may be shown of a slice; None until it is built by the method of today."""
    if found.payload is None or found.method_version != METHOD_VERSION:
        return None
    payload: Payload = found.payload
    gone = set(
        Author.objects.filter(id__in=found.author_ids)
        .filter(Q(suppressed=True) | Q(merged_into__isnull=False))
        .values_list("id", flat=True)
    )
    hidden = frozenset(
        place
        for place, node in enumerate(payload["nodes"])
        if node["kind"] == "author" and node["id"] in gone
    )
    return Shown(found, payload, hidden)


# --- Export -----------------------------------------------------------------------------------------

_SHARED = f"""
with pair(n, a, b) as (select * from unnest(%s::int[], %s::bigint[], %s::bigint[]))
select pair.n, w.pid, w.title, w.publication_year, array(
  select i.scheme || ':' || i.value from works_workidentifier i where i.work_id = w.id order by 1),
  array(select distinct r.provider from works_sourcerecord r where r.work_id = w.id order by 1)
from pair join works_authorship x on x.author_id = pair.a join works_authorship y
  on y.work_id = x.work_id and y.author_id = pair.b
join works_work w on w.id = x.work_id and w.authors_count <= {MOST_AUTHORS}
order by pair.n, w.publication_year desc nulls last, w.id
"""  # noqa: S608

WORKS_PER_TIE = 20


def export_slice(shown: Shown, public_url: str) -> dict[str, Any]:
    """Return a slice as plain data: nodes, edges, and the works and providers each tie of people rests on."""
    payload = shown.payload
    nodes = payload["nodes"]
    visible = [place for place in range(len(nodes)) if place not in shown.hidden]
    edges = [edge for edge in payload["edges"] if not {edge["a"], edge["b"]} & shown.hidden]
    pairs = [
        (number, nodes[edge["a"]]["id"], nodes[edge["b"]]["id"])
        for number, edge in enumerate(edges)
        if nodes[edge["a"]]["kind"] == nodes[edge["b"]]["kind"] == "author"
    ]
    works = _shared_works(pairs)
    providers = sorted(
        {provider for rows in works.values() for work in rows for provider in work["providers"]}
    )
    names = [f"{node['kind']}:{node['pid']}" for node in nodes]
    return {
        "subject": names[0],
        "method": "neighbourhood chosen by strength and kind; see notes",
        "method_version": shown.found.method_version,
        "built_at": shown.found.built_at.isoformat() if shown.found.built_at else None,
        "weights": "pairs of authors: sum of 1/(n-1) over shared works of n authors (Newman 2001)",
        "providers": providers,
        "notes": payload["notes"],
        "totals": payload["totals"],
        "nodes": [
            {
                "id": names[place],
                "kind": nodes[place]["kind"],
                "name": nodes[place]["name"],
                "works": nodes[place]["works"] or None,
                "first_year": nodes[place]["first_year"],
                "last_year": nodes[place]["last_year"],
                "url": public_url
                + record_address(nodes[place]["kind"], nodes[place]["pid"], nodes[place]["name"]),
            }
            for place in visible
        ],
        "edges": [
            {
                "source": names[edge["a"]],
                "target": names[edge["b"]],
                "strong": edge["strong"],
                "works_count": edge["works"] or None,
                "first_year": edge["first_year"],
                "last_year": edge["last_year"],
                "works": works.get(number, []),
            }
            for number, edge in enumerate(edges)
        ],
    }


def _shared_works(pairs: Iterable[tuple[int, int, int]]) -> dict[int, list[dict[str, Any]]]:
    pairs = list(pairs)
    found: dict[int, list[dict[str, Any]]] = {number: [] for number, _, _ in pairs}
    with connection.cursor() as cursor:
        cursor.execute(_SHARED, [[p[0] for p in pairs], [p[1] for p in pairs], [p[2] for p in pairs]])
        for number, pid, title, year, identifiers, providers in cursor.fetchall():
            if len(found[number]) < WORKS_PER_TIE:
                found[number].append(
                    {
                        "id": f"work:{pid}",
                        "title": title,
                        "year": year,
                        "identifiers": identifiers,
                        "providers": providers,
                    }
                )
    return found
