"""A work as other programs cite it: BibTeX, RIS, CSL-JSON, and a plain line."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from bzpeer.lib.names import fold, split_name
from bzpeer.lib.templatetags.bzpeer import identifier_address
from works.models import Authorship, Work, WorkIdentifier

_BIBTEX_TYPES = {
    "article": "article", "review": "article", "letter": "article", "editorial": "article", "erratum": "article",
    "book": "book", "book-chapter": "incollection", "dissertation": "phdthesis", "report": "techreport",
    "conference-paper": "inproceedings", "proceedings-article": "inproceedings", "preprint": "misc",
}  # fmt: skip
_RIS_TYPES = {
    "article": "JOUR", "review": "JOUR", "letter": "JOUR", "editorial": "JOUR", "erratum": "JOUR", "book": "BOOK",
    "book-chapter": "CHAP", "dissertation": "THES", "report": "RPRT", "conference-paper": "CPAPER",
    "proceedings-article": "CPAPER", "dataset": "DATA", "preprint": "UNPB",
}  # fmt: skip
_CSL_TYPES = {
    "article": "article-journal", "review": "article-journal", "letter": "article-journal",
    "editorial": "article-journal", "erratum": "article-journal", "book": "book", "book-chapter": "chapter",
    "dissertation": "thesis", "report": "report", "conference-paper": "paper-conference",
    "proceedings-article": "paper-conference", "dataset": "dataset", "preprint": "article",
}  # fmt: skip
_TEX = str.maketrans(
    {
        "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_",
        "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    }
)  # fmt: skip


class Cited(NamedTuple):
    """What every format is made of. names: (family, given); given is "" for names of one word.

    warning: "Retracted" or "Withdrawn", which whoever cites the work must not miss; else "".
    """

    key: str
    type: str
    title: str
    names: list[tuple[str, str]]
    year: int | None
    date: str
    source: str
    identifiers: dict[str, str]
    url: str
    warning: str


def warning_of(work: Work) -> str:
    """Return what stands against a work in one word, "" where nothing does."""
    if work.is_withdrawn:
        return "Withdrawn"
    return "Retracted" if work.is_retracted else ""


def printed_name(row: Authorship) -> str:
    """Return an author's name as the work prints it; the name shown now where the author hides a former one.

    row: from queries.work_authorships.
    """
    if printed := getattr(row, "printed", ""):
        return str(printed)
    return row.raw_author_name or (row.author.display_name if row.author else "")


def cited(
    work: Work, authorships: Iterable[Authorship], identifiers: Iterable[WorkIdentifier], page: str
) -> Cited:
    """Gather a work for citing. page: the full address of its page here, used where its own has none."""
    names = [_name(printed_name(row)) for row in authorships]
    ids: dict[str, str] = {}
    for identifier in identifiers:
        ids.setdefault(identifier.scheme, identifier.value)
    if "doi" in ids:
        url = f"https://doi.org/{ids['doi']}"
    else:
        url = next(
            (identifier_address(scheme, ids[scheme]) for scheme in ("arxiv", "acl") if scheme in ids), page
        )
    return Cited(
        key=_key(names, work), type=work.type, title=_line(work.title) or "Untitled work", names=names,
        year=work.publication_year, date=work.publication_date.isoformat() if work.publication_date else "",
        source=_line(work.source.display_name) if work.source else "", identifiers=ids, url=url,
        warning=warning_of(work),
    )  # fmt: skip


def bibtex(item: Cited) -> str:
    """Return a BibTeX entry. Titles stand in double braces, so that styles keep their capitals."""
    kind = _BIBTEX_TYPES.get(item.type, "misc")
    where = {
        "article": "journal",
        "inproceedings": "booktitle",
        "incollection": "booktitle",
        "techreport": "institution",
    }
    arxiv = item.identifiers.get("arxiv")
    fields: list[tuple[str, str]] = [
        ("title", f"{{{_tex(item.title)}}}"),
        (
            "author",
            " and ".join(
                _tex(f"{family}, {given}") if given else f"{{{_tex(family)}}}" for family, given in item.names
            ),
        ),
        ("year", str(item.year or "")),
        (where.get(kind, "howpublished"), _tex(item.source)),
        ("doi", item.identifiers.get("doi", "")),
        ("eprint", arxiv or ""),
        ("archiveprefix", "arXiv" if arxiv else ""),
        ("url", item.url),
        ("note", f"{item.warning} work" if item.warning else ""),
    ]
    lines = [f"  {name} = {{{value}}}" for name, value in fields if value]
    return f"@{kind}{{{item.key},\n" + ",\n".join(lines) + "\n}\n"


def ris(item: Cited) -> str:
    """Return a RIS record, lines ended as RIS wants them."""
    lines = [("TY", _RIS_TYPES.get(item.type, "GEN")), ("TI", item.title)]
    lines += [("AU", f"{family}, {given}" if given else family) for family, given in item.names]
    lines += [
        ("PY", str(item.year or "")),
        ("DA", item.date.replace("-", "/")),
        ("T2", item.source),
        ("DO", item.identifiers.get("doi", "")),
        ("UR", item.url),
        ("N1", f"{item.warning} work" if item.warning else ""),
    ]
    return "".join(f"{tag}  - {value}\r\n" for tag, value in lines if value) + "ER  - \r\n"


def csl(item: Cited) -> dict[str, Any]:
    """Return a CSL-JSON item (schema 1.0)."""
    date = [int(part) for part in item.date.split("-")] if item.date else [item.year] if item.year else []
    data: dict[str, Any] = {
        "id": item.key,
        "type": _CSL_TYPES.get(item.type, "document"),
        "title": item.title,
        "author": [
            {"family": family, "given": given} if given else {"literal": family}
            for family, given in item.names
        ],
        "issued": {"date-parts": [date]} if date else None,
        "container-title": item.source,
        "DOI": item.identifiers.get("doi"),
        "number": f"arXiv:{item.identifiers['arxiv']}" if "arxiv" in item.identifiers else None,
        "URL": item.url,
        "status": item.warning.lower(),
        "note": f"{item.warning} work" if item.warning else None,
    }
    return {name: value for name, value in data.items() if value}


def csl_json(item: Cited) -> str:
    return json.dumps([csl(item)], ensure_ascii=False, indent=2) + "\n"


def plain(item: Cited) -> str:
    """Return one line for people: names, year, title, source, address."""
    names = [f"{family}, {given}" if given else family for family, given in item.names[:10]]
    more = " et al." if len(item.names) > 10 else ""
    head = "; ".join(names) + more
    when = f" ({item.year})" if item.year else ""
    title = item.title if item.title.endswith((".", "?", "!")) else item.title + "."
    warning = f" [{item.warning}]." if item.warning else ""
    source = f" {item.source}." if item.source else ""
    return f"{head}{when}. {title}{warning}{source} {item.url}".lstrip(". ")


def _name(text: str) -> tuple[str, str]:
    """Return (family, given) as they are printed; a suffix stands behind the given name."""
    text = _line(text)
    name = split_name(text)
    given = " ".join(name.given)
    if not name.suffix and text.endswith(f" {name.family}"):
        given = text.removesuffix(name.family).strip()  # keeps the hyphen of "Carole-Jean"
    return name.family, f"{given}, {name.suffix}" if name.suffix and given else given


def _key(names: Sequence[tuple[str, str]], work: Work) -> str:
    """Return a key such as "ke2022hercules", of plain letters and digits."""
    family = re.sub(r"[^a-z0-9]", "", fold(names[0][0])) if names else ""
    words = [word for word in re.findall(r"[a-z0-9]+", fold(work.title)) if len(word) > 3]
    return f"{family}{work.publication_year or ''}{words[0] if words else ''}" or "untitled"


def _line(text: str) -> str:
    return " ".join(text.split())


def _tex(text: str) -> str:
    return text.translate(_TEX)
