"""What a person may type about people and themself; checks, and nothing that writes."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import SetPasswordMixin
from phonenumber_field.formfields import PhoneNumberField

from schools.authority import Place, roles_to_give
from schools.crisis_team_forms import DateInput
from schools.models import Agency, School, User
from schools.permissions import AGENCY_ROLES, DISTRICT_ROLES, Permission, Role


class PlacedRole(forms.Form):
    """A role and the place it is held at; only what the giver could give is offered."""

    role = forms.ChoiceField()
    school = forms.ModelChoiceField(
        School.objects.none(), required=False, empty_label="None: not at a school"
    )
    agency = forms.ModelChoiceField(
        Agency.objects.none(), required=False, empty_label="None: not an agency’s"
    )

    def __init__(
        self, data: Mapping[str, Any] | None, *, giver: User, now: datetime, **kwargs
    ) -> None:
        super().__init__(data, **kwargs)
        role, school, agency = (self.fields[n] for n in ("role", "school", "agency"))
        offered = roles_to_give(giver, now=now)
        if isinstance(role, forms.ChoiceField):
            role.choices = [("", "Choose"), *((one, one.label) for one in offered)]
        schools = giver.schools_where(Permission.MANAGE_PEOPLE).open()
        if isinstance(school, forms.ModelChoiceField):
            school.queryset = schools
            if schools.count() == 1 and not giver.may_everywhere(
                Permission.MANAGE_PEOPLE
            ):
                school.initial = schools.get()
        if set(offered) & (AGENCY_ROLES | {Role.SRO}):
            if isinstance(agency, forms.ModelChoiceField):
                agency.queryset = Agency.objects.all()
        else:
            del self.fields["agency"]

    def clean(self) -> dict[str, Any]:
        """The place fits the role."""
        cleaned = super().clean() or self.cleaned_data
        role = cleaned.get("role")
        if not role:
            return cleaned
        school, agency = cleaned.get("school"), cleaned.get("agency")
        words = Role(role).label
        if role in DISTRICT_ROLES:
            if school or agency:
                self.add_error(
                    "school" if school else "agency",
                    f"{words} is a role for the whole district: choose “None” here.",
                )
        elif role in AGENCY_ROLES:
            if school:
                self.add_error("school", f"{words} is a role in an agency.")
            if not agency:
                self.add_error("agency", "Say which agency.")
        else:
            if not school and "school" not in self.errors:
                self.add_error("school", "Say which school.")
            if agency and role != Role.SRO:
                self.add_error("agency", f"{words} is not a role of an agency.")
        return cleaned

    def place(self) -> Place:
        """Where the role is held."""
        return Place(self.cleaned_data["school"], self.cleaned_data.get("agency"))

    def chosen(self) -> Role:
        """The role itself."""
        return Role(self.cleaned_data["role"])


class InvitationForm(PlacedRole):
    """Whom to invite."""

    email = forms.EmailField(help_text="They sign in with it.")
    name = forms.CharField(
        max_length=120, required=False, help_text="They can put it right themselves."
    )
    field_order = ("email", "name", "role", "school", "agency")


class RoleForm(PlacedRole):
    """A role from one day to another, or without an end."""

    acting = forms.BooleanField(
        label="Acting: stands in for somebody, and needs a last day", required=False
    )
    first_day = forms.DateField(widget=DateInput)
    last_day = forms.DateField(
        required=False,
        widget=DateInput,
        help_text="Empty: until somebody ends it. The role counts exactly between "
        "these days, both included.",
    )

    def clean(self) -> dict[str, Any]:
        """Days in their order; acting has an end."""
        cleaned = super().clean()
        first, last = cleaned.get("first_day"), cleaned.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", "The last day is before the first.")
        if cleaned.get("acting") and not last and "last_day" not in self.errors:
            self.add_error("last_day", "Acting for somebody needs a last day.")
        return cleaned


class EndForm(forms.Form):
    """The last day of a role; empty ends it at once."""

    last_day = forms.DateField(
        required=False, widget=DateInput, help_text="Empty: it ends at once, today."
    )

    def ended_on(self, today: date) -> date:
        """The first day without the role."""
        last = self.cleaned_data["last_day"]
        return last + timedelta(days=1) if last else today


class LeavingForm(forms.Form):
    """The last day of a person, and who goes on with what they have under way."""

    last_day = forms.DateField(
        required=False,
        widget=DateInput,
        help_text="Empty: at once. Every session ends with the next page.",
    )
    taken_over_by = forms.ModelChoiceField(
        User.objects.none(), label="Who takes over", required=False
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        person: User,
        reader: User,
        needs_somebody: bool,
        today: date,
    ) -> None:
        # Today stands in the field: “at once” is only for who empties it on purpose.
        super().__init__(data, initial={"last_day": today})
        among = User.objects.visible_to(reader) | User.objects.filter(pk=reader.pk)
        others = among.filter(is_active=True, leaves_at=None).exclude(pk=person.pk)
        field = self.fields["taken_over_by"]
        field.required = needs_somebody
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = others.order_by("name")


class DetailsForm(forms.Form):
    """One's own name, mobile and language."""

    name = forms.CharField(max_length=120, widget=forms.TextInput())
    mobile = PhoneNumberField(
        required=False, help_text="Emergency alerts to staff go here, too."
    )
    language = forms.ChoiceField(choices=settings.LANGUAGES)

    def __init__(
        self, data: Mapping[str, Any] | None, *, user: User | None = None
    ) -> None:
        initial = {}
        if user is not None:
            initial = {name: getattr(user, name) for name in type(self).base_fields}
        super().__init__(data, initial=initial)
        self.fields["name"].widget.attrs["autocomplete"] = "name"
        self.fields["mobile"].widget.attrs["autocomplete"] = "tel"

    def details(self) -> dict[str, str]:
        """What was typed, as the actions take it."""
        return {
            "name": self.cleaned_data["name"],
            "mobile": str(self.cleaned_data["mobile"] or ""),
            "language": self.cleaned_data["language"],
        }


