"""A member's own page and settings."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from profiles import access
from profiles.access import MemberRequest
from profiles.forms import SettingsForm
from profiles.services import accounts


@require_http_methods(["GET", "POST"])
@access.member_required
def account_settings(request: MemberRequest) -> HttpResponse:
    form = SettingsForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        accounts.rename(user=request.user, display_name=form.cleaned_data["display_name"])
        messages.success(request, "Your name is saved.")
        return redirect("profiles:settings")
    return render(request, "profiles/settings.html", {"form": form})
