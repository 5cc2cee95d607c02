"""What people type to each other: invitations, messages, introductions."""

import re
from datetime import timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone

from bzpeer.lib.names import clean
from profiles import access
from profiles.forms import PlainText
from profiles.models import Invitation, Preferences, Researcher
from profiles.services.invitation_rules import MOST_A_WEEK
from profiles.services.invitations import LONGEST_WAIT_DAYS, MOST_AT_ONCE
from profiles.services.safety import LONGEST_LIMIT_DAYS
from works.models import Author, Topic, Work

_PAGE = re.compile(r"/researchers/([0-9A-Za-z]{1,12})(?:/|$)")


class PlainLine(forms.CharField):
    """One line without characters that nobody sees."""

    def to_python(self, value: Any) -> str:
        return clean(super().to_python(value) or "")


class InvitationForm(forms.ModelForm):
    offer = PlainText(label="What I bring", max_length=1000)
    ask = PlainText(label="What I ask", max_length=1000)
    expected_time = PlainLine(
        label="Expected time", max_length=100, help_text="For example: two hours a week until June."
    )

    class Meta:
        model = Invitation
        fields = ["purpose", "work", "offer", "ask", "expected_time", "reply_by"]
        labels = {"purpose": "Purpose", "work": "The work it builds on", "reply_by": "Reply by"}
        help_texts = {
            "work": "One of yours or theirs; leave it empty if there is none.",
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


class PeopleField(PlainText):
    """Addresses of researchers' pages, one a line; becomes the pages."""

    def clean(self, value: Any) -> Any:
        lines = [line.strip() for line in str(super().clean(value)).splitlines() if line.strip()]
        authors: dict[int, Author] = {}
        for line in lines[:20]:
            match = _PAGE.search(line)
            pid = match.group(1) if match else line
            try:
                author = access.public_author(pid if pid.isascii() and pid.isalnum() else "-")
            except Http404:
                raise forms.ValidationError(
                    f"“{line[:80]}” is not the address of a researcher's page."
                ) from None
            authors[author.pk] = author
        if not 2 <= len(authors) <= MOST_AT_ONCE:
            raise forms.ValidationError(f"Name two to {MOST_AT_ONCE} researchers, one a line.")
        return list(authors.values())


class GroupForm(InvitationForm):
    """An invitation of several people to one project."""

    title = PlainLine(label="Title of the project", max_length=200)
    people = PeopleField(
        label="Whom you invite",
        max_length=2000,
        help_text=f"The addresses of two to {MOST_AT_ONCE} researchers' pages, one a line.",
    )
    field_order = ["title", "people"]


class RulesForm(forms.ModelForm):
    """Who may invite a member."""

    invite_level = forms.TypedChoiceField(
        label="Take invitations from researchers verified at",
        coerce=int,
        choices=[
            (2, "L2: claimed"),
            (3, "L3: identity linked"),
            (4, "L4: corroborated"),
            (5, "L5: institution asserted"),
        ],
        help_text="Nobody without a claimed page can invite anybody.",
    )
    invite_topics = forms.ModelMultipleChoiceField(
        label="Only on these topics; tick none for any topic",
        queryset=Topic.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    invites_a_week = forms.IntegerField(
        label="At most so many a week",
        min_value=1,
        max_value=MOST_A_WEEK,
        help_text="From everybody together.",
    )

    class Meta:
        model = Preferences
        fields = ["invite_level", "invite_topics", "invites_a_week"]

    def __init__(self, *args: Any, topics: QuerySet[Topic], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["invite_topics"].queryset = topics  # type: ignore[attr-defined]
        if not topics:
            del self.fields["invite_topics"]


class MessageForm(forms.Form):
    body = PlainText(label="Message", max_length=10_000, widget=forms.Textarea(attrs={"rows": 4}))
    client_key = forms.UUIDField(widget=forms.HiddenInput)


class DraftForm(MessageForm):
    body = PlainText(max_length=10_000, required=False)


class EditForm(forms.Form):
    body = PlainText(label="Message", max_length=10_000)


class IntroductionForm(forms.Form):
    middle = forms.ModelChoiceField(
        label="Who may introduce you",
        queryset=Researcher.objects.none(),
        widget=forms.RadioSelect,
        empty_label=None,
    )
    message = PlainText(
        label="Why you would like to meet",
        max_length=1000,
        min_length=10,
        help_text="The person in the middle reads this first; if they agree, it opens the conversation of three.",
    )

    def __init__(self, *args: Any, between: list[Researcher], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        middle = self.fields["middle"]
        assert isinstance(middle, forms.ModelChoiceField)  # noqa: S101 - declared above
        middle.queryset = Researcher.objects.filter(pk__in=[row.pk for row in between]).select_related(
            "author"
        )
        middle.label_from_instance = lambda obj: str(obj.author)  # type: ignore[method-assign]


class LimitForm(forms.Form):
    days = forms.IntegerField(
        label="For how many days",
        min_value=0,
        max_value=LONGEST_LIMIT_DAYS,
        initial=7,
        help_text="0 ends a limit now.",
    )
    reason = PlainText(label="Reason", max_length=2000)


class RemovalForm(forms.Form):
    reason = PlainText(label="Reason", max_length=2000)
