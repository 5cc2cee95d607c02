"""What people type to join and divide records."""

from typing import Any

from django import forms

from profiles.forms import PersonName, PlainText
from works.models import Work

MOST = 500


class WhyForm(forms.Form):
    reason = PlainText(
        label="Why",
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The history of the page shows it. Name nobody and nothing private.",
    )


class AnswerForm(forms.Form):
    answer = PlainText(
        label="Answer",
        max_length=400,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Needed where you decline: the person who proposed it reads it.",
    )


class UndoForm(forms.Form):
    reason = PlainText(
        label="Why", max_length=400, required=False, widget=forms.Textarea(attrs={"rows": 3}), help_text="The history shows it."
    )  # fmt: skip


class SplitForm(WhyForm):
    """Which works go to the new page; person_goes is for moderators, where the page is claimed."""

    name = PersonName(
        label="Name of the new page", max_length=255, help_text="As it stands on the works that go there."
    )
    person_goes = forms.BooleanField(
        label="The person who holds this page goes with the new one", required=False,
        help_text="Their claim, and what they say of themselves, go to the new page; followers stay here.",
    )  # fmt: skip
    field_order = ["name", "person_goes", "reason"]

    def __init__(self, *args: Any, works: list[Work], may_take_person: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._works = {work.pid: work for work in works}
        if not may_take_person:
            del self.fields["person_goes"]

    def chosen(self) -> list[Work]:
        """Return the works that were ticked."""
        named = self.data.getlist("works")[:MOST] if hasattr(self.data, "getlist") else []
        return [self._works[pid] for pid in dict.fromkeys(named) if pid in self._works]

    def clean(self) -> dict[str, Any]:
        if not self.chosen():
            raise forms.ValidationError("Tick the works that go to the new page.")
        return super().clean() or {}
