"""Forms of the ways in, beside the sign-up form of profiles.forms."""

from typing import Any

from allauth.account import forms as account_forms
from allauth.account.adapter import get_adapter
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from allauth.socialaccount.forms import SignupForm as AllauthSocialSignupForm
from django import forms

from bzpeer.lib.names import clean
from profiles.accounts.ownership import forget_unconfirmed
from profiles.forms import PersonName


class ResetPasswordForm(account_forms.ResetPasswordForm):
    def clean_email(self) -> str:
        forget_unconfirmed(self.cleaned_data["email"])
        return super().clean_email()


class RequestLoginCodeForm(account_forms.RequestLoginCodeForm):
    def clean_email(self) -> str:
        forget_unconfirmed(self.cleaned_data["email"])
        return super().clean_email()


class OrcidSignupForm(AllauthSocialSignupForm):
    """Sign up as the person whom ORCID named: the address is theirs to give and to confirm."""

    display_name = PersonName(
        label="Name to be shown",
        max_length=150,
        help_text="As it stands on your publications, if you have some.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    field_order = ["display_name", "email"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = "E-mail address"
        self.fields["email"].help_text = "We send a link to it; nobody else sees it."
        self.fields["email"].widget.attrs.pop("placeholder", None)

    def validate_unique_email(self, value: str) -> str:
        forget_unconfirmed(value)
        return super().validate_unique_email(value)


class PasswordProofForm(forms.Form):
    """Show that it was oneself who signed up."""

    password = forms.CharField(
        label="The password you chose",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class StartAfreshForm(forms.Form):
    """Take an account over that somebody made with one's address."""

    display_name = PersonName(
        label="Name to be shown",
        max_length=150,
        help_text="As it stands on your publications, if you have some.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password1 = forms.CharField(
        label="New password",
        strip=False,
        help_text="At least ten characters. A sentence is fine.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_password1(self) -> str:
        return get_adapter().clean_password(self.cleaned_data["password1"])


ODD = (
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    IndexError,
    OverflowError,
)  # of libraries fed with anything


class CredentialField(forms.JSONField):
    """What a browser answers for a passkey; anything else is refused before the library takes it for one."""

    widget = forms.HiddenInput
    MOST = 50_000

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and len(value) > self.MOST:
            raise self.wrong()
        try:
            credential = super().to_python(value)
        except RecursionError as error:
            raise self.wrong() from error
        if credential in self.empty_values:
            return credential
        response = credential.get("response") if isinstance(credential, dict) else None
        texts = [credential.get(key) for key in ("id", "rawId", "type")] if response else [None]
        if not isinstance(response, dict) or not all(isinstance(text, str) for text in texts):
            raise self.wrong()
        return credential

    def bound_data(self, data: Any, initial: Any) -> None:
        """Show nothing again: an answer is good for one question."""

    def prepare_value(self, value: Any) -> str:
        return ""

    @staticmethod
    def wrong() -> forms.ValidationError:
        return forms.ValidationError("This is no answer of a passkey. Try again.")


class Sound:
    """Mixin of allauth's forms with a credential: what is none ends as an error of the form."""

    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["credential"] = CredentialField()

    def clean_credential(self) -> Any:
        cleaned: Any = super()
        if not hasattr(cleaned, "clean_credential"):
            return self.cleaned_data["credential"]  # type: ignore[attr-defined]
        try:
            return cleaned.clean_credential()
        except ODD as error:
            raise CredentialField.wrong() from error

    def clean(self) -> Any:
        cleaned: Any = super()
        try:
            return cleaned.clean()
        except ODD as error:
            raise CredentialField.wrong() from error


class LoginPasskeyForm(Sound, LoginWebAuthnForm):
    pass


class AuthenticatePasskeyForm(Sound, AuthenticateWebAuthnForm):
    pass


class ReauthenticatePasskeyForm(Sound, ReauthenticateWebAuthnForm):
    pass


class AddPasskeyForm(Sound, AddWebAuthnForm):
    """Add a passkey, which logs in by itself unless one says otherwise."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs["maxlength"] = "100"
        passwordless = self.fields["passwordless"]
        passwordless.initial = True
        passwordless.label = "Log in with it alone, without a password"
        passwordless.help_text = "Without this it is a second step after the password."

    def clean_name(self) -> str:
        return clean(super().clean_name())[:100]
