"""What a person may type about an alert: checks, and nothing that writes."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.db.models import QuerySet

from notifications.models import Alert, Mode
from notifications.wording import Language
from schools.models import School
from schools.protocols import Hazard, Protocol

LANGUAGES = tuple(code for code, _ in settings.LANGUAGES)
PARTS = ("sms", "subject", "body")
LONGEST = {"sms": 1200, "subject": 160, "body": 8000}
"""Characters. A subject leaves room for the words that mark an exercise or a test."""
PROMISE_WITHIN = timedelta(hours=12)


class AlertForm(forms.Form):
    """Everything decided before a press.

    A follow-up has neither protocol nor schools of its own: they are those of the
    emergency. `promise` is a time of day in `zone`, cleaned to the next such moment.
    """

    form_key = forms.UUIDField(widget=forms.HiddenInput)
    protocol = forms.ChoiceField(
        label="What should people do?",
        choices=Protocol.choices,
        error_messages={"required": "Choose one."},
    )
    hazard = forms.ChoiceField(
        label="What is the hazard?",
        choices=[("", "Not said"), *Hazard.choices],
        required=False,
    )
    place = forms.CharField(
        label="Where do people go?", max_length=80, required=False, strip=True
    )
    mode = forms.ChoiceField(label="Mode", choices=Mode.choices)
    audience = forms.ChoiceField(
        label="Who is told?", choices=Alert.Audience.choices, required=False
    )
    schools = forms.ModelMultipleChoiceField(
        label="Which schools?",
        queryset=School.objects.none(),
        error_messages={
            "required": "Choose at least one school.",
            "invalid_choice": "There is no such school among yours.",
            "invalid_pk_value": "There is no such school among yours.",
        },
    )
    whole_district = forms.BooleanField(
        label="Also tell the whole district", required=False
    )
    promise = forms.TimeField(label="Next update by", required=False)

    def __init__(
        self,
        data: dict[str, Any],
        *,
        schools: QuerySet[School],
        kind: str,
        now: datetime,
    ) -> None:
        super().__init__(data)
        self.kind, self.now = kind, now
        field = self.fields["schools"]
        if isinstance(field, forms.ModelMultipleChoiceField):
            field.queryset = schools
        if kind != Alert.Kind.FIRST:
            for name in ("protocol", "mode", "schools"):
                self.fields[name].required = False
        for language in LANGUAGES:
            for part in PARTS:
                self.fields[f"{part}_{language}"] = forms.CharField(
                    label=f"{part.capitalize()} ({language})",
                    max_length=LONGEST[part],
                    required=False,
                )

    def clean_promise(self) -> datetime | None:
        """The next moment with this time of day; refused when it is half a day off."""
        typed = self.cleaned_data["promise"]
        if typed is None:
            return None
        local = self.now.astimezone(ZoneInfo(settings.TIME_ZONE))
        moment = datetime.combine(local.date(), typed, local.tzinfo)
        if moment <= local:
            moment += timedelta(days=1)
        if moment - local > PROMISE_WITHIN:
            raise forms.ValidationError("That time has passed. Promise a later one.")
        return moment

    def clean(self) -> dict[str, Any]:
        """Practice reaches staff and nobody else, whatever was sent along."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("mode") != Mode.LIVE:
            cleaned["audience"] = Alert.Audience.STAFF
            cleaned["whole_district"] = False
        elif not cleaned.get("audience"):
            cleaned["audience"] = Alert.Audience.STAFF_AND_FAMILIES
        return cleaned


class PressForm(forms.Form):
    """The read-back a person confirms: its version, and the number they typed."""

    version = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1)
    typed = forms.CharField(required=False, max_length=20)
    after = forms.IntegerField(required=False, min_value=1, max_value=2**31 - 1)

    def clean_typed(self) -> int | None:
        """The number, with or without its comma; None for anything else."""
        digits = self.cleaned_data["typed"].replace(",", "").replace(" ", "")
        return int(digits) if digits.isascii() and digits.isdecimal() else None


class FindForm(forms.Form):
    """A part of a school's name."""

    find = forms.CharField(required=False, max_length=60)


class WordingForm(forms.Form):
    """Standard words in one language, and the version they were made from.

    Whether the blanks are right is for `alert_templates.revise` to say.
    """

    version = forms.IntegerField(
        widget=forms.HiddenInput, required=False, min_value=0, max_value=2**31 - 1
    )
    sms = forms.CharField(
        label="Text message",
        max_length=LONGEST["sms"],
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    subject = forms.CharField(
        label="Subject of the email", max_length=LONGEST["subject"], required=False
    )
    body = forms.CharField(
        label="Email, and what the public page says",
        max_length=LONGEST["body"],
        required=False,
        widget=forms.Textarea(attrs={"rows": 14}),
    )

    def __init__(self, *args: Any, language: Language, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for part in PARTS:
            attrs = self.fields[part].widget.attrs
            attrs["lang"] = language.code
            attrs["dir"] = "rtl" if language.rtl else "ltr"
            attrs["class"] = "form-control"
            if part in self.errors:
                attrs["class"] += " is-invalid"


class WordingCheckForm(forms.Form):
    """A person's word that a translation says what the English says."""

    version = forms.IntegerField(min_value=1, max_value=2**31 - 1)
    english_version = forms.IntegerField(min_value=1, max_value=2**31 - 1)
    reads_language = forms.BooleanField(
        error_messages={"required": "Only somebody who reads the language can say so."},
    )
    says_the_same = forms.BooleanField(
        label="I have read this and it says what the English says",
        error_messages={"required": "Read all three parts first, then tick this."},
    )

    def __init__(
        self, *args: Any, name: str, language: Language, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        reads = f"I, {name}, read {language.english_name}"
        self.fields["reads_language"].label = reads
