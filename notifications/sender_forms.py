"""What a person may type about a sender: checks, and nothing that writes."""

from collections.abc import Mapping
from typing import Any

from django import forms

from notifications.models import Channel, Sender
from notifications.senders import PRESETS

OTHER_PACE = "other"
"""The choice that asks for a number beside it."""


class SenderForm(forms.Form):
    """A sender's pace, requests at once and price. `per_second` is cleaned from both
    the preset and the number of one's own."""

    pace = forms.ChoiceField(label="Pace")
    own_pace = forms.IntegerField(
        label="A pace of its own",
        min_value=1,
        max_value=2000,
        required=False,
        help_text="A second: segments of texts, or emails. Counts with “Another pace”.",
    )
    in_flight = forms.IntegerField(
        label="Requests at once",
        min_value=1,
        max_value=500,
        help_text="For the whole account at the carrier; about 100 is common.",
    )
    price = forms.DecimalField(
        label="Price of a segment, US dollars",
        min_value=0,
        max_value=10,
        max_digits=8,
        decimal_places=5,
        help_text="For the estimate before a press.",
    )

    def __init__(self, data: Mapping[str, Any] | None, *, sender: Sender) -> None:
        presets = PRESETS if sender.channel == Channel.SMS else PRESETS[-1:]
        known = {one.per_second for one in presets}
        own = sender.per_second not in known
        initial = {
            "pace": OTHER_PACE if own else str(sender.per_second),
            "own_pace": sender.per_second if own else None,
            "in_flight": sender.in_flight,
            "price": sender.price,
        }
        super().__init__(data, initial=initial)
        pace = self.fields["pace"]
        if isinstance(pace, forms.ChoiceField):
            pace.choices = [
                *(
                    (
                        str(one.per_second),
                        f"{one.name} ({one.per_second} a second)"
                        if one.per_second
                        else one.name,
                    )
                    for one in presets
                ),
                (OTHER_PACE, "Another pace"),
            ]
        if sender.channel != Channel.SMS:
            self.fields["price"].label = "Price of an email, US dollars"

    def clean(self) -> dict[str, Any]:
        """One number from the two fields."""
        cleaned = super().clean() or self.cleaned_data
        pace = cleaned.get("pace")
        if pace == OTHER_PACE:
            if cleaned.get("own_pace") is None and "own_pace" not in self.errors:
                self.add_error("own_pace", "Say how many a second.")
            cleaned["per_second"] = cleaned.get("own_pace")
        elif pace is not None:
            cleaned["per_second"] = int(pace)
        return cleaned


class PauseForm(forms.Form):
    """Why a sender is stopped by hand; everyone who sends will read it."""

    because = forms.CharField(
        label="Why?",
        max_length=200,
        min_length=4,
        help_text="Everyone who sends alerts reads this.",
        error_messages={"required": "Say why; the people who send will ask."},
    )
