"""People who sign in, and the roles they hold."""

from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce, Lower
from django.utils import timezone
from phonenumber_field.modelfields import PhoneNumberField

from schools.permissions import (
    AGENCY_ROLES,
    AGREEMENT_ROLES,
    DISTRICT_ROLES,
    GRANTS,
    Permission,
    Role,
    roles_with,
)

from .partners import Agency, Agreement
from .places import District, School, SchoolQuerySet
from .today import DateThere


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None, **fields: Any) -> "User":
        """A saved person with a lower-case email and a hashed password."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save()
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        """The person who signs in with this email, in any case of letters."""
        return self.get(email__iexact=(username or "").strip())

    def visible_to(self, reader: "User") -> models.QuerySet["User"]:
        """People with a role, past ones too, where `reader` may see people."""
        if reader.may_everywhere(Permission.SEE_PEOPLE):
            return self.all()
        schools = reader.schools_where(Permission.SEE_PEOPLE)
        return self.filter(
            Exists(Membership.objects.filter(user=OuterRef("pk"), school__in=schools))
        )


class User(AbstractBaseUser):
    """One person who can sign in. The email is the name they sign in with."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    mobile = PhoneNumberField(blank=True)
    language = models.CharField(max_length=8, default="en")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    leaves_at = models.DateTimeField(
        null=True, blank=True, help_text="From this moment on nothing opens for them"
    )

    objects = UserManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(email=Lower("email")), name="emails_are_lower_case"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def may(
        self,
        permission: Permission,
        school: School | None = None,
        *,
        now: datetime | None = None,
    ) -> bool:
        """True if a role that counts today grants it: at `school`, or anywhere."""
        granting = self._granting(permission, now)
        if school is not None:
            granting = granting.reaching(school, now)
        return self.is_active and granting.exists()

    def may_everywhere(
        self, permission: Permission, *, now: datetime | None = None
    ) -> bool:
        """True if a role that counts today grants it for the whole district."""
        granting = self._granting(permission, now)
        return self.is_active and granting.for_the_district().exists()

    def held(self, *, now: datetime | None = None) -> frozenset[Permission]:
        """Everything that the roles which count today grant, at whatever place."""
        if not self.is_active:
            return frozenset()
        roles = self.memberships.standing(now).values_list("role", flat=True)
        return frozenset().union(*(GRANTS[Role(role)] for role in set(roles)))

    def schools_where(
        self, permission: Permission, *, now: datetime | None = None
    ) -> SchoolQuerySet:
        """Every school at which this person holds the permission today."""
        granting = self._granting(permission, now)
        if not self.is_active:
            return School.objects.none()
        if granting.for_the_district().exists():
            return School.objects.all()
        here = Q(pk__in=granting.filter(school__isnull=False).values("school"))
        if not roles_with(permission) & AGENCY_ROLES:
            return School.objects.filter(here)
        agencies = granting.filter(role__in=AGENCY_ROLES).values("agency")
        covered = School.objects.covered_for(agencies, now)
        return School.objects.filter(here | Q(pk__in=covered.values("pk")))

    def _granting(
        self, permission: Permission, now: datetime | None
    ) -> "MembershipQuerySet":
        """This person's roles that grant it today.

        Agreements are asked about only for what an agency's people may do at all:
        the question costs several times the rest.
        """
        granting = self.memberships.granting(permission)
        if roles_with(permission) & AGREEMENT_ROLES:
            return granting.standing(now)
        return granting.current(now=now)

    def has_left(self, now: datetime) -> bool:
        """True from the moment at which this person leaves."""
        return self.leaves_at is not None and now >= self.leaves_at

    @property
    def title(self) -> str:
        """The first role in words, such as “Principal, Lincoln High”; may be empty."""
        membership = (
            self.memberships.current().select_related("school", "agency").first()
        )
        return str(membership) if membership else ""


