"""What people type and choose to show that a page is theirs, and what co-authors answer."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.files.uploadedfile import UploadedFile

from profiles.forms import PlainText
from profiles.models import User
from works.models import Author

CASE_HELP = (
    "Say which works are yours and how a moderator can check it: an institutional page, "
    "an ORCID iD, an address printed on a paper. Only you and the moderators read this."
)
MAX_FILES = 3  # services.claims.attachments says what a file may be
MAX_ASKED = 5


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files in one field."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", FilesInput(attrs={"accept": ".pdf,.png,.jpg,.jpeg,.txt"}))
        super().__init__(allow_empty_file=True, **kwargs)

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        files = (data or [None]) if isinstance(data, list | tuple) else [data]
        found = [super(FilesField, self).clean(one, initial) for one in files]
        found = [one for one in found if one]
        if len(found) > MAX_FILES:
            raise forms.ValidationError(f"Choose {MAX_FILES} files at most.")
        return found


class PageAddress(forms.URLField):
    """An https page; what is fetched from it is decided elsewhere."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=500, assume_scheme="https", **kwargs)

    def clean(self, value: Any) -> str:
        url = super().clean(value)
        parts = urlsplit(url)
        if url and (parts.scheme != "https" or parts.username or parts.password):
            raise forms.ValidationError("Give the address of a page that begins with https://.")
        return url


class Coauthors(forms.MultipleChoiceField):
    """Members who could confirm, named by the public ids of their pages."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.CheckboxSelectMultiple, **kwargs)
        self.members: dict[str, User] = {}

    def offer(self, could_be_asked: Sequence[tuple[User, Author]]) -> None:
        self.members = {author.pid: member for member, author in could_be_asked}
        self.choices = [(author.pid, author.display_name) for _, author in could_be_asked]

    def clean(self, value: Any) -> list[User]:
        chosen = super().clean(value)
        if len(chosen) > MAX_ASKED:
            raise forms.ValidationError(f"Choose {MAX_ASKED} people at most.")
        return [self.members[pid] for pid in chosen]


class CaseForm(forms.Form):
    case = PlainText(
        label="Your case", max_length=4000, min_length=20, help_text=CASE_HELP,
        widget=forms.Textarea(attrs={"rows": 8}),
    )  # fmt: skip


class LinkForm(forms.Form):
    link_url = PageAddress(
        label="A page of yours",
        help_text="One that the record linked to before you signed up proves most. It begins with https://.",
    )


class AskForm(forms.Form):
    coauthors = Coauthors(label="Whom to ask")

    def __init__(self, *args: Any, could_be_asked: Sequence[tuple[User, Author]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["coauthors"]
        assert isinstance(field, Coauthors)  # noqa: S101 - declared above
        field.offer(could_be_asked)


class FilesForm(forms.Form):
    attachments = FilesField(
        label="Add files",
        help_text=f"Up to {MAX_FILES} in all, 5 MB each: PDF, PNG, JPEG or plain text. Only moderators open them.",
    )


class ClaimForm(forms.Form):
    """Everything with which a claim may wait for a moderator; at least one thing of it."""

    case = PlainText(
        label="Your case", max_length=4000, min_length=20, required=False, help_text=CASE_HELP,
        widget=forms.Textarea(attrs={"rows": 8}),
    )  # fmt: skip
    attachments = FilesField(
        label="Files for the moderators",
        required=False,
        help_text=f"Up to {MAX_FILES}, 5 MB each: PDF, PNG, JPEG or plain text.",
    )
    link_url = PageAddress(
        label="A page of yours",
        required=False,
        help_text="It begins with https://. Once the claim is filed you learn what to put there.",
    )
    coauthors = Coauthors(label="Co-authors to ask (optional)", required=False)

    def __init__(self, *args: Any, could_be_asked: Sequence[tuple[User, Author]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["coauthors"]
        assert isinstance(field, Coauthors)  # noqa: S101 - declared above
        if could_be_asked:
            field.offer(could_be_asked)
        else:
            del self.fields["coauthors"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors and not any(data.get(name) for name in ("case", "link_url", "coauthors")):
            self.add_error("case", "Write your case, name a page of yours or choose a co-author to ask.")
        return data


class AnswerForm(forms.Form):
    answer = forms.ChoiceField(choices=[("confirm", "confirm"), ("deny", "deny")])
    note = PlainText(
        label="What moderators should know",
        max_length=1000,
        required=False,
        help_text="Only moderators read this. The person who claims the page is not told of it.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )
