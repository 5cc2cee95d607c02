"""The venues of the ACL Anthology: their names, and the nearest topics in OpenAlex's tree.

acl_venues.tsv has the Anthology's own ids and names (data/yaml/venues). The topics are ours: a venue says
what its papers are about only roughly, hence the score.
"""

import csv
import io
import re
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib import resources
from typing import NamedTuple

from works.ingest.records import SourceRef, TopicRef

SCORE = 0.5
REST = "ws"  # the Anthology's shelf for workshops without a venue of their own
_OLD = re.compile(r"([A-Z])\d\d")
_AI = ("subfields/1702", "Artificial Intelligence")
_VISION = ("subfields/1707", "Computer Vision and Pattern Recognition")
_SIGNALS = ("subfields/1711", "Signal Processing")
_COMPUTING = (("fields/17", "Computer Science"), ("domains/3", "Physical Sciences"))
_SOCIETY = ("domains/2", "Social Sciences")
_TOPICS: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "T10181": ("Natural Language Processing Techniques", (_AI, *_COMPUTING)),
    "T10201": ("Speech Recognition and Synthesis", (_AI, *_COMPUTING)),
    "T10215": ("Semantic Web and Ontologies", (_AI, *_COMPUTING)),
    "T10664": ("Sentiment Analysis and Opinion Mining", (_AI, *_COMPUTING)),
    "T12031": ("Speech and dialogue systems", (_AI, *_COMPUTING)),
    "T13629": ("Text Readability and Simplification", (_AI, *_COMPUTING)),
    "T11714": ("Multimodal Machine Learning Applications", (_VISION, *_COMPUTING)),
    "T11309": ("Music and Audio Processing", (_SIGNALS, *_COMPUTING)),
    "T11710": (
        "Biomedical Text Mining and Ontologies",
        (
            ("subfields/1312", "Molecular Biology"),
            ("fields/13", "Biochemistry, Genetics and Molecular Biology"),
            ("domains/1", "Life Sciences"),
        ),
    ),
    "T10102": (
        "scientometrics and bibliometrics research",
        (
            ("subfields/1804", "Statistics, Probability and Uncertainty"),
            ("fields/18", "Decision Sciences"),
            _SOCIETY,
        ),
    ),
    "T10403": (
        "Phonetics and Phonology Research",
        (("subfields/3205", "Experimental and Cognitive Psychology"), ("fields/32", "Psychology"), _SOCIETY),
    ),
    "T11147": (
        "Misinformation and Its Impacts",
        (("subfields/3312", "Sociology and Political Science"), ("fields/33", "Social Sciences"), _SOCIETY),
    ),
}
_EVERY_VENUE = ("T10181",)  # whatever the Anthology takes up is about language and computing


class Venue(NamedTuple):
    name: str
    type: str  # journal or conference
    topics: tuple[str, ...]


@cache
def _table() -> tuple[dict[str, Venue], dict[str, str]]:
    """Return the venues by id, and the id that each letter of the old collections ("P19") stands for."""
    text = resources.files("works.ingest").joinpath("acl_venues.tsv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text), delimiter="\t"))
    venues = {row["venue"]: Venue(row["name"], row["type"], tuple(row["topics"].split())) for row in rows}
    return venues, {row["letter"]: row["venue"] for row in rows if row["letter"]}


def known_venue(venue: str) -> Venue | None:
    return _table()[0].get(venue)


def implied_venue(collection: str, volume: str) -> str:
    """Return the venue that an id stands for, where the volume names none (before November 2022); or "".

    Workshops took numbers from 5 in the conference's own collection of 2019 (D19-50).
    """
    venues, letters = _table()
    if match := _OLD.fullmatch(collection):
        return "" if collection == "D19" and len(volume) > 1 else letters.get(match.group(1), "")
    venue = collection.partition(".")[2]
    return venue if venue in venues else ""


def source_of(venue: str, volume_title: str, volume_type: str) -> SourceRef | None:
    """Return the venue as a source, or the volume itself where it belongs to none."""
    if not venue:
        return SourceRef(display_name=volume_title, type=volume_type) if volume_title else None
    known = known_venue(venue)
    if known is None:
        return SourceRef(display_name=venue.upper(), type=volume_type, acl=venue)
    return SourceRef(display_name=known.name, type=known.type, acl=venue)


def topics_of(venues: Iterable[str]) -> tuple[TopicRef, ...]:
    """Return the topics of a volume that belongs to venues, each once."""
    return _topics(tuple(venues))


@lru_cache(maxsize=2048)
def _topics(venues: tuple[str, ...]) -> tuple[TopicRef, ...]:
    values = dict.fromkeys(_EVERY_VENUE)
    for venue in venues:
        if known := known_venue(venue):
            values.update(dict.fromkeys(known.topics))
    return tuple(
        TopicRef(
            scheme="openalex",
            value=value,
            display_name=_TOPICS[value][0],
            score=SCORE,
            lineage=_TOPICS[value][1],
        )
        for value in values
    )