class NewPassword(SetPasswordMixin, forms.Form):
    """A new password, twice, judged by Django's validators."""

    password, again = SetPasswordMixin.create_password_fields(
        "Password", "The same password again"
    )

    def __init__(self, data: Mapping[str, Any] | None, *, user: User) -> None:
        super().__init__(data)
        self.user = user

    def clean(self) -> dict[str, Any]:
        """Twice the same, and good enough for this person."""
        self.validate_passwords("password", "again")
        self.validate_password_for_user(self.user, "password")
        return super().clean() or self.cleaned_data


class OwnPassword(NewPassword):
    """A new password for oneself; the old one comes first."""

    old = forms.CharField(
        label="Your password now",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    field_order = ("old", "password", "again")

    def clean_old(self) -> str:
        """Somebody at an open computer must not lock its owner out."""
        old = self.cleaned_data["old"]
        if not self.user.check_password(old):
            raise forms.ValidationError("This is not your password.")
        return old


class JoinForm(NewPassword):
    """What an invited person says about themself; never the email."""

    name = forms.CharField(
        max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    mobile = PhoneNumberField(
        required=False, help_text="Emergency alerts to staff go here, too."
    )
    language = forms.ChoiceField(choices=settings.LANGUAGES)
    field_order = ("name", "mobile", "language", "password", "again")

    def __init__(
        self, data: Mapping[str, Any] | None, *, user: User, name: str = ""
    ) -> None:
        super().__init__(data, user=user)
        self.fields["name"].initial = name

    def joining(self) -> dict[str, str]:
        """What was typed, as the action takes it."""
        return {
            "name": self.cleaned_data["name"],
            "mobile": str(self.cleaned_data["mobile"] or ""),
            "language": self.cleaned_data["language"],
            "password": self.cleaned_data["password"],
        }
