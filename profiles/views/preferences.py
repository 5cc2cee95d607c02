"""What a member is told of by mail, when, and where their private feed lies; the links that stop a mail."""

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from profiles import access
from profiles.access import MemberRequest
from profiles.exceptions import PreferenceError
from profiles.models import MailChoice
from profiles.preference_forms import PreferencesForm
from profiles.services import accounts, mail_events, preferences


@require_http_methods(["GET", "POST"])
@access.member_required
def notification_settings(request: MemberRequest) -> HttpResponse:
    row = access.preferences(request.user)
    initial: dict[str, object] = {
        f"mail_{kind}": often for kind, often in preferences.choices_of(request.user).items()
    }
    if row:
        initial |= {"time_zone": row.time_zone, "quiet_from": row.quiet_from, "quiet_until": row.quiet_until}
    form = PreferencesForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            preferences.save_choices(user=request.user, **form.choices())
        except PreferenceError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Your choices are saved.")
            return redirect("profiles:preferences")
    address = accounts.mail_address(request.user)
    token = row.feed_token if row else None
    context = {
        "form": form,
        "address": address,
        "trouble": preferences.trouble_of(address) if address else None,
        "feed_address": settings.PUBLIC_URL + reverse("profiles:feed_atom", args=[token]) if token else "",
    }
    return render(request, "profiles/preferences.html", context)


@require_POST
@access.member_required
def feed_address(request: MemberRequest) -> HttpResponse:
    """Give the private feed a new address, or none."""
    if request.POST.get("step") == "revoke":
        preferences.revoke_feed_token(user=request.user)
        messages.success(request, "The address of your feed is gone: whoever had it reads nothing more.")
    else:
        preferences.renew_feed_token(user=request.user)
        messages.success(request, "Your feed has a new address. An older one does not work any more.")
    return redirect("profiles:preferences")


@require_POST
@access.member_required
def address_again(request: MemberRequest) -> HttpResponse:
    """Send the link that shows that mail arrives; asked for by whoever is logged in, to their confirmed address."""
    if mail_events.ask_again(user=request.user):
        messages.success(
            request, "A mail with a link is on its way. Open the link and mail goes there again."
        )
    return redirect("profiles:preferences")


@require_http_methods(["GET", "POST"])
@access.private
def mail_again(request: HttpRequest, token: str) -> HttpResponse:
    address = preferences.read_again(token)
    if address is None:
        raise Http404("This link is not valid any more.")
    if request.method == "POST":
        preferences.forget_trouble(address=address)
    return render(
        request, "profiles/preferences_again.html", {"address": address, "done": request.method == "POST"}
    )


@csrf_exempt  # RFC 8058: a mail program posts here by itself; the signed address is the permission
@require_http_methods(["GET", "POST"])
@access.private
def mail_stop(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, POST stops the mails of one kind, without log-in."""
    found = preferences.read_stop(token)
    if found is None:
        raise Http404("This link is not complete.")
    user, kind = found
    if request.method == "POST":
        preferences.stop(user=user, kind=kind)
    label = "what comes daily or weekly" if kind == preferences.DIGEST else MailChoice.Kind(kind).label
    context = {"label": label, "done": request.method == "POST"}
    return render(request, "profiles/preferences_stop.html", context)


@csrf_exempt  # signed by the provider's secret
@require_POST
def mail_trouble(request: HttpRequest) -> HttpResponse:
    """Take in bounces and complaints: services/mail_events.py says how they are signed and written."""
    try:
        events = mail_events.read(
            body=request.body,
            timestamp=request.headers.get("X-Timestamp", ""),
            signature=request.headers.get("X-Signature", ""),
        )
    except mail_events.NotSigned as refusal:
        return JsonResponse({"error": str(refusal)}, status=403)
    except PreferenceError as refusal:
        return JsonResponse({"error": str(refusal)}, status=400)
    return JsonResponse({"received": len(events), "known": preferences.record_troubles(events=events)})
