"""What people type."""

from typing import Any

from allauth.account.forms import SignupForm as AllauthSignupForm
from django import forms
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from bzpeer.lib.names import clean
from profiles.accounts.ownership import forget_unconfirmed
from profiles.models import CurationRequest, User


class PlainText(forms.CharField):
    """Lines of text without characters that nobody sees."""

    widget = forms.Textarea(attrs={"rows": 5})

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        return "\n".join(clean(line) for line in text.splitlines()).strip()


class PersonName(forms.CharField):
    def to_python(self, value: Any) -> str:
        return clean(super().to_python(value) or "")


class SignupForm(AllauthSignupForm):
    """Sign up with an e-mail address, a name to be shown and a password."""

    display_name = PersonName(
        label="Name to be shown",
        max_length=150,
        help_text="As it stands on your publications, if you have some.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    field_order = ["display_name", "email", "password1"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = "E-mail address"
        self.fields["email"].help_text = "We send a link to it; nobody else sees it."
        self.fields["password1"].help_text = "At least ten characters. A sentence is fine."
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)

    def validate_unique_email(self, value: str) -> str:
        forget_unconfirmed(value)
        return super().validate_unique_email(value)

    def try_save(self, request: HttpRequest) -> tuple[User | None, Any]:
        if self.account_already_exists:
            # As long as making an account takes, so that nobody learns by time who has one.
            make_password(self.cleaned_data["password1"])
        return super().try_save(request)


class ReasonForm(forms.Form):
    reason = PlainText(label="Reason", max_length=2000)


class AppealForm(ReasonForm):
    reason = PlainText(label="What the decision missed", max_length=2000)


class ReportForm(ReasonForm):
    reason = PlainText(
        label="What is wrong",
        max_length=2000,
        help_text="Moderators will read this conversation up to now. The other person is not told.",
    )


class SettingsForm(forms.ModelForm):
    display_name = PersonName(
        label="Name to be shown", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )

    class Meta:
        model = User
        fields = ["display_name"]


class CurationForm(forms.Form):
    """What anybody may ask about a record; only people's pages are hidden."""

    kind = forms.ChoiceField(
        label="What you ask for", choices=CurationRequest.Kind.choices, widget=forms.RadioSelect
    )
    email = forms.EmailField(
        label="Your e-mail address",
        max_length=254,
        help_text="We send a link to it to confirm, and the answer. It is used for nothing else.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    message = PlainText(
        label="What is wrong, or what you wish",
        max_length=4000,
        min_length=10,
        widget=forms.Textarea(attrs={"rows": 6}),
    )

    def __init__(self, *args: Any, about_a_person: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind = self.fields["kind"]
        assert isinstance(kind, forms.ChoiceField)  # noqa: S101 - declared above
        if not about_a_person:
            kind.choices = [row for row in CurationRequest.Kind.choices if row[0] != "removal"]
