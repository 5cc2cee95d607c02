"""Join and divide researchers and works: look first, then do it or propose it; take it back at any time."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from profiles import access, regroup_pages
from profiles.access import MemberRequest
from profiles.exceptions import ProfilesError
from profiles.models import By, Proposal
from profiles.regroup_forms import AnswerForm, SplitForm, UndoForm, WhyForm
from profiles.services import regrouping
from works.models import Author, Work

DONE = "Done. It can be taken back at any time, from the history."
PROPOSED = "Proposed. A moderator looks at it, and you are told what they decide."


@require_http_methods(["GET", "POST"])
@access.member_required
def merge_author(request: MemberRequest, pid: str) -> HttpResponse:
    """Search for the other page, look at both side by side, join them."""
    author = access.regroupable_author(request.user, pid)
    text = request.GET.get("q", "").strip()[:300]
    context: dict[str, Any] = {"author": author, "q": text}
    named = request.POST.get("other") or request.GET.get("other", "")
    other = _other(named)
    if other is None:
        context["found"] = regroup_pages.find_authors(text, but=author) if text else None
        return render(request, "profiles/regrouping/merge.html", context)
    sides = regroup_pages.merge_sides(author, other)
    form = WhyForm(_posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            if not request.user.is_moderator:
                return _propose(request, Proposal.Kind.MERGE, form, other=other)
            change = regrouping.merge(
                author=sides.stands.author, other=sides.ends.author, actor=request.user, reason=form.cleaned_data["reason"]
            )  # fmt: skip
        except ProfilesError as refusal:
            form.add_error(None, refusal.message)
        else:
            return _done(request, change.author)
    context |= {"other": other, "sides": sides, "form": form}
    return render(request, "profiles/regrouping/merge.html", context)


@require_http_methods(["GET", "POST"])
@access.member_required
def split_author(request: MemberRequest, pid: str) -> HttpResponse:
    """Tick works, look at what goes and what stays, divide the page. The first step writes nothing."""
    author = access.regroupable_author(request.user, pid)
    groups = regroup_pages.works_in_groups(author)
    works = [work for group in groups for work in group.works]
    moderator = request.user.is_moderator
    form = SplitForm(_posted(request), works=works, may_take_person=moderator and author.claimed)
    context: dict[str, Any] = {"author": author, "groups": groups, "form": form}
    if request.method == "POST":
        chosen = form.chosen()
        context |= {"ticked": {work.pid for work in chosen}}
        if "look" in request.POST:
            name = request.POST.get("name", "").strip() or regroup_pages.likely_name(author, chosen)
            form = SplitForm(
                initial={**request.POST.dict(), "name": name},
                works=works,
                may_take_person=moderator and author.claimed,
            )
            context |= {"form": form, "looking": bool(chosen), "nothing": not chosen}
        elif form.is_valid():
            try:
                if not moderator:
                    data = {"works": [work.pid for work in chosen], "name": form.cleaned_data["name"]}
                    return _propose(request, Proposal.Kind.SPLIT, form, data=data)
                change = regrouping.split(
                    author=author, works=chosen, name=form.cleaned_data["name"], actor=request.user,
                    reason=form.cleaned_data["reason"], person_goes=form.cleaned_data.get("person_goes", False),
                )  # fmt: skip
            except ProfilesError as refusal:
                form.add_error(None, refusal.message)
            else:
                return _done(request, change.other)
        context["looking"] = context.get("looking", bool(chosen))
        context |= {"going": [work for work in works if work.pid in context["ticked"]]}
        context["staying"] = len(works) - len(context["going"])
    return render(request, "profiles/regrouping/split.html", context)


@require_http_methods(["GET", "POST"])
@access.member_required
def merge_work(request: MemberRequest, pid: str) -> HttpResponse:
    """Search for the other work, look at both, join them."""
    work = access.regroupable_work(request.user, pid)
    text = request.GET.get("q", "").strip()[:300]
    context: dict[str, Any] = {"work": work, "q": text}
    named = request.POST.get("other") or request.GET.get("other", "")
    other = access.public_work(named) if _is_pid(named) else None
    if other is None or other.pk == work.pk:
        context["found"] = regroup_pages.find_works(text, but=work) if text else None
        return render(request, "profiles/regrouping/merge_work.html", context)
    form = WhyForm(_posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            if not request.user.is_moderator:
                return _propose(
                    request, Proposal.Kind.WORKS_MERGE, form, data={"work": work.pid, "other": other.pid}
                )
            regrouping.merge_works(
                work=work, other=other, actor=request.user, reason=form.cleaned_data["reason"]
            )
        except ProfilesError as refusal:
            form.add_error(None, refusal.message)
        else:
            return _done(request, work)
    context |= {
        "other": other, "one": regroup_pages.work_side(work), "two": regroup_pages.work_side(other),
        "against": regroup_pages.warnings_of_works(work, other), "form": form,
    }  # fmt: skip
    return render(request, "profiles/regrouping/merge_work.html", context)


@require_http_methods(["GET", "POST"])
@access.member_required
def split_work(request: MemberRequest, pid: str) -> HttpResponse:
    """Tick the records that are of another work."""
    work = access.regroupable_work(request.user, pid)
    side = regroup_pages.work_side(work)
    form = WhyForm(_posted(request))
    keys = [row.key for row in side.records]  # type: ignore[attr-defined]
    ticked = [key for key in request.POST.getlist("records")[:500] if key in keys]
    if request.method == "POST" and form.is_valid():
        try:
            if not request.user.is_moderator:
                return _propose(
                    request, Proposal.Kind.WORK_SPLIT, form, data={"work": work.pid, "records": ticked}
                )
            records = regrouping.records_named(work, ticked)
            regrouping.split_work(
                work=work, records=records, actor=request.user, reason=form.cleaned_data["reason"]
            )
        except ProfilesError as refusal:
            form.add_error(None, refusal.message)
        else:
            return _done(request, work)
    context = {"work": work, "one": side, "form": form, "ticked": ticked}
    return render(request, "profiles/regrouping/split_work.html", context)


# --- Proposals ------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@access.moderator_required
def proposal(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Look at what an owner proposes, and decide."""
    found = access.on_desk(access.desk_proposals().exclude(kind=Proposal.Kind.REVOKE), pk)
    form = AnswerForm(_posted(request))
    if request.method == "POST" and form.is_valid():
        answer = form.cleaned_data["answer"]
        try:
            if "accept" in request.POST:
                regrouping.accept(proposal=found, actor=request.user, answer=answer)
            else:
                regrouping.decline(proposal=found, actor=request.user, answer=answer)
        except ProfilesError as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, "Decided. The person who proposed it is told.")
            return redirect("profiles:proposal", pk)
    context = {"proposal": found, "form": form, **regroup_pages.proposed(found)}
    return render(request, "profiles/regrouping/proposal.html", context)


