"""What people type."""

from datetime import timedelta
from typing import Any

from allauth.account.forms import SignupForm as AllauthSignupForm
from django import forms
from django.contrib.auth.hashers import make_password
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from bzpeer.lib.names import clean
from profiles.models import CurationRequest, Invitation, Researcher, User
from profiles.services.invitations import LONGEST_WAIT_DAYS
from works.models import Work


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

    def try_save(self, request: HttpRequest) -> tuple[User | None, Any]:
        if self.account_already_exists:
            # As long as making an account takes, so that nobody learns by time who has one.
            make_password(self.cleaned_data["password1"])
        return super().try_save(request)


class ClaimForm(forms.Form):
    case = PlainText(
        label="Your case",
        max_length=4000,
        min_length=20,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text="Say which works are yours and how a moderator can check it: an institutional page, "
        "an ORCID iD, an address printed on a paper. Only you and the moderators read this.",
    )


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


class ResearcherForm(forms.ModelForm):
    bio = PlainText(
        label="About you",
        max_length=2000,
        required=False,
        help_text="Plain text, shown on your page.",
        widget=forms.Textarea(attrs={"rows": 8}),
    )
    open_to_collaborate = forms.BooleanField(
        label="Open to collaborate",
        required=False,
        help_text="While this is on, other researchers can send you invitations.",
    )

    class Meta:
        model = Researcher
        fields = ["bio", "open_to_collaborate"]


class SettingsForm(forms.ModelForm):
    display_name = PersonName(
        label="Name to be shown", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )

    class Meta:
        model = User
        fields = ["display_name"]


class DeleteAccountForm(forms.Form):
    password = forms.CharField(
        label="Your password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class InvitationForm(forms.ModelForm):
    offer = PlainText(label="What I bring", max_length=1000)
    ask = PlainText(label="What I ask", max_length=1000)

    class Meta:
        model = Invitation
        fields = ["purpose", "work", "offer", "ask", "expected_time", "reply_by"]
        labels = {
            "purpose": "Purpose",
            "work": "The work it builds on",
            "expected_time": "Expected time",
            "reply_by": "Reply by",
        }
        help_texts = {
            "work": "One of yours or theirs; leave it empty if there is none.",
            "expected_time": "For example: two hours a week until June.",
            "reply_by": "After this day the invitation expires by itself.",
        }
        widgets = {"reply_by": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}

    def __init__(self, *args: Any, works: QuerySet[Work], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        work = self.fields["work"]
        assert isinstance(work, forms.ModelChoiceField)  # noqa: S101 - of the model above
        work.queryset, work.empty_label = works, "None in particular"
        purpose = self.fields["purpose"]
        assert isinstance(purpose, forms.ChoiceField)  # noqa: S101 - of the model above
        purpose.choices = [("", "Choose one"), *Invitation.Purpose.choices]
        today = timezone.localdate()
        self.fields["reply_by"].initial = today + timedelta(days=14)
        self.fields["reply_by"].widget.attrs.update(
            min=(today + timedelta(days=1)).isoformat(),
            max=(today + timedelta(days=LONGEST_WAIT_DAYS)).isoformat(),
        )

    def clean_reply_by(self) -> Any:
        day, today = self.cleaned_data["reply_by"], timezone.localdate()
        if not today < day <= today + timedelta(days=LONGEST_WAIT_DAYS):
            raise forms.ValidationError(f"Choose a day within the next {LONGEST_WAIT_DAYS} days.")
        return day


class MessageForm(forms.Form):
    body = PlainText(label="Message", max_length=10_000, widget=forms.Textarea(attrs={"rows": 4}))
    client_key = forms.UUIDField(widget=forms.HiddenInput)


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
