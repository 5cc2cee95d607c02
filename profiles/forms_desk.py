"""What moderators and representatives of institutions type."""

from typing import Any

from django import forms

from profiles.exceptions import RepresentativeError
from profiles.forms import PersonName, PlainText
from profiles.services.representatives.sheet import MOST_BYTES, read_day


class DecisionForm(forms.Form):
    """The reason of a decision; which decision it is, the button says."""

    reason = PlainText(
        label="Reason",
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
    )

    def __init__(self, *args: Any, label: str = "", help_text: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = label or "Reason; the claimant reads it"
        self.fields["reason"].help_text = help_text


class AnswerForm(forms.Form):
    title = PersonName(label="Title", max_length=100, help_text="Moderators pick the answer by it.")
    body = PlainText(
        label="Words",
        max_length=2000,
        help_text="{name} becomes the name of the claimant, {page} the name on the page.",
        widget=forms.Textarea(attrs={"rows": 6}),
    )


class AuditFilterForm(forms.Form):
    """What of the audit trail to show; bad values are passed over."""

    action = PersonName(label="Action", max_length=40, required=False, help_text="As claim. or claim.reject")
    subject = PersonName(label="Subject", max_length=80, required=False, help_text="As claim: or claim:0199…")
    actor = PersonName(
        label="Who", max_length=100, required=False, help_text="Name or address, or part of it."
    )
    author = PersonName(
        label="Researcher", max_length=12, required=False, help_text="The short id of the page."
    )


class SpamForm(forms.Form):
    picked = forms.MultipleChoiceField(
        label="What to turn down", required=False, widget=forms.CheckboxSelectMultiple
    )
    reason = PlainText(
        label="Reason; whoever sent these reads it", max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )
    suspend = forms.BooleanField(
        label="Close the account, too",
        required=False,
        help_text="They can neither log in nor write; you can open it again. What they wrote stays.",
    )

    def __init__(self, *args: Any, items: list[tuple[str, str]], may_suspend: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        picked = self.fields["picked"]
        assert isinstance(picked, forms.MultipleChoiceField)  # noqa: S101 - declared above
        picked.choices = items
        if not items:
            del self.fields["picked"]
        if not may_suspend:
            del self.fields["suspend"]


# --- Representatives of institutions ----------------------------------------------------------------------


class RepresentForm(forms.Form):
    email = forms.ChoiceField(label="Your confirmed address there", widget=forms.RadioSelect)
    position = PersonName(
        label="Your office",
        max_length=150,
        help_text="As in “Head of research information, University Library”: a moderator checks it.",
    )

    def __init__(self, *args: Any, addresses: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        email = self.fields["email"]
        assert isinstance(email, forms.ChoiceField)  # noqa: S101 - declared above
        email.choices = [(address, address) for address in addresses]
        self.initial.setdefault("email", addresses[0])


class Day(forms.CharField):
    """A day, a month or a year in the past."""

    def to_python(self, value: Any) -> Any:
        text = (super().to_python(value) or "").strip()
        try:
            return read_day(text)
        except ValueError as error:
            raise forms.ValidationError("Write a day in the past as 2021-09-01, 2021-09 or 2021.") from error


class MemberForm(forms.Form):
    role = PersonName(
        label="Role", max_length=150, required=False, help_text="As in “Professor of statistics”."
    )
    since = Day(label="Since", required=False, help_text="As 2021-09-01, 2021-09 or 2021.")


class SheetForm(forms.Form):
    sheet = forms.FileField(
        label="CSV file",
        help_text="At most 5,000 rows and 2 MB. Columns: name, orcid (or the address of a page here), role, since.",
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )

    def read(self) -> bytes:
        """Return what was sent, no more of it than is allowed."""
        sheet = self.cleaned_data["sheet"]
        if sheet.size > MOST_BYTES:
            raise RepresentativeError(
                "This file is larger than 2 MB. Split it, and send the parts one by one."
            )
        content: bytes = sheet.read(MOST_BYTES + 1)
        return content


class ObjectionForm(forms.Form):
    message = PlainText(
        label="What is wrong", max_length=2000, help_text="Moderators read it and answer you by mail."
    )
