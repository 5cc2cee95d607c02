"""The moderators' desk: what waits, and each kind of decision. To everybody else these pages do not exist."""

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from bzpeer.lib.pagination import page_of
from profiles import access
from profiles.access import MemberRequest
from profiles.exceptions import ProfilesError
from profiles.forms_desk import DecisionForm
from profiles.models import Assertion, Claim, CurationRequest, Report, Representative
from profiles.services import claims, conversations, curation
from profiles.services.moderation import answers, desk, queues, revocation
from profiles.services.moderation.signals import MAIL_CLASSES, signal_words
from profiles.services.representatives import assertions
from profiles.services.representatives import requests as representing

PER_PAGE = 30


@require_GET
@access.moderator_required
def overview(request: MemberRequest) -> HttpResponse:
    return render(request, "profiles/moderation/overview.html", {"summaries": queues.overview()})


@require_GET
@access.moderator_required
def queue(request: MemberRequest, key: str) -> HttpResponse:
    """One queue, in the order and with the filters that the address says."""
    found = queues.QUEUES.get(key)
    if found is None:
        raise Http404("No such queue.")
    asked = {name: request.GET.get(name, "") for name in ("sort", "q", "kind", "mail", "show")}
    sort = asked["sort"] if asked["sort"] in found.sorts else found.sorts[0]
    decided = asked["show"] == "decided" and not found.of_claims
    rows = queues.rows_of(
        found, sort=sort, text=asked["q"], kind=asked["kind"], mail=asked["mail"], decided=decided
    )
    page = page_of(rows, request.GET.get("page"), per_page=PER_PAGE)
    if found.of_claims:
        for row in page:
            row.words = signal_words(row.signals)
    context = {
        "queue": found,
        "page": page,
        "sort": sort,
        "sorts": [(name, queues.SORTS[name]) for name in found.sorts],
        "text": asked["q"],
        "kind": asked["kind"],
        "mail": asked["mail"],
        "mail_classes": MAIL_CLASSES.items() if found.of_claims else (),
        "decided": decided,
        "filtered": bool(asked["q"] or asked["kind"] or asked["mail"]),
    }
    return render(request, "profiles/moderation/queue.html", context)


# --- Claims ---------------------------------------------------------------------------------------------


@require_GET
@access.moderator_required
def claim(request: MemberRequest, pk: UUID) -> HttpResponse:
    found = access.on_desk(access.desk_claims(), pk)
    reason = answers.filled(request.GET.get("answer", ""), found)
    return _claim_page(request, found, DecisionForm(initial={"reason": reason}))


def _claim_page(request: MemberRequest, claim: Claim, form: DecisionForm) -> HttpResponse:
    sides = desk.sides_of(claim)
    proposal = revocation.open_proposal(claim)
    queue = queues.queue_of(claim)
    context = {
        "claim": claim,
        "form": form,
        "sides": sides,
        "routes": desk.compare(sides),
        "attachments": claim.attachments.defer("content"),
        "confirmations": claim.confirmations.select_related("asked", "author"),
        "steps": desk.steps_of(claim),
        "proposal": proposal,
        "decisions": desk.open_decisions(claim, request.user, proposal),
        "why_not": desk.why_not(claim, request.user),
        "answers": answers.ready_answers(),
        "queue": queue,
        "next": queues.next_in(queue, claim),
        **desk.record_of(claim),
    }
    return render(request, "profiles/moderation/claim.html", context)


@require_POST
@access.moderator_required
def decide_claim(request: MemberRequest, pk: UUID) -> HttpResponse:
    found = access.on_desk(access.desk_claims(), pk)
    form = DecisionForm(request.POST)
    if form.is_valid():
        try:
            decision = desk.decide_claim(
                claim=found,
                actor=request.user,
                name=request.POST.get("decision", ""),
                reason=form.cleaned_data["reason"],
            )
        except ProfilesError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{found.author}: {decision.done}")
            return redirect("profiles:moderation_claim", found.pk)
    return _claim_page(request, access.on_desk(access.desk_claims(), pk), form)


