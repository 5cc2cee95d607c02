"""How well affiliation strings lead to organisations, against strings that people gave ROR ids.

A string is "known" where at least one of the organisations that its gold names is among the records, and
"unknown" otherwise: gold names others, or none at all. Found: known strings of which every organisation that
is among the records was found. Right: of all answers to known strings, those that gold has. Answered: unknown
strings that got any answer. Gold counts as it stands, its mistakes included.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import msgspec

from bzpeer.lib.names import fold
from works.affiliations import Known, Matcher
from works.identifiers import normalise_ror
from works.ingest import ror
from works.ingest.files import UnreadableFile, find_files, open_members, read_records
from works.ingest.records import InstitutionRecord

GOLD_NAMES = "dataset_affiliations"  # how ROR's own files of gold begin
FOUND, RIGHT, ANSWERED = ">=0.80", ">=0.97", "<=0.03"

Answers = Callable[[str], Iterable[str]]  # ROR ids for a string


class Figure(NamedTuple):
    """target: as ">=0.80", or ""."""

    name: str
    value: float
    unit: str
    target: str = ""


class Gold(msgspec.Struct):
    affiliation: str
    ror_ids: list[str]


class Score(NamedTuple):
    """Counts over strings, but for what is named after organisations."""

    known: int = 0
    found: int = 0
    some_found: int = 0
    all_right: int = 0
    organisations: int = 0
    organisations_found: int = 0
    answers: int = 0
    right: int = 0
    named_elsewhere: int = 0
    named_elsewhere_answered: int = 0
    named_nowhere: int = 0
    named_nowhere_answered: int = 0

    def plus(self, other: "Score") -> "Score":
        return Score(*(a + b for a, b in zip(self, other, strict=True)))


def measure(paths: Sequence[Path], gold: Path) -> list[Figure]:
    """Return the figures. paths: files and folders of ROR's records; gold: strings with their ROR ids.

    The rules were tuned on one half of the strings; "held_out" is the other.
    """
    records = read_organisations(paths, but=gold)
    lines = read_gold(gold)
    began = time.perf_counter()
    matcher = Matcher(known_organisations(records))
    built = time.perf_counter() - began
    ids = dict(enumerate(records))

    def answer(text: str) -> Iterator[str]:
        return (ids[match.key] for match in matcher.find(text))

    began = time.perf_counter()
    for line in lines:
        matcher.find(line.affiliation)
    spent = time.perf_counter() - began
    figures = [
        Figure("affiliations.organisations", len(records), "records"),
        Figure("affiliations.build", built, "s"),
        Figure("affiliations.speed", len(lines) / max(spent, 1e-9), "strings/s"),
    ]
    halves = {
        "": lines,
        "held_out.": [line for line in lines if is_held_out(line.affiliation)],
        "tuned.": [line for line in lines if not is_held_out(line.affiliation)],
    }
    for name, part in halves.items():
        figures += _figures(f"affiliations.{name}", score(part, records, answer), bars=True)
    baseline = score(lines, records, exact_names(records))
    return figures + _figures("affiliations.exact_name.", baseline, bars=False)


def score(lines: Iterable[Gold], records: dict[str, InstitutionRecord], answer: Answers) -> Score:
    """Compare answers with gold."""
    total = Score()
    for line in lines:
        named = {_standing(normalise_ror(value) or value, records) for value in line.ror_ids}
        here = {value for value in named if value in records}
        given = set(answer(line.affiliation))
        if here:
            total = total.plus(
                Score(
                    known=1,
                    found=here <= given,
                    some_found=bool(here & given),
                    all_right=bool(given) and given <= named,
                    organisations=len(here),
                    organisations_found=len(here & given),
                    answers=len(given),
                    right=len(given & named),
                )
            )
        elif named:
            total = total.plus(Score(named_elsewhere=1, named_elsewhere_answered=bool(given)))
        else:
            total = total.plus(Score(named_nowhere=1, named_nowhere_answered=bool(given)))
    return total


def _figures(name: str, score: Score, *, bars: bool) -> list[Figure]:
    unknown = score.named_elsewhere + score.named_nowhere
    answered = score.named_elsewhere_answered + score.named_nowhere_answered
    shares = [
        ("found", score.found, score.known, FOUND),
        ("found_some", score.some_found, score.known, ""),
        ("organisations_found", score.organisations_found, score.organisations, ""),
        ("right", score.right, score.answers, RIGHT),
        ("strings_all_right", score.all_right, score.known, ""),
        ("unknown_answered", answered, unknown, ANSWERED),
        ("named_elsewhere_answered", score.named_elsewhere_answered, score.named_elsewhere, ""),
        ("named_nowhere_answered", score.named_nowhere_answered, score.named_nowhere, ""),
    ]
    figures = [Figure(f"{name}strings", score.known + unknown, "strings")]
    return figures + [
        Figure(f"{name}{what}", part / whole if whole else 0.0, "share", target if bars else "")
        for what, part, whole, target in shares
    ]


def is_held_out(text: str) -> bool:
    """Return whether a string belongs to the half on which nothing was tuned."""
    return blake2b(text.encode("utf-8", "replace"), digest_size=1).digest()[0] % 2 == 1


# --- What is read ---------------------------------------------------------------------------------


def gold_files(folder: Path) -> list[Path]:
    """Return the files of a folder that hold gold, by their names."""
    return sorted(path for path in folder.rglob(f"{GOLD_NAMES}*") if path.is_file())


def read_gold(path: Path) -> list[Gold]:
    """Return affiliation strings with the ROR ids that people gave them. Raises UnreadableFile."""
    for name, stream in open_members(path, (".json",)):
        try:
            return msgspec.json.decode(stream.read(), type=list[Gold])
        except msgspec.DecodeError as error:
            raise UnreadableFile(f"{name}: no list of affiliations with their ror_ids ({error}).") from None
    raise UnreadableFile(f"{path.name}: no JSON in it.")


def read_organisations(paths: Sequence[Path], but: Path) -> dict[str, InstitutionRecord]:
    """Return ROR's records by id, the newest and fullest of each. but: a file among them that holds no records."""
    found: dict[str, InstitutionRecord] = {}
    for path in find_files([str(path) for path in paths], ror.SUFFIXES):
        if path.resolve() == but.resolve() or path.name.startswith(GOLD_NAMES):
            continue
        for record in read_records(ror, path):
            if isinstance(record, InstitutionRecord):
                standing = found.get(record.record_id)
                if standing is None or standing.rank < record.rank:
                    found[record.record_id] = record
    return found


def known_organisations(records: dict[str, InstitutionRecord]) -> Iterator[Known]:
    """Yield the records as the matcher wants them; the key is a record's place."""
    places = {value: place for place, value in enumerate(records)}
    for value, record in records.items():
        standing = _standing(value, records)
        if standing in places and not records[standing].withdrawn:
            names = (record.display_name, *record.names)
            yield Known(places[standing], names, record.acronyms, record.country_code, record.city)


def _standing(value: str, records: dict[str, InstitutionRecord]) -> str:
    """Return the ROR id of who took a withdrawn record over, else the same."""
    seen = set()
    while value in records and records[value].merged_into and value not in seen:
        seen.add(value)
        value = records[value].merged_into
    return value


def exact_names(records: dict[str, InstitutionRecord]) -> Answers:
    """Return the baseline: a part between commas that is, folded, a name of one organisation."""
    owners: dict[str, set[str]] = {}
    for value, record in records.items():
        for name in (record.display_name, *record.names):
            owners.setdefault(fold(name), set()).add(value)

    def answer(text: str) -> Iterator[str]:
        for part in text.replace(";", ",").split(","):
            if len(found := owners.get(fold(part.strip(" .")), set())) == 1:
                yield from found

    return answer
