"""What a person may type about agencies and agreements; checks, and never saves."""

from collections.abc import Mapping
from typing import Any

from django import forms
from phonenumber_field.formfields import PhoneNumberField

from schools.actions.partners import AgencyFacts, Terms
from schools.models import Agency, Agreement, Clause, Membership, School, User

CLAUSE_HINTS = {
    Clause.Kind.DATA_SHARING: "What is shared, with whom, and what must not be kept.",
    Clause.Kind.DUTIES: "What officers do at school, and what they do not.",
    Clause.Kind.TRAINING: "Which training, by when, and who pays.",
    Clause.Kind.EMERGENCY_CONTACT: "Radio channel, phone, who answers at night.",
    Clause.Kind.TERMINATION_NOTICE: "How many days before, and to whom.",
}


class AgencyForm(forms.Form):
    """An agency and whom in the district to ask about it."""

    name = forms.CharField(label="Name", max_length=120)
    kind = forms.ChoiceField(label="Kind", choices=Agency.Kind.choices)
    dispatch_phone = PhoneNumberField(
        label="Dispatch phone",
        help_text="For what is not urgent. Never 911.",
    )
    owner = forms.ModelChoiceField(
        User.objects.none(),
        label="Who in the district looks after it",
        required=False,
        empty_label="Nobody in particular",
        help_text="Gets the reminders before an agreement ends, with the coordinator.",
    )

    def __init__(
        self, data: Mapping[str, Any] | None, *, agency: Agency | None
    ) -> None:
        held = {
            name: getattr(agency, name)
            for name in ("name", "kind", "dispatch_phone", "owner")
            if agency
        }
        super().__init__(data, initial=held)
        district = Membership.objects.current().for_the_district().values("user")
        owner = self.fields["owner"]
        if isinstance(owner, forms.ModelChoiceField):
            people = User.objects.filter(is_active=True, pk__in=district)
            if agency and agency.owner_id:
                people |= User.objects.filter(pk=agency.owner_id)
            owner.queryset = people.order_by("name")

    def facts(self) -> AgencyFacts:
        """The checked answers."""
        data = self.cleaned_data
        return AgencyFacts(
            name=data["name"],
            kind=data["kind"],
            dispatch_phone=str(data["dispatch_phone"]),
            owner=data["owner"],
        )


class _Day(forms.DateField):
    """A day, with the browser's own calendar."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class TermsForm(forms.Form):
    """What both sides signed; a box for each kind of clause, which may stay empty."""

    number = forms.CharField(label="Number", max_length=40)
    title = forms.CharField(label="Title", max_length=160)
    starts_on = _Day(label="First day")
    ends_on = _Day(
        label="Last day",
        help_text="What its people may see ends at midnight after this day.",
    )
    covers_every_school = forms.BooleanField(
        label="It covers every school of the district", required=False
    )
    schools = forms.ModelMultipleChoiceField(
        School.objects.none(), label="Schools", required=False
    )
    signed_on = _Day(label="Signed on")
    signed_for_district = forms.CharField(
        label="Signed for the district by", max_length=120
    )
    signed_for_agency = forms.CharField(
        label="Signed for the agency by", max_length=120
    )
    document_reference = forms.CharField(
        label="Where the document is",
        max_length=160,
        required=False,
        help_text="A file number or a folder, so that somebody can find the paper.",
    )

    def __init__(
        self, data: Mapping[str, Any] | None, *, renewing: Agreement | None = None
    ) -> None:
        super().__init__(data, initial=_carried(renewing) if renewing else {})
        schools = self.fields["schools"]
        if isinstance(schools, forms.ModelMultipleChoiceField):
            schools.queryset = School.objects.open()
        for kind in Clause.Kind:
            self.fields[f"clause_{kind.value}"] = forms.CharField(
                label=str(kind.label),
                required=False,
                max_length=4000,
                help_text=CLAUSE_HINTS.get(kind, ""),
                widget=forms.Textarea(attrs={"rows": 3}),
            )

    def clean(self) -> dict[str, Any]:
        """The days are in order and something is covered."""
        data = super().clean() or self.cleaned_data
        starts, ends = data.get("starts_on"), data.get("ends_on")
        if starts and ends and ends < starts:
            self.add_error("ends_on", "The last day comes before the first.")
        if not data.get("covers_every_school") and not data.get("schools"):
            self.add_error("schools", "Choose at least one school, or every school.")
        return data

    def terms(self) -> Terms:
        """The checked answers."""
        data = self.cleaned_data
        return Terms(
            number=data["number"],
            title=data["title"],
            starts_on=data["starts_on"],
            ends_on=data["ends_on"],
            signed_on=data["signed_on"],
            signed_for_district=data["signed_for_district"],
            signed_for_agency=data["signed_for_agency"],
            document_reference=data["document_reference"],
            covers_every_school=data["covers_every_school"],
            schools=tuple(data["schools"]),
            clauses={
                kind.value: data[f"clause_{kind.value}"]
                for kind in Clause.Kind
                if data[f"clause_{kind.value}"]
            },
        )

    def basics(self) -> list[forms.BoundField]:
        """The fields of the first part of the page."""
        return [self[name] for name in ("number", "title", "starts_on", "ends_on")]

    def signing(self) -> list[forms.BoundField]:
        """The fields about who signed."""
        names = ("signed_on", "signed_for_district", "signed_for_agency")
        return [self[name] for name in (*names, "document_reference")]

    def clause_boxes(self) -> list[forms.BoundField]:
        """A box for each kind of clause."""
        return [self[f"clause_{kind.value}"] for kind in Clause.Kind]

    def chosen(self) -> set[int]:
        """Keys of the schools that are ticked."""
        return {int(pk) for pk in self["schools"].value() or () if str(pk).isdigit()}


def _carried(old: Agreement) -> dict[str, Any]:
    """What a renewal starts from: everything but the days and the signatures."""
    return {
        "title": old.title,
        "starts_on": old.ends_on.fromordinal(old.ends_on.toordinal() + 1),
        "covers_every_school": old.covers_every_school,
        "schools": list(old.schools.values_list("pk", flat=True)),
        "document_reference": old.document_reference,
    } | {f"clause_{one.kind}": one.text for one in old.clauses.all()}


class EndForm(forms.Form):
    """The day from which an agreement is over, and why."""

    on = _Day(
        label="Over from",
        help_text="From the midnight in which this day begins, its people see nothing.",
    )
    because = forms.CharField(
        label="Why?",
        max_length=200,
        min_length=4,
        help_text="Kept with the agreement and in the audit log.",
    )
