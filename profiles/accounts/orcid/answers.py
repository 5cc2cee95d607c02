"""Ask ORCID, bounded in time and size; whatever goes wrong is an OrcidError with a sentence for people."""

import json
import time
from typing import Any

import requests
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.conf import settings

from works.identifiers import normalise_orcid

MOST_BYTES = 30_000_000


class OrcidError(OAuth2Error):
    """ORCID did not answer as it should. The message is a sentence for people."""


class BoundedSession(requests.Session):
    """A session whose answers are read up to a size and a time; it follows no redirect and knows no proxy.

    What a person waits for is asked once: no retries.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        connect, silence, whole = settings.ORCID_TIMEOUTS
        kwargs |= {"timeout": (connect, silence), "allow_redirects": False, "stream": True}
        ends = time.monotonic() + whole
        response = super().request(*args, **kwargs)
        parts, size = [], 0
        try:
            for part in response.iter_content(65_536):
                size += len(part)
                if size > MOST_BYTES:
                    raise OrcidError("ORCID sent more than a record can hold.")
                if time.monotonic() > ends:
                    raise OrcidError("ORCID sends too slowly.")
                parts.append(part)
        finally:
            response.close()
        response._content = b"".join(parts)
        return response


def ask_record(orcid: str) -> dict[str, Any]:
    """Return the public record 3.0 of an iD as ORCID gives it. Raises OrcidError."""
    address = f"{settings.ORCID_API_URL}/v3.0/{orcid}/record"
    try:
        with BoundedSession() as session:
            answer = session.get(address, headers={"Accept": "application/orcid+json"})
    except requests.Timeout as error:
        raise OrcidError("ORCID did not answer in time.") from error
    except requests.RequestException as error:
        raise OrcidError("ORCID could not be reached.") from error
    if answer.status_code != 200:
        raise OrcidError(f"ORCID did not give the record (answer {answer.status_code}).")
    record = read_json(answer.content)
    if not isinstance(record, dict) or orcid_of(record) != orcid:
        raise OrcidError("ORCID sent another record than the one asked for.")
    return record


def read_json(body: bytes) -> Any:
    """Return what a body says. Raises OrcidError for what is no JSON, HTML for example."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise OrcidError("ORCID sent a page that cannot be read.") from error


def orcid_of(record: dict[str, Any]) -> str | None:
    identifier = record.get("orcid-identifier")
    path = identifier.get("path") if isinstance(identifier, dict) else None
    return normalise_orcid(path) if isinstance(path, str) else None
