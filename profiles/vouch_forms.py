"""What people type about vouches."""

from django import forms

from profiles.forms import PersonName, PlainText


class VouchForm(forms.Form):
    statement = PlainText(
        label="How you know each other",
        min_length=10,
        max_length=300,
        help_text="One or two sentences that everybody may read, as “We taught together in Lund for three years.”",
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class SeedForm(forms.Form):
    researcher = PersonName(
        label="Researcher", max_length=300, help_text="The address of the page, or its short id."
    )
    reason = PlainText(
        label="Reason",
        max_length=300,
        help_text="How the curators know this researcher. Moderators read it.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def clean_researcher(self) -> str:
        """Return the short id, of an address too."""
        text: str = self.cleaned_data["researcher"]
        _, found, rest = text.partition("/researchers/")
        pid = (rest if found else text).strip().partition("/")[0]
        if not (pid.isascii() and pid.isalnum() and len(pid) <= 12):
            raise forms.ValidationError("Give the address of a researcher's page, or the short id in it.")
        return pid


class ReasonForm(forms.Form):
    reason = PlainText(
        label="Reason; it stands in the audit trail", max_length=300, widget=forms.Textarea(attrs={"rows": 2})
    )
