"""Build the demo data and the table of name frequencies again from the public files.

Run: python -m works.demo.build DATA_PATH

DATA_PATH holds the files that SOURCES.md names, in these folders:

    arxiv/archive-tsv/cs.{AR,DB,DC,IR,SE}.tsv.xz
    openalex/works-api-pages/*.json, *.json.gz
    openalex/works-2023-synergy/*.zip
    openalex/entity-samples/works_sample.json.gz
    seed/RECONSTRUCTED_seed_pair.arxiv_atom.xml

The same input gives the same bytes. Records are copied, never written anew.
"""

import csv
import gzip
import lzma
import re
import sys
import zipfile
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from bzpeer.lib.names import clean, fold, split_name

HERE = Path(__file__).resolve().parent
NAME_FREQUENCIES = HERE.parent / "ingest" / "name_frequencies.tsv.xz"

ARXIV_WORKS = 3000
OPENALEX_WORKS = 1500

RECNMP = "1912.1295300000002"
# On the page that BZPEER started from, Liu Ke has two works. These two would make them four.
LEFT_OUT = {"1911.12815", "1805.0830899999999"}

SEED_COMMENT = """<!-- RECONSTRUCTED, not a captured API response. The values of the fields come from public
     records of the two works (1912.12953: row 1638962 of cs.AR.tsv.xz in staeiou/arxiv_archive, commit
     f043eb1d71da; 2203.07424: its abstract page on arXiv); the layout is that of real answers of the API of
     arXiv. Unknown and therefore set to 00:00:00Z: the time of day. For 2203.07424 only the primary category
     (cs.DC) is known; cross-list categories are left out. -->"""

NOT_A_PERSON = re.compile(
    r"\b(?:collaborations?|consortium|team|task force|contributors|working group|project|representing)\b",
    re.IGNORECASE,
)
FOOTNOTE_DIGITS = re.compile(r"(?<![\w-])\d+(?=[^\W\d_])|(?<=[^\W\d_])\d+(?![\w-])")


class Row(NamedTuple):
    """One arXiv record, with the text that it has in its file."""

    number: int
    arxiv_id: str
    authors: tuple[str, ...]
    text: str


class Institution(msgspec.Struct):
    id: str | None = None


class Person(msgspec.Struct):
    id: str | None = None
    display_name: str | None = None
    orcid: str | None = None


class Authorship(msgspec.Struct):
    author: Person
    institutions: list[Institution] = []


class Work(msgspec.Struct):
    id: str
    title: str | None = None
    updated_date: str = ""
    topics: list[msgspec.Raw] = []
    authorships: list[Authorship] = []
    abstract_inverted_index: dict[str, msgspec.Raw] | None = None


class Page(msgspec.Struct):
    results: list[msgspec.Raw]


def main(data: Path) -> None:
    csv.field_size_limit(2**31 - 1)
    tables = {name: list(read_table(data, name)) for name in ("AR", "DC", "DB", "IR", "SE")}
    header = table_header(data, "AR")
    chosen = choose_rows(tables["AR"] + tables["DC"])
    write_xz(HERE / "arxiv.tsv.xz", header + "".join(row.text for row in chosen))
    write_seed(data)

    pages = list(read_api_pages(data))
    synergy = list(read_synergy(data))
    works = choose_works(pages, synergy)
    write_xz(HERE / "openalex-works.jsonl.xz", b"".join(work + b"\n" for work in works))

    arxiv_rows = {row.arxiv_id: row for table in tables.values() for row in table}
    names = {name for row in arxiv_rows.values() for name in row.authors}
    for raw in (*pages, *synergy, *read_samples(data)):
        for authorship in msgspec.json.decode(raw, type=Work).authorships:
            names.add(authorship.author.display_name or "")
    write_xz(NAME_FREQUENCIES, name_frequencies(names))


# arXiv


def table_path(data: Path, category: str) -> Path:
    return data / "arxiv" / "archive-tsv" / f"cs.{category}.tsv.xz"


def table_header(data: Path, category: str) -> str:
    with lzma.open(table_path(data, category), "rt", encoding="utf-8", newline="") as file:
        return file.readline()


def read_table(data: Path, category: str) -> Iterator[Row]:
    """Yield the records of a table with their own text, line breaks in quotes included."""
    lines: list[str] = []

    def remembered(file: Iterable[str]) -> Iterator[str]:
        for line in file:
            lines.append(line)
            yield line

    with lzma.open(table_path(data, category), "rt", encoding="utf-8", newline="") as file:
        reader = csv.reader(remembered(file), delimiter="\t")
        names = next(reader)
        lines.clear()
        for fields in reader:
            record = dict(zip(names, fields, strict=True))
            yield Row(
                int(record[""]), record["arxiv_id"], tuple(arxiv_names(record["author_text"])), "".join(lines)
            )
            lines.clear()


def arxiv_names(text: str) -> list[str]:
    """Return the names in an author string of the tables, without the empty pieces and lone suffixes."""
    names = []
    for piece in text.split(","):
        name = clean(FOOTNOTE_DIGITS.sub("", piece.replace("\\and ", "")))
        if any(map(str.isalpha, name)) and fold(name) not in {"jr", "sr", "ii", "iii", "iv"}:
            names.append(name)
    return names


