"""ORCID records for tests, of Josiah Carberry, whom ORCID itself made up for its examples."""

import gzip
import json
from typing import Any

from tests.works.files import DATA, read_bytes
from works.ingest import orcid
from works.ingest.records import AuthorRecord, WorkRecord

ORCID = DATA / "orcid"
CARBERRY = "0000-0002-1825-0097"
OTHER = "0000-0001-5109-3700"


def read(data: bytes | str | dict[str, Any]) -> list[Any]:
    if isinstance(data, dict):
        data = json.dumps(data)
    return read_bytes(orcid, data.encode() if isinstance(data, str) else data, "record")


def read_path(name: str) -> list[Any]:
    data = (ORCID / name).read_bytes()
    return read(gzip.decompress(data) if name.endswith(".gz") else data)


def person(**fields: Any) -> dict[str, Any]:
    name = {"given-names": {"value": "Josiah"}, "family-name": {"value": "Carberry"}, "credit-name": None}
    return {
        "last-modified-date": None,
        "name": name,
        "other-names": None,
        "path": f"/{CARBERRY}/person",
    } | fields


def record(works: Any = None, **parts: Any) -> dict[str, Any]:
    activities = {
        name.replace("_", "-"): value for name, value in parts.items() if name not in {"person", "history"}
    }
    return {
        "orcid-identifier": {"uri": f"https://orcid.org/{CARBERRY}", "path": CARBERRY, "host": "orcid.org"},
        "history": parts.get(
            "history", {"last-modified-date": {"value": 1465949566770}, "deactivation-date": None}
        ),
        "person": parts.get("person", person()),
        "activities-summary": activities | {"works": {"group": works}},
        "path": f"/{CARBERRY}",
    }


def client(name: str, number: str = "APP-1", origin: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "source-orcid": None,
        "source-client-id": {"path": number},
        "source-name": {"value": name},
    } | (origin or {})


def external(
    kind: str, value: str, relationship: str | None = "self", url: str | None = None
) -> dict[str, Any]:
    return {
        "external-id-type": kind,
        "external-id-value": value,
        "external-id-url": {"value": url} if url else None,
        "external-id-relationship": relationship,
    }


def version(put_code: int, *ids: dict[str, Any], title: str = "On Pottery", **fields: Any) -> dict[str, Any]:
    own = {"source-orcid": {"path": CARBERRY}, "source-name": {"value": "Josiah Carberry"}}
    return {
        "put-code": put_code,
        "title": {"title": {"value": title}, "subtitle": None, "translated-title": None},
        "external-ids": {"external-id": list(ids)},
        "type": "journal-article",
        "visibility": "public",
        "source": own,
        "display-index": "0",
        "path": f"/{CARBERRY}/work/{put_code}",
    } | {name.replace("_", "-"): value for name, value in fields.items()}


def group(*versions: dict[str, Any]) -> dict[str, Any]:
    return {"external-ids": {"external-id": []}, "work-summary": list(versions)}


def work_of(*versions: dict[str, Any]) -> WorkRecord:
    [_, work] = read(record([group(*versions)]))
    assert isinstance(work, WorkRecord), work
    return work


def author_of(**parts: Any) -> AuthorRecord:
    [author] = read(record(**parts))
    assert isinstance(author, AuthorRecord), author
    return author
