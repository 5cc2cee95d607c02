"""Correct or hide a record: for everybody, with no account."""

import re

from allauth.account.adapter import get_adapter
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from profiles import access
from profiles.exceptions import CurationError, TooMany
from profiles.forms import CurationForm
from profiles.models import CurationRequest
from profiles.services import curation
from works.models import Author, Work

_PAGE = re.compile(r"/(researchers|works)/([0-9a-zA-Z]{1,12})(?:/|$)")


@require_GET
@access.private
def find_record(request: HttpRequest) -> HttpResponse:
    """Ask which page a request is about: by its address, or by search."""
    address = request.GET.get("page", "").strip()
    if found := _PAGE.search(address):
        kind, pid = found.groups()
        return redirect("profiles:correct_author" if kind == "researchers" else "profiles:correct_work", pid)
    return render(request, "profiles/correct_find.html", {"address": address})


@require_http_methods(["GET", "POST"])
@access.private
def correct_author(request: HttpRequest, pid: str) -> HttpResponse:
    return _correct(request, access.public_author(pid))


@require_http_methods(["GET", "POST"])
@access.private
def correct_work(request: HttpRequest, pid: str) -> HttpResponse:
    return _correct(request, access.public_work(pid))


def _correct(request: HttpRequest, record: Author | Work) -> HttpResponse:
    kind = request.GET.get("kind", CurationRequest.Kind.CORRECTION)
    person = isinstance(record, Author)
    form = CurationForm(request.POST or None, initial={"kind": kind}, about_a_person=person)
    if request.method == "POST" and form.is_valid():
        address = get_adapter().get_client_ip(request)
        try:
            curation.request_curation(record=record, network_address=address, **form.cleaned_data)
        except TooMany as refusal:
            form.add_error(None, str(refusal))
        else:
            context = {"record": record, "email": form.cleaned_data["email"]}
            return render(request, "profiles/correct_sent.html", context)
    context = {"record": record, "form": form}
    if access.may_regroup(request.user, record):
        kind = "author" if person else "work"
        context |= {
            "merge_address": reverse(f"profiles:merge_{kind}", args=[record.pid]),
            "split_address": reverse(f"profiles:split_{kind}", args=[record.pid]),
        }
    return render(request, "profiles/correct.html", context)


@require_http_methods(["GET", "POST"])
@access.private
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The link from the mail: GET shows a button, POST confirms."""
    try:
        found = curation.find_request(token)
    except CurationError as refusal:
        return render(request, "profiles/correct_confirm.html", {"refusal": str(refusal)})
    if request.method == "POST":
        found = curation.confirm_request(request=found)
    return render(request, "profiles/correct_confirm.html", {"curation": found, "token": token})


@require_POST
@access.private
def withdraw(request: HttpRequest, token: str) -> HttpResponse:
    """Take a request back, by its link from the mail."""
    try:
        found = curation.find_request(token)
        curation.withdraw_request(request=found)
    except CurationError as refusal:
        return render(request, "profiles/correct_confirm.html", {"refusal": str(refusal)})
    return render(request, "profiles/correct_confirm.html", {"curation": found, "taken_back": True})
