"""The form of a member's choices of mail."""

from datetime import time
from typing import Any
from zoneinfo import available_timezones

from django import forms

from profiles.models import MailChoice

MAIL = "mail_"


class PreferencesForm(forms.Form):
    """How often mail tells of each kind, the time zone, and quiet hours."""

    time_zone = forms.ChoiceField(
        initial="UTC", help_text="Daily mails come at seven in the morning there, weekly ones on Mondays."
    )
    quiet_from = forms.TimeField(
        label="Quiet from", required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text="No mail leaves in these hours; what came meanwhile follows afterwards.",
    )  # fmt: skip
    quiet_until = forms.TimeField(
        label="Quiet until", required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = [(name, name.replace("_", " ")) for name in sorted(available_timezones())]
        self.fields["time_zone"].choices = zones  # type: ignore[attr-defined]
        for kind in MailChoice.Kind:
            self.fields[f"{MAIL}{kind.value}"] = forms.ChoiceField(label=kind.label, choices=MailChoice.Often)
        self.order_fields([*(f"{MAIL}{kind.value}" for kind in MailChoice.Kind), *self.base_fields])

    def choices(self) -> dict[str, Any]:
        """Return what services.preferences.save_choices wants."""
        data = self.cleaned_data
        often = {name.removeprefix(MAIL): value for name, value in data.items() if name.startswith(MAIL)}
        quiet: dict[str, time | None] = {name: data[name] for name in ("quiet_from", "quiet_until")}
        return {"often": often, "time_zone": data["time_zone"], **quiet}
