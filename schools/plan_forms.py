"""What a person may type about a safety plan: checks, and nothing that writes."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms

from schools.actions.plans import Slot
from schools.models import (
    Audience,
    NamedGroup,
    Phase,
    PlanSection,
    PlanText,
    SafetyPlan,
)
from schools.plan_structure import WRITTEN_FOR, phases

LONGEST = 12_000
"""Characters of one text: about four pages, more than anyone reads in an emergency."""


def slot_name(phase: str, audience: str) -> str:
    """The name of a slot's field: `during-staff`."""
    return f"{phase}-{audience}"


class SectionForm(forms.Form):
    """A section's texts, one field for each phase and audience.

    Restricted texts have a field only for those who may read them; what has no field
    stays as it is.
    """

    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        section: PlanSection,
        may_read_restricted: bool,
    ) -> None:
        self.texts: dict[Slot, PlanText] = {
            (Phase(one.phase), Audience(one.audience)): one
            for one in section.texts.select_related("determination__determined_by")
        }
        initial: dict[str, Any] = {
            slot_name(*slot): one.body for slot, one in self.texts.items()
        }
        initial["revision"] = section.revision
        initial["does_not_apply_because"] = section.does_not_apply_because
        super().__init__(data, initial=initial)
        self.slots: list[Slot] = []
        self.withheld: list[PlanText] = []
        for phase in phases(section.kind):
            for audience in WRITTEN_FOR:
                text = self.texts.get((phase, audience))
                if text is not None and text.is_restricted and not may_read_restricted:
                    self.withheld.append(text)
                    continue
                self.slots.append((phase, audience))
                self.fields[slot_name(phase, audience)] = forms.CharField(
                    label=f"{phase.label}, for {audience.label.lower()}",
                    required=False,
                    max_length=LONGEST,
                    widget=forms.Textarea(attrs={"rows": 6}),
                )
        if section.kind == PlanSection.Kind.HAZARD:
            self.fields["does_not_apply_because"] = forms.CharField(
                label="Does not apply here, because",
                required=False,
                max_length=300,
                help_text="Leave empty if the hazard can happen here.",
            )

    def written(self) -> dict[Slot, str]:
        """What stands in each field."""
        return {slot: self.cleaned_data[slot_name(*slot)] for slot in self.slots}


class ReturnForm(forms.Form):
    """Why a version goes back to its authors."""

    because = forms.CharField(
        label="What should change?",
        min_length=4,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The authors read this above their draft.",
        error_messages={"required": "Say what should change."},
    )


class DeterminationForm(forms.Form):
    """Why a text is security information, or no longer."""

    because = forms.CharField(
        label="Why?",
        min_length=8,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Everyone the text was written for reads this reason, so put nothing "
        "secret into it.",
        error_messages={"required": "A determination needs its reason."},
    )


class BoardApprovalForm(forms.Form):
    """On what day the board approved."""

    approved_on = forms.DateField(
        label="Approved on", widget=forms.DateInput(attrs={"type": "date"})
    )


class ParticipationForm(forms.Form):
    """Who from a named group took part, when and how."""

    group = forms.ChoiceField(label="Group", choices=NamedGroup.choices)
    who = forms.CharField(
        label="Who", max_length=160, help_text="A name, and whom they speak for."
    )
    took_part_on = forms.DateField(
        label="On", widget=forms.DateInput(attrs={"type": "date"})
    )
    how = forms.CharField(
        label="How",
        max_length=300,
        required=False,
        help_text="Such as: walked the building; read the draft; planning meeting.",
    )

    def __init__(self, data: Mapping[str, Any] | None, *, today: date) -> None:
        super().__init__(data, initial={"took_part_on": today})


class CompareForm(forms.Form):
    """Two versions to lay side by side; anything else falls back to the newest two."""

    before = forms.TypedChoiceField(label="From version", coerce=int)
    after = forms.TypedChoiceField(label="to version", coerce=int)

    def __init__(
        self, data: Mapping[str, Any] | None, *, plans: list[SafetyPlan]
    ) -> None:
        choices = [
            (plan.version, f"{plan.version} ({plan.get_status_display().lower()})")
            for plan in plans
        ]
        super().__init__(data)
        for name in ("before", "after"):
            field = self.fields[name]
            if isinstance(field, forms.TypedChoiceField):
                field.choices = choices
