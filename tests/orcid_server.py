"""A stand-in for ORCID: a real HTTP server on loopback that signs people in, gives tokens and records, and misbehaves on order.

    with OrcidServer() as orcid, override_settings(**orcid.settings):
        orcid.sign_in_as("0000-0002-1825-0097", record)   # the person who presses Authorize there
        ...                                               # walk through the site, in a browser or by sign_in(client)
        orcid.fail_with(status=500, at="record")          # from now on; orcid.recover() ends it

It is strict where ORCID is: client and secret, the redirect address, codes that work once, PKCE where it was begun.
"""

import base64
import gzip
import hashlib
import json
import secrets
import threading
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from tests.works.files import DATA

CLIENT_ID, SECRET = "APP-BZPEERTEST", "a-secret-of-orcid"
LIEBERSOHN = "0000-0002-3141-3057"


def real_record(
    orcid: str = LIEBERSOHN, given: str | None = None, family: str | None = None
) -> dict[str, Any]:
    """Return a record 3.0 put together from real answers of ORCID (person, works), of another person if asked.

    Its works were added by Crossref, Scopus, DataCite, figshare and by the person: see tests/data/orcid/SOURCES.md.
    """
    person = json.loads((DATA / "orcid/api/person.json").read_bytes())
    works = json.loads(gzip.decompress((DATA / "orcid/api/works.json.gz").read_bytes()))
    if given is not None:
        person["name"] |= {
            "given-names": {"value": given},
            "family-name": {"value": family} if family else None,
            "credit-name": None,
        }
    person["name"]["path"] = orcid
    person["path"], works["path"] = f"/{orcid}/person", f"/{orcid}/works"
    return {
        "orcid-identifier": {"uri": f"https://orcid.org/{orcid}", "path": orcid, "host": "orcid.org"},
        "preferences": {"locale": "en"},
        "history": {
            "creation-method": "DIRECT",
            "submission-date": {"value": 1460758450014},
            "last-modified-date": {"value": works["last-modified-date"]["value"]},
            "claimed": True,
            "source": None,
            "deactivation-date": None,
            "verified-email": True,
            "verified-primary-email": True,
        },
        "person": person,
        "activities-summary": {
            "last-modified-date": works["last-modified-date"],
            "fundings": {"last-modified-date": None, "group": [], "path": f"/{orcid}/fundings"},
            "peer-reviews": {"last-modified-date": None, "group": [], "path": f"/{orcid}/peer-reviews"},
            "works": works,
            "path": f"/{orcid}/activities",
        },
        "path": f"/{orcid}",
    }


@dataclass(frozen=True)
class Failure:
    """at: "token", "record" or "authorize"; hang: it says nothing until recover() or the end."""

    at: str
    status: int
    body: bytes
    type: str
    hang: bool


