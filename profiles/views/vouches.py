"""Vouching for researchers: public pages, one's own list, and the moderators' pages."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bzpeer.lib.errors import gone, not_found
from bzpeer.lib.pagination import page_of
from bzpeer.lib.public import canonical_redirect, public_page
from bzpeer.lib.text import slug_of
from profiles import access
from profiles.access import MemberRequest
from profiles.exceptions import ProfilesError, VouchError
from profiles.models import By, Vouch
from profiles.services import vouches
from profiles.services.notifications import mark_page_read
from profiles.vouch_forms import ReasonForm, SeedForm, VouchForm
from trust.models import VouchSeed
from works.models import Author
from works.queries import record_by_pid

PER_PAGE = 50


# --- For everybody --------------------------------------------------------------------------------------


@public_page
def author_vouches(request: HttpRequest, pid: str, slug: str = "") -> HttpResponse:
    """Who vouches for a researcher, and for whom they vouch; the same bytes for every reader."""
    author = record_by_pid(Author.objects.defer("search"), pid)
    if author is None:
        return not_found(request)
    if author.suppressed:
        return gone(request)
    address = reverse("profiles:author_vouches", args=[author.pid, slug_of(author.display_name)])
    if elsewhere := canonical_redirect(request, address):
        return elsewhere
    page = page_of(vouches.received(author), request.GET.get("page"), per_page=PER_PAGE)
    context = {
        "author": author,
        "address": address,
        "trust_address": reverse("trust:author_trust", args=[author.pid, slug_of(author.display_name)]),
        "page": page,
        "received": vouches.shown(page),
        "given": vouches.shown(vouches.given(author)[:PER_PAGE]),
    }
    return render(request, "profiles/vouches/author.html", context)


# --- For members ----------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@access.member_required
def vouch_for(request: MemberRequest, pid: str) -> HttpResponse:
    """GET asks how they know each other; the first POST shows what will be public, the second one says it."""
    author = access.public_author(pid)
    context: dict[str, object] = {"author": author, "per_year": vouches.PER_YEAR}
    try:
        context["mine"] = vouches.check_can_vouch(user=request.user, author=author)
    except VouchError as refusal:
        context["refusal"] = str(refusal)
        return render(request, "profiles/vouches/vouch_for.html", context)
    form = VouchForm(request.POST if request.method == "POST" else None)
    context["form"] = form
    if request.method == "POST" and form.is_valid():
        statement = form.cleaned_data["statement"]
        if request.POST.get("step") == "confirm":
            try:
                vouches.vouch_for(user=request.user, author=author, statement=statement)
            except ProfilesError as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, f"You vouch for {author}. They are told.")
                return redirect("profiles:vouches")
        elif request.POST.get("step") != "change":
            context["statement"] = statement
    return render(request, "profiles/vouches/vouch_for.html", context)


@require_GET
@access.member_required
def vouch_list(request: MemberRequest) -> HttpResponse:
    """For whom a member vouches, and who vouches for them."""
    given = page_of(
        vouches.for_page(access.vouches_given(request.user)), request.GET.get("page"), per_page=PER_PAGE
    )
    received = vouches.for_page(access.vouches_received(request.user).filter(revoked_at=None))
    context = {
        "page": given,
        "given": vouches.shown(given),
        "received": vouches.shown(received[:PER_PAGE]),
    }
    return render(request, "profiles/vouches/list.html", context)


@require_GET
@access.member_required
def vouch(request: MemberRequest, pk: UUID) -> HttpResponse:
    """One vouch, for whoever gave it and whoever it is for, and how to end it."""
    found = access.vouch(request.user, pk)
    mark_page_read(user=request.user, url=request.path)
    [row] = vouches.shown(vouches.for_page(Vouch.objects.filter(pk=found.pk)))
    context = {"row": row, "vouch": row.vouch, "is_mine": found.user_id == request.user.pk}
    return render(request, "profiles/vouches/vouch.html", context)


@require_POST
@access.member_required
def end(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Take back a vouch that one gave, or have one removed that one does not want."""
    found = access.vouch(request.user, pk)
    vouches.end_vouch(vouch=found, actor=request.user, by=By.OWNER)
    mine = found.user_id == request.user.pk
    messages.success(request, "You took it back." if mine else "It is removed. Nobody is told.")
    return redirect("profiles:vouches")


# --- For moderators -------------------------------------------------------------------------------------


@require_GET
@access.moderator_required
def moderation_vouches(request: MemberRequest) -> HttpResponse:
    return _vouches_page(request)


def _vouches_page(request: MemberRequest, reason: ReasonForm | None = None) -> HttpResponse:
    page = page_of(vouches.for_page(access.desk_vouches()), request.GET.get("page"), per_page=PER_PAGE)
    context = {"page": page, "rows": vouches.shown(page), "form": reason}
    return render(request, "profiles/vouches/moderation.html", context)


@require_POST
@access.moderator_required
def moderation_vouch_revoke(request: MemberRequest, pk: UUID) -> HttpResponse:
    found = access.on_desk(access.desk_vouches(), pk)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _vouches_page(request, form)
    vouches.end_vouch(vouch=found, actor=request.user, by=By.MODERATOR, reason=form.cleaned_data["reason"])
    messages.success(request, "The vouch is revoked.")
    return redirect("profiles:moderation_vouches")


@require_http_methods(["GET", "POST"])
@access.moderator_required
def moderation_seeds(request: MemberRequest) -> HttpResponse:
    """Where the flow that vouches carry begins; a POST adds one."""
    form = SeedForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            author = access.public_author(form.cleaned_data["researcher"])
            vouches.add_seed(author=author, actor=request.user, reason=form.cleaned_data["reason"])
        except Http404:
            form.add_error("researcher", "There is no such researcher here.")
        except ProfilesError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"Flow begins at {author} from the next nightly run on.")
            return redirect("profiles:moderation_seeds")
    return render(request, "profiles/vouches/seeds.html", {"form": form, "seeds": vouches.seeds()})


@require_POST
@access.moderator_required
def moderation_seed_end(request: MemberRequest, pk: int) -> HttpResponse:
    seed: VouchSeed = access.on_desk(vouches.seeds(), pk)
    form = ReasonForm(request.POST)
    try:
        reason = form.cleaned_data["reason"] if form.is_valid() else ""
        vouches.end_seed(seed=seed, actor=request.user, reason=reason)
    except ProfilesError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"Flow begins at {seed.author} no more.")
    return redirect("profiles:moderation_seeds")
