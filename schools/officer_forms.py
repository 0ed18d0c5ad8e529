"""Forms about officers and the two logs; they check and never save."""

from datetime import date
from typing import Any

from django import forms
from django.db.models import QuerySet
from phonenumber_field.formfields import PhoneNumberField

from schools.models import (
    WEEKDAYS,
    Agency,
    Duty,
    Engagement,
    OfficerAssignment,
    OfficerCertificate,
    School,
    Sro,
    User,
)
from schools.models.engagement import WITH_WHOM

NO_NAMES = "Do not name students, not even by initials."
LONGEST_DAY = 1440  # minutes


class DateInput(forms.DateInput):
    """The browser's own date picker, in the one form every browser understands."""

    input_type = "date"

    def __init__(self, **attrs: Any) -> None:
        super().__init__(attrs=attrs, format="%Y-%m-%d")


class OfficerForm(forms.Form):
    """Who an officer is."""

    name = forms.CharField(max_length=120)
    agency = forms.ModelChoiceField(Agency.objects.none())
    phone = PhoneNumberField(help_text="The officer's own number, for the school")
    assumed_duties_on = forms.DateField(
        label="First day as a school resource officer",
        help_text="The training clock of Minn. Stat. 626.8482 starts here.",
        widget=DateInput(),
    )
    user = forms.ModelChoiceField(
        User.objects.none(),
        required=False,
        label="Signs in as",
        empty_label="Does not sign in",
        help_text="Only people who hold the role of a school resource officer.",
    )

    def __init__(self, *args, officer: Sro | None = None, **kwargs) -> None:
        if officer is not None:
            kwargs["initial"] = {
                "name": officer.name,
                "agency": officer.agency_id,
                "phone": officer.phone,
                "assumed_duties_on": officer.assumed_duties_on,
                "user": officer.user_id,
            }
        super().__init__(*args, **kwargs)
        _choose(self, "agency", Agency.objects.all())
        people = User.objects.filter(
            memberships__role="sro", memberships__ended_on=None, is_active=True
        )
        if officer is not None and officer.user_id:
            people |= User.objects.filter(pk=officer.user_id)
        _choose(self, "user", people.distinct().order_by("name"))


class LastDayForm(forms.Form):
    """The last day of an officer."""

    on = forms.DateField(label="Last day", widget=DateInput())


class AssignmentForm(forms.Form):
    """Where an officer works, on which weekdays, from when."""

    school = forms.ModelChoiceField(School.objects.none())
    weekdays = forms.MultipleChoiceField(
        choices=[(day, day.capitalize()) for day in WEEKDAYS],
        widget=forms.CheckboxSelectMultiple,
        initial=list(WEEKDAYS),
    )
    is_lead_school = forms.BooleanField(
        required=False,
        label="This is the officer's lead school",
        help_text="Where the desk is. An officer has one at a time.",
    )
    backup = forms.ModelChoiceField(
        Sro.objects.none(),
        required=False,
        label="Backup officer",
        empty_label="No backup",
    )
    started_on = forms.DateField(label="From", widget=DateInput())
    ended_on = forms.DateField(
        label="Last day",
        required=False,
        widget=DateInput(),
        help_text="Leave it empty while no end is known.",
    )

    def __init__(
        self,
        *args,
        officer: Sro,
        today: date,
        assignment: OfficerAssignment | None = None,
        **kwargs,
    ) -> None:
        kwargs["initial"] = {"started_on": max(today, officer.assumed_duties_on)}
        if assignment is not None:
            kwargs["initial"] = {
                "weekdays": list(assignment.weekdays),
                "is_lead_school": assignment.is_lead_school,
                "backup": assignment.backup_id,
                "started_on": assignment.started_on,
                "ended_on": assignment.ended_on,
            }
        super().__init__(*args, **kwargs)
        others = Sro.objects.serving(today).select_related("agency")
        _choose(self, "backup", others.exclude(pk=officer.pk))
        if assignment is not None:
            del self.fields["school"]
        else:
            _choose(self, "school", School.objects.open())


class CertificateForm(forms.Form):
    """A course an officer has completed."""

    course = forms.ChoiceField(
        choices=OfficerCertificate.Course.choices,
        widget=forms.RadioSelect,
        initial=OfficerCertificate.Course.REQUIRED,
    )
    completed_on = forms.DateField(label="Completed on", widget=DateInput())
    reference = forms.CharField(
        max_length=120,
        required=False,
        label="Number or provider on the certificate",
    )


