"""A member's own page, settings, data and way out."""

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from profiles import access
from profiles.access import MemberRequest
from profiles.exceptions import AccountError, ClaimError
from profiles.forms import DeleteAccountForm, ResearcherForm, SettingsForm
from profiles.services import accounts, claims, my_data, pages


@require_http_methods(["GET", "POST"])
@access.member_required
def profile(request: MemberRequest) -> HttpResponse:
    """What a researcher says on the page they hold; without one, how to get one."""
    researcher = access.researcher(request.user)
    if researcher is None:
        return render(request, "profiles/profile_none.html")
    form = ResearcherForm(request.POST or None, instance=researcher)
    if request.method == "POST" and form.is_valid():
        try:
            pages.update_researcher(researcher=researcher, **form.cleaned_data)
        except ClaimError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Your page is saved.")
            return redirect("profiles:profile")
    context = {"form": form, "researcher": researcher, "read_only": claims.is_read_only(request.user)}
    return render(request, "profiles/profile.html", context)


@require_http_methods(["GET", "POST"])
@access.member_required
def account_settings(request: MemberRequest) -> HttpResponse:
    form = SettingsForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        accounts.rename(user=request.user, display_name=form.cleaned_data["display_name"])
        messages.success(request, "Your name is saved.")
        return redirect("profiles:settings")
    return render(request, "profiles/settings.html", {"form": form})


@require_GET
@access.member_required
def export(request: MemberRequest) -> HttpResponse:
    """Everything this site holds about a member, as one file."""
    name = f"bzpeer-{timezone.localdate().isoformat()}.json"
    return JsonResponse(
        my_data.export(request.user),
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
        json_dumps_params={"indent": 2, "ensure_ascii": False},
    )


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@access.member_required
def delete(request: MemberRequest) -> HttpResponse:
    form = DeleteAccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            my_data.delete_account(user=request.user, password=form.cleaned_data["password"])
        except AccountError as refusal:
            form.add_error("password", str(refusal))
        else:
            logout(request)
            return render(request, "profiles/deleted.html")
    return render(request, "profiles/delete.html", {"form": form})
