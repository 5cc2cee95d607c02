"""A co-author is asked whether somebody is who they say; and the files that moderators read."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_http_methods

from profiles import access
from profiles.access import MemberRequest
from profiles.claim_forms import AnswerForm
from profiles.claim_pages import shared_works
from profiles.exceptions import ProfilesError
from profiles.services import claims
from profiles.services.notifications import mark_page_read


@require_http_methods(["GET", "POST"])
@access.member_required
def confirmation(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Confirm, deny with a note, or say nothing; an answer is final."""
    found = access.confirmation(request.user, pk)
    form = AnswerForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            claims.answer_confirmation(
                confirmation=found,
                user=request.user,
                confirmed=form.cleaned_data["answer"] == "confirm",
                note=form.cleaned_data["note"],
            )
        except ProfilesError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, "Thank you. Your answer is kept.")
        return redirect("profiles:confirmation", pk)
    mark_page_read(user=request.user, url=request.path)
    context = {
        "confirmation": found,
        "claim": found.claim,
        "open": claims.is_open_confirmation(found),
        "works": shared_works(found.author, found.claim.author),
        "form": form,
    }
    return render(request, "profiles/claims/confirmation.html", context)


@require_GET
@access.moderator_required
def attachment(request: MemberRequest, claim_pk: UUID, pk: UUID) -> HttpResponse:
    """A file with a claim, for moderators alone: to be kept, never to be shown within this site."""
    found = access.desk_attachment(request.user, claim_pk, pk)
    return HttpResponse(
        bytes(found.content),
        content_type=found.content_type,
        headers={
            "Content-Disposition": content_disposition_header(True, found.name),
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
        },
    )