def choose_rows(rows: list[Row]) -> list[Row]:
    """Return the works nearest to RecNMP, breadth first over co-authors, sorted by row number.

    The works of one author come in the order of their row numbers. A work in both tables counts once.
    """
    by_id = {row.arxiv_id: row for row in sorted(rows) if row.arxiv_id not in LEFT_OUT}
    by_name: dict[str, list[Row]] = {}
    for row in by_id.values():
        for name in dict.fromkeys(row.authors):
            by_name.setdefault(name, []).append(row)
    chosen = {RECNMP: by_id[RECNMP]}
    queue = deque(by_id[RECNMP].authors)
    seen = set(queue)
    while queue and len(chosen) < ARXIV_WORKS:
        for row in by_name[queue.popleft()]:
            if row.arxiv_id in chosen or len(chosen) == ARXIV_WORKS:
                continue
            chosen[row.arxiv_id] = row
            queue.extend(name for name in dict.fromkeys(row.authors) if name not in seen)
            seen.update(row.authors)
    return sorted(chosen.values())


def write_seed(data: Path) -> None:
    """Copy the reconstructed pair with a comment that explains itself."""
    source = data / "seed" / "RECONSTRUCTED_seed_pair.arxiv_atom.xml"
    text, count = re.subn(r"<!--.*?-->", lambda _: SEED_COMMENT, source.read_text("utf-8"), flags=re.DOTALL)
    if count != 1:
        raise ValueError(f"{source} has {count} comments instead of one")
    (HERE / "arxiv-seed.atom.xml").write_text(text, "utf-8")


# OpenAlex


def read_api_pages(data: Path) -> Iterator[bytes]:
    """Yield each work of the answers of the API as its own bytes, page by page."""
    for path in sorted((data / "openalex" / "works-api-pages").iterdir()):
        answer = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        try:
            yield from map(bytes, msgspec.json.decode(answer, type=Page).results)
        except msgspec.ValidationError:
            yield answer.strip()  # one work alone


def read_synergy(data: Path) -> Iterator[bytes]:
    for path in sorted((data / "openalex" / "works-2023-synergy").glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield from map(bytes, msgspec.json.decode(archive.read(name), type=list[msgspec.Raw]))


def read_samples(data: Path) -> Iterator[bytes]:
    path = data / "openalex" / "entity-samples" / "works_sample.json.gz"
    yield from map(bytes, msgspec.json.decode(gzip.decompress(path.read_bytes()), type=list[msgspec.Raw]))


def choose_works(pages: list[bytes], synergy: list[bytes]) -> list[bytes]:
    """Return the newest version of every work with topics, then the best connected older works."""
    newest: dict[str, tuple[str, bytes]] = {}
    with_topics: set[str] = set()
    for raw in pages:
        work = msgspec.json.decode(raw, type=Work)
        if work.topics:
            with_topics.add(work.id)
        if work.updated_date >= newest.get(work.id, ("", b""))[0]:
            newest[work.id] = (work.updated_date, raw)
    chosen = {work_id: newest[work_id][1] for work_id in sorted(with_topics, key=work_number)}

    candidates = {}
    for raw in synergy:
        work = msgspec.json.decode(raw, type=Work)
        if work.id not in newest and is_complete(work):
            candidates[work.id] = (work, raw)
    works_of = Counter(author for work, _ in candidates.values() for author in author_ids(work))

    def preference(work_id: str) -> tuple[int, int]:
        shared = sum(works_of[author] > 1 for author in author_ids(candidates[work_id][0]))
        return -min(shared, 5), work_number(work_id)

    older = sorted(candidates, key=preference)[: OPENALEX_WORKS - len(chosen)]
    return [*chosen.values(), *(candidates[work_id][1] for work_id in sorted(older, key=work_number))]


def work_number(work_id: str) -> int:
    return int(work_id.rpartition("/W")[2])


def author_ids(work: Work) -> set[str]:
    return {authorship.author.id for authorship in work.authorships if authorship.author.id}


def is_complete(work: Work) -> bool:
    """Return whether the work has a title, an abstract, an institution and an ORCID."""
    return bool(
        work.title
        and work.abstract_inverted_index
        and any(author.author.orcid for author in work.authorships)
        and any(institution.id for author in work.authorships for institution in author.institutions)
    )


# Names


def name_frequencies(names: Iterable[str]) -> str:
    """Return the table of how common family and given names are among the distinct names."""
    distinct = sorted({clean(name) for name in names if not NOT_A_PERSON.search(name)} - {""})
    families: Counter[str] = Counter()
    given: Counter[str] = Counter()
    for name in distinct:
        parts = split_name(name)
        families[parts.family_key] += 1
        if first := parts.folded.given[:1]:
            given[first[0]] += 1
    total = len(distinct)
    note = (
        f"# {total} distinct names, {sum(given.values())} of them with a given name; share = names with this"
        f" part / {total}; parts of fewer than 3 names are left out. From the author names of the arXiv and"
        " OpenAlex files (both CC0 1.0) in works/demo/SOURCES.md. Columns: kind, folded part, share.\n"
    )
    lines = [note]
    for kind, counts in (("family", families), ("given", given)):
        for part, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            if part and count >= 3:
                lines.append(f"{kind}\t{part}\t{three_digits(count / total)}\n")
    return "".join(lines)


def three_digits(share: float) -> str:
    """Return a share with three significant digits and without an exponent."""
    exponent = int(f"{share:.2e}".partition("e")[2])
    return f"{share:.{2 - exponent}f}"


def write_xz(path: Path, content: str | bytes) -> None:
    content = content.encode("utf-8") if isinstance(content, str) else content
    path.write_bytes(lzma.compress(content, preset=9 | lzma.PRESET_EXTREME))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