class MembershipQuerySet(models.QuerySet["Membership"]):
    def current(
        self, on: date | None = None, *, now: datetime | None = None
    ) -> "MembershipQuerySet":
        """Memberships in force on a date: begun, not ended.

        The default is today, each at its own school; for the district's and an
        agency's people, in the district.
        """
        today = on or DateThere(_zone(), now)
        return self.filter(started_on__lte=today).filter(
            Q(ended_on=None) | Q(ended_on__gt=today)
        )

    def standing(self, now: datetime | None = None) -> "MembershipQuerySet":
        """Those that count today: current and, where the role rests on an agreement
        with an agency, with one that is valid.

        For an officer the agency is the one the role names, the officer's own, or
        the school's. Access ends at the school's midnight, with no job having to run.
        """
        theirs = OuterRef(OuterRef("agency"))
        officers = OuterRef(OuterRef("user__officer__agency"))
        own_school = School.objects.covered_for(
            Coalesce(theirs, officers, OuterRef("agency")), now
        ).filter(pk=OuterRef("school"))
        supervised = School.objects.covered_for(theirs, now)
        return self.current(now=now).filter(
            ~Q(role__in=AGREEMENT_ROLES)
            | Q(Exists(own_school), school__isnull=False)
            | Q(Exists(supervised), role__in=AGENCY_ROLES)
        )

    def reaching(
        self, school: School, now: datetime | None = None
    ) -> "MembershipQuerySet":
        """Memberships that reach this school: its own, the district's, an agency's."""
        covering = Agreement.objects.valid(school.today(now or timezone.now()))
        here = covering.covering(school).filter(agency=OuterRef("agency"))
        return self.filter(
            Q(school=school)
            | Q(role__in=DISTRICT_ROLES)
            | Q(Exists(here), role__in=AGENCY_ROLES)
        )

    def visible_to(self, reader: User) -> "MembershipQuerySet":
        """Memberships, past ones too, where `reader` may see people."""
        if reader.may_everywhere(Permission.SEE_PEOPLE):
            return self
        return self.filter(school__in=reader.schools_where(Permission.SEE_PEOPLE))

    def ended(self, on: date) -> "MembershipQuerySet":
        """Over on that day, or never in force."""
        return self.filter(ended_on__lte=on)

    def ahead(self, on: date) -> "MembershipQuerySet":
        """To begin after that day."""
        return self.filter(started_on__gt=on).filter(
            Q(ended_on=None) | Q(ended_on__gt=F("started_on"))
        )

    def at(self, school: School | None, agency: Agency | None) -> "MembershipQuerySet":
        """Those held at exactly this place."""
        return self.filter(school=school, agency=agency)

    def for_the_district(self) -> "MembershipQuerySet":
        """Memberships held for the whole district."""
        return self.filter(role__in=DISTRICT_ROLES)

    def granting(self, permission: Permission) -> "MembershipQuerySet":
        """Memberships whose role carries the permission."""
        return self.filter(role__in=roles_with(permission))


def _zone() -> Coalesce:
    """Where a membership's days begin: at its school, or else in the district."""
    # Subqueries: a path through `school` would join, and drop who is at none.
    school = School.objects.filter(pk=OuterRef("school")).values("timezone")
    district = District.objects.order_by("pk").values("timezone")[:1]
    return Coalesce(Subquery(school), Subquery(district), Value(settings.TIME_ZONE))


class Membership(models.Model):
    """A person's role at one school, in an agency, or for the whole district.

    In force from `started_on` until the midnight in which `ended_on` begins. An
    officer's membership names the school and may name the officer's agency.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=32, choices=Role)
    school = models.ForeignKey(
        School, models.CASCADE, null=True, blank=True, related_name="memberships"
    )
    agency = models.ForeignKey(
        Agency, models.PROTECT, null=True, blank=True, related_name="memberships"
    )
    started_on = models.DateField()
    ended_on = models.DateField(null=True, blank=True)
    acting = models.BooleanField(
        default=False, help_text="Stands in for somebody, from one day to another"
    )

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(role__in=DISTRICT_ROLES, school=None, agency=None)
                | Q(role__in=AGENCY_ROLES, school=None, agency__isnull=False)
                | (
                    ~Q(role__in=DISTRICT_ROLES | AGENCY_ROLES)
                    & Q(school__isnull=False)
                    & (Q(agency=None) | Q(role=Role.SRO))
                ),
                name="a_role_names_its_school_its_agency_or_neither",
            ),
            models.CheckConstraint(
                condition=Q(ended_on=None) | Q(ended_on__gte=F("started_on")),
                name="a_role_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(acting=False) | Q(ended_on__isnull=False),
                name="an_acting_role_has_an_end",
            ),
            models.UniqueConstraint(
                fields=["user", "role", "school"],
                condition=Q(ended_on=None, school__isnull=False),
                name="a_current_school_role_is_held_once",
            ),
            models.UniqueConstraint(
                fields=["user", "role"],
                condition=Q(ended_on=None, school=None, agency=None),
                name="a_current_district_role_is_held_once",
            ),
            models.UniqueConstraint(
                fields=["user", "role", "agency"],
                condition=Q(ended_on=None, school=None, agency__isnull=False),
                name="a_current_agency_role_is_held_once",
            ),
        ]

    def __str__(self) -> str:
        role = self.get_role_display()
        if self.acting:
            role = f"Acting {role[0].lower()}{role[1:]}"
        # An officer's place is the school; the agency is said on the officer's page.
        where = self.school or self.agency
        return f"{role}, {where}" if where else role
