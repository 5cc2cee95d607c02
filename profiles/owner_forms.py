"""What people type to change the page they hold."""

from typing import Any

from django import forms

from bzpeer.lib.names import clean
from profiles.forms import PersonName, PlainText
from profiles.models import Researcher
from profiles.services.owner_links import MOST
from profiles.services.owner_photo import MAX_BYTES
from profiles.services.pages import LONGEST_BIO

FREE_ROWS = 3


class Line(forms.CharField):
    """One line of text without characters that nobody sees."""

    def to_python(self, value: Any) -> str:
        return clean(super().to_python(value) or "")


class BioForm(forms.Form):
    bio = PlainText(
        label="About you",
        max_length=LONGEST_BIO,
        required=False,
        help_text="Shown on your page. Markdown works: *emphasis*, **strong**, [words](https://address), lists with -.",
        widget=forms.Textarea(attrs={"rows": 10}),
    )


class LinksForm(forms.Form):
    """Rows of an address and a label; empty rows are passed over."""

    def __init__(self, *args: Any, rows: int = MOST, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number in range(1, rows + 1):
            self.fields[f"url_{number}"] = Line(
                label=f"Address {number}",
                max_length=500,
                required=False,
                widget=forms.URLInput(attrs={"placeholder": "https://", "autocomplete": "off"}),
            )
            self.fields[f"label_{number}"] = Line(
                label=f"Name of link {number}", max_length=80, required=False
            )

    @property
    def links(self) -> list[tuple[str, str]]:
        """Return the rows that hold an address, after is_valid."""
        data = self.cleaned_data
        rows = range(1, len(self.fields) // 2 + 1)
        return [(data[f"url_{n}"], data[f"label_{n}"]) for n in rows if data[f"url_{n}"]]

    @property
    def pairs(self) -> list[tuple[Any, Any]]:
        """Return the fields row by row, as the template shows them."""
        return [(self[f"url_{n}"], self[f"label_{n}"]) for n in range(1, len(self.fields) // 2 + 1)]


class AvailabilityForm(forms.Form):
    is_open = forms.BooleanField(
        label="Open to collaborate",
        required=False,
        help_text="While this is on, other researchers can send you invitations.",
    )
    scope = Line(
        label="On what",
        max_length=200,
        required=False,
        help_text="In your words, for example: field data on rivers, or reviews of thesis chapters.",
    )
    role = forms.ChoiceField(
        label="As what", choices=Researcher.Role.choices, required=False, help_text="The part you would take."
    )
    until = forms.DateField(
        label="Until",
        required=False,
        help_text="After this day your page closes by itself and says so. Leave it empty for no end.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


class NameForm(forms.Form):
    """Choose the name to be shown among those on works, or write one that agrees with them."""

    choice = forms.ChoiceField(label="Name to be shown", required=False, widget=forms.RadioSelect)
    other = PersonName(
        label="Or another spelling",
        max_length=255,
        required=False,
        help_text="It must agree with a name on one of your works: the same family name, and given names or "
        "initials that do not contradict.",
    )

    def __init__(self, *args: Any, names: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["choice"]
        assert isinstance(choice, forms.ChoiceField)  # noqa: S101 - declared above
        choice.choices = [("", "What the sources say"), *((name, name) for name in names)]

    @property
    def name(self) -> str:
        return str(self.cleaned_data["other"] or self.cleaned_data["choice"])


class FormerNameForm(forms.Form):
    name = PersonName(
        label="Former name",
        max_length=255,
        help_text="As a work prints it. Other orders of the same words and longer forms go with it; "
        "hide a form with initials alone by itself.",
    )


class PhotoForm(forms.Form):
    photo = forms.FileField(
        label="Picture",
        required=False,
        max_length=200,
        help_text=f"JPEG, PNG or WebP, at most {MAX_BYTES // 1_000_000} MB. It is cut to a square; what the file says "
        "about place, time and camera is thrown away.",
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
    )
    alt = Line(
        label="In words",
        max_length=200,
        required=False,
        help_text="For people who do not see it, for example: Jo in a red coat before a lake.",
    )


class NumberForm(forms.Form):
    shows = forms.BooleanField(
        label="Show the trust number",
        required=False,
        help_text="Off: your page shows the level alone. The level always stays.",
    )


class StepForm(forms.Form):
    """One press of a button beside a work."""

    work = forms.CharField(max_length=12)
    step = forms.ChoiceField(choices=[(s, s) for s in ("up", "down", "highlight", "release", "disown")])


class ListForm(forms.Form):
    file = forms.FileField(
        label="BibTeX or RIS file",
        max_length=200,
        help_text="At most 500 entries and 2 MB. You see what is in it before anything happens.",
        widget=forms.FileInput(attrs={"accept": ".bib,.bibtex,.ris,text/plain"}),
    )