class OrcidServer:
    """records: iD to the record that /v3.0/{iD}/record gives; requests: method and path of each, oldest first."""

    def __init__(self) -> None:
        self.records: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, str]] = []
        self.person = ""
        self.token_says: dict[
            str, Any
        ] = {}  # laid over the answer with the token: odd values, None takes a key out
        self._failure: Failure | None = None
        self._codes: dict[str, dict[str, str]] = {}
        self._free = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server._handle(self, "GET")

            def do_POST(self) -> None:
                server._handle(self, "POST")

            def log_message(self, *args: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self.sign_in_as(LIEBERSOHN, real_record())

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._free.set()
        self._http.shutdown()
        self._http.server_close()

    @property
    def settings(self) -> dict[str, Any]:
        """Return the settings under which the site knows this server, for override_settings."""
        policy = deepcopy(settings.CONTENT_SECURITY_POLICY)
        policy["DIRECTIVES"]["form-action"] = [*policy["DIRECTIVES"]["form-action"], self.url]
        return {
            "ORCID_OAUTH_URL": self.url,
            "ORCID_API_URL": self.url,
            "ORCID_CLIENT_ID": CLIENT_ID,
            "ORCID_CLIENT_SECRET": SECRET,
            "CONTENT_SECURITY_POLICY": policy,
        }

    # --- Switches ---

    def sign_in_as(self, orcid: str, record: dict[str, Any] | None = None) -> None:
        """Say who presses Authorize from now on, and what their record says."""
        self.person = orcid
        self.records[orcid] = record if record is not None else real_record(orcid)

    def fail_with(
        self,
        status: int = 500,
        body: bytes | str = b'{"response-code":500,"developer-message":"Out of order"}',
        content_type: str = "application/json",
        at: str = "record",
        hang: bool = False,
    ) -> None:
        """Answer otherwise than ORCID should, from now on, at "token", "record" or "authorize"."""
        self._free.clear()
        self._failure = Failure(
            at, status, body.encode() if isinstance(body, str) else body, content_type, hang
        )

    def recover(self) -> None:
        self._failure = None
        self._free.set()

    def asked(self, part: str) -> int:
        """Return how many requests had a path with this part."""
        return sum(part in path for _, path in self.requests)

    # --- For tests without a browser ---

    def authorize(self, address: str) -> str:
        """Press Authorize on the page at an address that the site redirected to; return the callback with its query."""
        query = {key: values[0] for key, values in parse_qs(urlsplit(address).query).items()}
        callback = urlsplit(self._grant(query))
        return f"{callback.path}?{callback.query}"

    def sign_in(self, client: Client, process: str = "login", next: str = "") -> HttpResponse:
        """Take a test client through the whole flow; return what the callback answers."""
        query = urlencode({"process": process} | ({"next": next} if next else {}))
        response = client.post(f"/accounts/orcid/login/?{query}")
        assert response.status_code == 302, response.status_code
        assert response["Location"].startswith(f"{self.url}/oauth/authorize?"), response["Location"]
        return client.get(self.authorize(response["Location"]))

    # --- What it answers ---

    def _handle(self, handler: BaseHTTPRequestHandler, method: str) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        form = {key: values[0] for key, values in parse_qs(handler.rfile.read(length).decode()).items()}
        self.requests.append((method, handler.path))
        address = urlsplit(handler.path)
        query = {key: values[0] for key, values in parse_qs(address.query).items()}
        step = "record" if address.path.endswith("/record") else address.path.rpartition("/")[2]
        failure = self._failure
        if failure and failure.at == step:
            if failure.hang:
                self._free.wait(60)
            _send(handler, failure.status, failure.body, failure.type)
        elif step == "authorize" and method == "GET":
            self._show(handler, query)
        elif step == "authorize":
            target = self._refuse(form) if "deny" in form else self._grant(form)
            _send(handler, 302, b"", "text/plain", {"Location": target})
        elif step == "token" and method == "POST":
            self._give_token(handler, form)
        elif step == "record":
            self._give_record(handler, address.path.split("/")[2])
        else:  # a browser asks for an icon, too
            _send(handler, 204 if step == "favicon.ico" else 404, b"", "text/plain")

    def _show(self, handler: BaseHTTPRequestHandler, query: dict[str, str]) -> None:
        problem = _problem(query)
        hidden = "".join(
            f'<input type="hidden" name="{escape(key)}" value="{escape(value)}">'
            for key, value in query.items()
        )
        page = (
            f"<p>{problem}</p>"
            if problem
            else f'<h1>Authorize access</h1><form method="post" action="/oauth/authorize">{hidden}<button>Authorize access</button>'
            '<button name="deny" value="1">Deny access</button></form>'
        )
        text = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>ORCID</title>{page}</html>'
        _send(handler, 400 if problem else 200, text.encode(), "text/html; charset=utf-8")

    def _grant(self, query: dict[str, str]) -> str:
        problem = _problem(query)
        assert not problem, problem
        code = secrets.token_urlsafe(4)
        self._codes[code] = query | {"orcid": self.person}
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def _refuse(self, query: dict[str, str]) -> str:
        error = {"error": "access_denied", "error_description": "User denied access", "state": query["state"]}
        return f"{query['redirect_uri']}?{urlencode(error)}"

    def _give_token(self, handler: BaseHTTPRequestHandler, form: dict[str, str]) -> None:
        granted = self._codes.pop(form.get("code", ""), None)
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, SECRET):
            error = {"error": "invalid_client", "error_description": "Client not found"}
            return _send(handler, 401, json.dumps(error).encode(), "application/json")
        if (
            granted is None
            or granted["redirect_uri"] != form.get("redirect_uri")
            or not _proven(granted, form)
        ):
            error = {"error": "invalid_grant", "error_description": "Invalid authorization code"}
            return _send(handler, 400, json.dumps(error).encode(), "application/json")
        name = (self.records[granted["orcid"]].get("person") or {}).get("name") or {}
        parts = [(name.get(part) or {}).get("value") for part in ("given-names", "family-name")]
        answer = {
            "access_token": secrets.token_hex(16),
            "token_type": "bearer",
            "refresh_token": secrets.token_hex(16),
            "expires_in": 631138518,
            "scope": "/authenticate",
            "name": " ".join(filter(None, parts)),
            "orcid": granted["orcid"],
        } | self.token_says
        answer = {key: value for key, value in answer.items() if value is not None}
        return _send(handler, 200, json.dumps(answer).encode(), "application/json;charset=UTF-8")

    def _give_record(self, handler: BaseHTTPRequestHandler, orcid: str) -> None:
        record = self.records.get(orcid)
        if record is None:
            return _send(handler, 404, (DATA / "orcid/api/error-404.json").read_bytes(), "application/json")
        return _send(handler, 200, json.dumps(record).encode(), "application/orcid+json;charset=UTF-8")


def _problem(query: dict[str, str]) -> str:
    """Return why ORCID would not even ask the person, or an empty text."""
    if query.get("client_id") != CLIENT_ID:
        return "client_id is not known"
    if query.get("response_type") != "code" or query.get("scope") != "/authenticate":
        return "response_type or scope is wrong"
    if not query.get("redirect_uri", "").endswith("/accounts/orcid/login/callback/") or not query.get(
        "state"
    ):
        return "redirect_uri or state is missing"
    return ""


def _proven(granted: dict[str, str], form: dict[str, str]) -> bool:
    """Return whether the verifier belongs to the challenge with which the flow began, if it began with one."""
    if "code_challenge" not in granted:
        return True
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    return granted["code_challenge"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _send(
    handler: BaseHTTPRequestHandler,
    status: int,
    body: bytes,
    content_type: str,
    headers: dict[str, str] | None = None,
) -> None:
    with suppress(OSError):  # who asked hung up, which some tests are about
        handler.send_response(status)
        handler.send_header("Content-Type", content_type)
        handler.send_header("Content-Length", str(len(body)))
        for key, value in (headers or {}).items():
            handler.send_header(key, value)
        handler.end_headers()
        handler.wfile.write(body)