@require_POST
@access.moderator_required
def look_again(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Gather the evidence of a claim anew."""
    found = access.on_desk(access.desk_claims(), pk)
    try:
        claims.look_again(claim=found)
    except ProfilesError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "The evidence was looked at again; what was found stands below.")
    return redirect("profiles:moderation_claim", found.pk)


# --- Requests, reports, representatives: one page each, decided by a button and a reason ------------------


class Choice(NamedTuple):
    """A decision about a row; run(row, actor, reason)."""

    label: str
    run: Callable[[Any, Any, str], object]
    needs_reason: bool = True


def _decide(
    request: MemberRequest,
    row: Any,
    choices: dict[str, Choice],
    page: Callable[[DecisionForm], HttpResponse],
    back: str,
) -> HttpResponse:
    form = DecisionForm(request.POST)
    choice = choices.get(request.POST.get("decision", ""))
    if choice is None:
        form.add_error(None, "Choose a decision; somebody else may have decided this meanwhile.")
    elif form.is_valid():
        reason = form.cleaned_data["reason"]
        if choice.needs_reason and not reason:
            form.add_error("reason", "Write this first.")
        else:
            try:
                choice.run(row, request.user, reason)
            except ProfilesError as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, f"{choice.label}: done.")
                return redirect(back, row.pk)
    return page(form)


def _request_choices(row: CurationRequest) -> dict[str, Choice]:
    def answer(done: bool) -> Callable[[Any, Any, str], object]:
        return lambda row, actor, reason: curation.decide_request(
            request=row, actor=actor, done=done, answer=reason
        )

    def hide(row: CurationRequest, actor: Any, reason: str) -> object:
        return curation.hide_author(request=row, actor=actor, answer=reason)

    if row.state == CurationRequest.State.OPEN:
        hiding = {"hide": Choice("Hide this page", hide)} if row.author_id else {}
        revoking = (
            {"revoke": Choice("Revoke what institutions assert", _revoke_asserted)} if _asserted(row) else {}
        )
        return {
            "done": Choice("Done", answer(True)),
            **revoking,
            **hiding,
            "decline": Choice("Decline", answer(False)),
        }
    if row.author and row.author.suppressed:
        return {"show": Choice("Show the page again", _show_author, needs_reason=False)}
    return {}


def _asserted(row: CurationRequest) -> list[Assertion]:
    author = row.author and (row.author.merged_into or row.author)
    return list(assertions.standing_about(author)) if author else []


def _revoke_asserted(row: CurationRequest, actor: Any, reason: str) -> object:
    return assertions.uphold_objection(request=row, actor=actor, answer=reason)


def _show_author(row: CurationRequest, actor: Any, reason: str) -> object:
    assert row.author is not None  # noqa: S101 - offered for pages of researchers alone
    return curation.show_author(author=row.author, actor=actor, reason=reason)


@require_GET
@access.moderator_required
def curation_request(request: MemberRequest, pk: UUID) -> HttpResponse:
    return _request_page(request, access.on_desk(access.desk_requests(), pk), DecisionForm())


@require_POST
@access.moderator_required
def decide_request(request: MemberRequest, pk: UUID) -> HttpResponse:
    row = access.on_desk(access.desk_requests(), pk)
    again = access.on_desk(access.desk_requests(), pk)
    return _decide(
        request,
        row,
        _request_choices(row),
        lambda form: _request_page(request, again, form),
        "profiles:moderation_request",
    )


def _request_page(request: MemberRequest, row: CurationRequest, form: DecisionForm) -> HttpResponse:
    form.fields["reason"].label = "Your answer; it is mailed to the person who asked"
    context = {
        "row": row,
        "form": form,
        "choices": _request_choices(row),
        "asserted": _asserted(row),
        "queue": queues.QUEUES["requests"],
    }
    return render(request, "profiles/moderation/request.html", context)


def _report_choices(row: Report) -> dict[str, Choice]:
    if row.state != Report.State.OPEN:
        return {}
    return {
        "close": Choice(
            "Close the report",
            lambda row, actor, reason: conversations.close_report(report=row, actor=actor, answer=reason),
        ),
        "suspend": Choice(
            "Close the other person's account",
            lambda row, actor, reason: conversations.suspend_reported(report=row, actor=actor, answer=reason),
        ),
    }


@require_GET
@access.moderator_required
def report(request: MemberRequest, pk: UUID) -> HttpResponse:
    """A reported conversation, up to the report and no further."""
    return _report_page(request, access.on_desk(access.desk_reports(), pk), DecisionForm())


@require_POST
@access.moderator_required
def decide_report(request: MemberRequest, pk: UUID) -> HttpResponse:
    row = access.on_desk(access.desk_reports(), pk)
    return _decide(
        request,
        row,
        _report_choices(row),
        lambda form: _report_page(request, row, form),
        "profiles:moderation_report",
    )


def _report_page(request: MemberRequest, row: Report, form: DecisionForm) -> HttpResponse:
    form.fields["reason"].label = "What was done and why; only moderators read it"
    context = {
        "row": row,
        "form": form,
        "choices": _report_choices(row),
        "reported": conversations.reported_messages(row),
        "people": conversations.reported_people(row),
        "queue": queues.QUEUES["reports"],
    }
    return render(request, "profiles/moderation/report.html", context)


def _representative_choices(row: Representative) -> dict[str, Choice]:
    def end(revoke: bool) -> Callable[[Any, Any, str], object]:
        return lambda row, actor, reason: representing.end_representative(
            representative=row, actor=actor, answer=reason, revoke_assertions=revoke
        )

    if row.state == Representative.State.REQUESTED:
        return {
            "accept": Choice(
                "Accept",
                lambda row, actor, reason: representing.accept_representative(
                    representative=row, actor=actor, answer=reason
                ),
                needs_reason=False,
            ),
            "decline": Choice(
                "Decline",
                lambda row, actor, reason: representing.decline_representative(
                    representative=row, actor=actor, answer=reason
                ),
            ),
        }
    if row.state == Representative.State.APPROVED:
        return {
            "end": Choice("End it, keep what they asserted", end(False)),
            "end_all": Choice("End it and revoke what they asserted", end(True)),
        }
    return {}


@require_GET
@access.moderator_required
def representative(request: MemberRequest, pk: UUID) -> HttpResponse:
    return _representative_page(request, access.on_desk(access.desk_representatives(), pk), DecisionForm())


@require_POST
@access.moderator_required
def decide_representative(request: MemberRequest, pk: UUID) -> HttpResponse:
    row = access.on_desk(access.desk_representatives(), pk)
    return _decide(
        request,
        row,
        _representative_choices(row),
        lambda form: _representative_page(request, row, form),
        "profiles:moderation_representative",
    )


def _representative_page(request: MemberRequest, row: Representative, form: DecisionForm) -> HttpResponse:
    form.fields["reason"].label = "Reason; the member reads it"
    others = access.desk_representatives().filter(institution=row.institution_id).exclude(pk=row.pk)
    context = {
        "row": row,
        "form": form,
        "choices": {} if row.user_id == request.user.pk else _representative_choices(row),
        "is_own": row.user_id == request.user.pk,
        "trouble": representing.why_unfit(row),
        "others": others.order_by("-created_at")[:20],
        "asserted": row.assertions.filter(revoked_at=None).count(),
        "queue": queues.QUEUES["representatives"],
    }
    return render(request, "profiles/moderation/representative.html", context)


def desk_address(row: Any) -> str:
    """Return where a row of any queue is decided."""
    names = {Claim: "claim", CurationRequest: "request", Report: "report", Representative: "representative"}
    return reverse(f"profiles:moderation_{names[type(row)]}", args=[row.pk])