@require_GET
@access.member_required
def proposal_list(request: MemberRequest) -> HttpResponse:
    return render(
        request, "profiles/regrouping/proposals.html", {"proposals": access.own_proposals(request.user)[:100]}
    )


@require_GET
@access.member_required
def own_proposal(request: MemberRequest, pk: UUID) -> HttpResponse:
    found = access.own_proposal(request.user, pk)
    change = found.change
    may = bool(
        change and not hasattr(change, "undone_by") and regrouping.may_undo(user=request.user, change=change)
    )
    context = {"proposal": found, "may_undo": may, **regroup_pages.proposed(found)}
    return render(request, "profiles/regrouping/own_proposal.html", context)


@require_POST
@access.member_required
def withdraw_proposal(request: MemberRequest, pk: UUID) -> HttpResponse:
    try:
        regrouping.withdraw(proposal=access.own_proposal(request.user, pk), user=request.user)
    except ProfilesError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, "Withdrawn.")
    return redirect("profiles:own_proposal", pk)


# --- Taking it back -------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@access.member_required
def undo(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Ask, then take back what joined or divided records, or its taking back."""
    change = access.regrouped_change(pk)
    if not regrouping.may_undo(user=request.user, change=change):
        raise Http404("Nothing here.")
    form = UndoForm(_posted(request))
    done = getattr(change, "undone_by", None)
    if request.method == "POST" and form.is_valid():
        by = By.MODERATOR if request.user.is_moderator else By.OWNER
        try:
            made = regrouping.undo_change(
                change=change, actor=request.user, by=by, reason=form.cleaned_data["reason"]
            )
        except ProfilesError as refusal:
            form.add_error(None, refusal.message)
        else:
            stayed = len(made.after.get("stayed", []))
            text = (
                "Taken back."
                if not stayed
                else f"Taken back, but for {stayed} works: somebody stands there by now."
            )
            messages.success(request, text)
            return redirect("profiles:undo_change", made.pk)
    context = {"change": change, "form": form, "done": done, "works": _works_of(change.work_pid)}
    return render(request, "profiles/regrouping/undo.html", context)


def _posted(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _works_of(pid: str) -> Work | None:
    return Work.objects.defer("search").filter(pid=pid).first() if pid else None


def _is_pid(text: str) -> bool:
    return bool(text) and len(text) <= 12 and text.isascii() and text.isalnum()


def _other(pid: str) -> Author | None:
    return access.public_author(pid) if _is_pid(pid) else None


def _propose(request: MemberRequest, kind: Proposal.Kind, form: WhyForm, **what: Any) -> HttpResponse:
    made = regrouping.propose(user=request.user, kind=kind, reason=form.cleaned_data["reason"], **what)
    messages.success(request, PROPOSED)
    return redirect("profiles:own_proposal", made.pk)


def _done(request: HttpRequest, record: Author | Work | None) -> HttpResponse:
    messages.success(request, DONE)
    return redirect(record) if record else redirect("profiles:moderation")
