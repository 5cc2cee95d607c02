"""How a member logs in and who else might: one page for all of it, and the confirmation of addresses."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import EmailAddress, Login
from allauth.account.utils import get_next_redirect_url
from allauth.account.views import ConfirmEmailView
from allauth.mfa.models import Authenticator
from allauth.usersessions.internal.flows.sessions import end_sessions
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from profiles import access
from profiles.access import MemberRequest
from profiles.accounts import ownership
from profiles.accounts.forms import PasswordProofForm, StartAfreshForm
from profiles.accounts.orcid import record
from profiles.accounts.social import is_configured


@require_GET
@access.member_required
def overview(request: MemberRequest) -> HttpResponse:
    """Ways in, second factors and sessions of a member, each with the page that changes it."""
    factors: dict[str, list[Any]] = {kind: [] for kind in Authenticator.Type.values}
    for row in Authenticator.objects.filter(user=request.user).order_by("pk"):
        factors[row.type].append(row.wrap())
    codes = factors[Authenticator.Type.RECOVERY_CODES]
    orcid = record.account_of(request.user)
    context = {
        "addresses": EmailAddress.objects.filter(user=request.user).order_by("-primary", "email"),
        "has_password": request.user.has_usable_password(),
        "has_totp": bool(factors[Authenticator.Type.TOTP]),
        "passkeys": factors[Authenticator.Type.WEBAUTHN],
        "codes_left": len(codes[0].get_unused_codes()) if codes else None,
        "sessions": UserSession.objects.purge_and_list(request.user),
        "orcid": orcid,
        "orcid_fetched_at": record.fetched_at(orcid) if orcid else None,
        "orcid_configured": is_configured(),
    }
    return render(request, "account/security.html", context)


@require_POST
@access.member_required
def end_session(request: MemberRequest, pk: int) -> HttpResponse:
    """Log a member out on one device."""
    session = access.sessions(request.user).filter(pk=pk).first()
    if session is None:
        raise Http404("Nothing here.")
    end_sessions(request, [session])
    messages.success(request, "That device is logged out.")
    return redirect("usersessions_list")


@method_decorator(sensitive_post_parameters("password", "password1"), name="dispatch")
@method_decorator(access.private, name="dispatch")
class ConfirmEmail(ConfirmEmailView):
    """Confirm an address where it is sure for which account.

    The first address of an account: in the browser that signed up, or by whoever takes the account over.
    A further one: by the member themselves, logged in. Otherwise anybody could have their account's address
    confirmed by sending its owner the link.
    """

    proof: forms.Form | None = None
    afresh: forms.Form | None = None

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.show()

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        state = self.state()
        if state == "open":
            return super().post(request, *args, **kwargs)
        if state == "foreign":
            return self.take_over() if request.POST.get("action") == "afresh" else self.prove()
        return self.show()

    def logout_other_user(self, confirmation: Any) -> None:
        """Log nobody out by a link."""

    def state(self) -> str:
        """Return what the link allows here: "void", "taken", "other", "login", "foreign" or "open"."""
        try:
            self.object = self.get_object()
        except Http404:
            self.object = None
            return "void"
        address = self.object.email_address
        viewer = self.request.user
        if not address.can_set_verified():
            return "taken"
        if viewer.is_authenticated:
            return "open" if viewer.pk == address.user_id else "other"
        if ownership.has_confirmed(address.user):
            return "login"
        return "open" if ownership.signed_up_here(self.request, address.user) else "foreign"

    def show(self) -> HttpResponse:
        state = self.state()
        email = self.object.email_address.email if self.object else ""
        context = {
            "state": state,
            "email": email,
            "has_password": bool(self.object and self.object.email_address.user.has_usable_password()),
            "proof": self.proof or PasswordProofForm(),
            "afresh": self.afresh or StartAfreshForm(),
        }
        return render(
            self.request, "account/email_confirm.html", context, status=404 if state == "void" else 200
        )

    def prove(self) -> HttpResponseBase:
        """Confirm for whoever knows the password of the sign-up."""
        self.proof = form = PasswordProofForm(self.request.POST)
        if not form.is_valid():
            return self.show()
        address = self.object.email_address
        password = form.cleaned_data["password"]
        try:
            user = get_adapter(self.request).authenticate(
                self.request, email=address.email, password=password
            )
        except forms.ValidationError as refusal:
            form.add_error("password", refusal)
            return self.show()
        if user is None or user.pk != address.user_id:
            form.add_error("password", "This is not the password of the sign-up.")
            return self.show()
        ownership.remember_sign_up(self.request, address.user)
        return self.confirm_and_log_in(password)

    def take_over(self) -> HttpResponseBase:
        """Confirm for whoever did not sign up, or forgot how: nothing of before stays."""
        self.afresh = form = StartAfreshForm(self.request.POST)
        if not form.is_valid():
            return self.show()
        return self.confirm_and_log_in(form.cleaned_data["password1"], form.cleaned_data["display_name"])

    def confirm_and_log_in(self, password: str, new_name: str = "") -> HttpResponseBase:
        """Confirm; with a new name, the account starts afresh and the password is its new one."""
        with transaction.atomic():
            address = self.object.confirm(self.request)
            if not address:
                return self.show()
            user = address.user
            user.refresh_from_db()
            if new_name:
                user.display_name = new_name
                user.set_password(password)
                user.save(update_fields=["display_name", "password"])
        login = Login(
            user=user, email=address.email, redirect_url=get_next_redirect_url(self.request), signup=True
        )
        return perform_password_login(self.request, {"email": address.email}, login)


confirm_email = ConfirmEmail.as_view()