class WithdrawForm(forms.Form):
    """Why a certificate is taken back."""

    because = forms.CharField(max_length=200, label="Why it is withdrawn")


class DutyForm(forms.Form):
    """One duty of an officer on a day."""

    officer = forms.ModelChoiceField(Sro.objects.none())
    school = forms.ModelChoiceField(School.objects.none())
    on = forms.DateField(label="Day", widget=DateInput())
    duty = forms.ChoiceField(choices=Duty.choices, widget=forms.RadioSelect)
    minutes = forms.IntegerField(min_value=1, max_value=LONGEST_DAY)
    note = forms.CharField(
        max_length=500,
        required=False,
        help_text=NO_NAMES,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    warning_read = forms.BooleanField(
        required=False,
        label="I have read this. Log it; the entry will be marked.",
    )

    def __init__(
        self,
        *args,
        officers: QuerySet[Sro],
        schools: QuerySet[School],
        **kwargs,
    ) -> None:
        super().__init__(*args, **kwargs)
        _choose(self, "officer", officers.select_related("agency"))
        _choose(self, "school", schools)


class EngagementForm(forms.Form):
    """A visit, class, event or meeting."""

    school = forms.ModelChoiceField(School.objects.none())
    who = forms.ChoiceField(label="Officer, agency or partner")
    kind = forms.ChoiceField(choices=Engagement.Kind.choices, widget=forms.RadioSelect)
    on = forms.DateField(label="Day", widget=DateInput())
    minutes = forms.IntegerField(min_value=1, max_value=LONGEST_DAY)
    with_whom = forms.MultipleChoiceField(
        label="With",
        choices=[(one, one.capitalize()) for one in WITH_WHOM],
        widget=forms.CheckboxSelectMultiple,
    )
    what = forms.CharField(max_length=120, label="What it was", help_text=NO_NAMES)
    note = forms.CharField(
        max_length=500,
        required=False,
        help_text=NO_NAMES,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(
        self,
        *args,
        officers: QuerySet[Sro],
        schools: QuerySet[School],
        entry: Engagement | None = None,
        **kwargs,
    ) -> None:
        if entry is not None:
            kwargs["initial"] = {
                "school": entry.school_id,
                "who": who_value(entry.officer or entry.agency),
                "kind": entry.kind,
                "on": entry.on,
                "minutes": entry.minutes,
                "with_whom": [
                    one for one in WITH_WHOM if getattr(entry, f"with_{one}")
                ],
                "what": entry.what,
                "note": entry.note,
            }
            schools = schools | School.objects.filter(pk=entry.school_id)
        super().__init__(*args, **kwargs)
        _choose(self, "school", schools)
        self._who: dict[str, Sro | Agency] = {}
        for officer in officers.select_related("agency"):
            self._who[who_value(officer)] = officer
        for agency in Agency.objects.all():
            self._who[who_value(agency)] = agency
        if entry is not None:
            one = entry.officer or entry.agency
            self._who.setdefault(who_value(one), one)
        groups: dict[str, list[tuple[str, str]]] = {}
        for value, one in self._who.items():
            kind = "Officers" if isinstance(one, Sro) else "Agencies and partners"
            groups.setdefault(kind, []).append((value, str(one)))
        field = self.fields["who"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [("", "---------"), *groups.items()]

    def values(self) -> dict[str, Any]:
        """What the actions take, of a valid form."""
        data = dict(self.cleaned_data)
        who = self._who[data.pop("who")]
        with_whom = data.pop("with_whom")
        return (
            data
            | {
                "officer": who if isinstance(who, Sro) else None,
                "agency": who.agency if isinstance(who, Sro) else who,
            }
            | {f"with_{one}": one in with_whom for one in WITH_WHOM}
        )


def who_value(one: Sro | Agency) -> str:
    """“officer-3”, “agency-2”: the value of a choice."""
    return f"{'officer' if isinstance(one, Sro) else 'agency'}-{one.pk}"


def _choose(form: forms.Form, name: str, rows: QuerySet) -> None:
    field = form.fields[name]
    if isinstance(field, forms.ModelChoiceField):
        field.queryset = rows
        if rows.count() == 1 and field.required:
            field.empty_label = None
