"""People who sign in, and the roles they hold."""

from datetime import date
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from phonenumber_field.modelfields import PhoneNumberField

from schools.permissions import DISTRICT_ROLES, Permission, Role, roles_with

from .places import School


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


class User(AbstractBaseUser):
    """One person who can sign in. The email is the name they sign in with."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    mobile = PhoneNumberField(blank=True)
    language = models.CharField(max_length=8, default="en")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

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

    def may(self, permission: Permission, school: School | None = None) -> bool:
        """True if a current role grants it: at `school`, or anywhere if none named."""
        granting = self.memberships.current().granting(permission)
        if school is not None:
            granting = granting.filter(Q(school=school) | Q(school=None))
        return self.is_active and granting.exists()

    def may_everywhere(self, permission: Permission) -> bool:
        """True if a current role grants it for the whole district."""
        granting = self.memberships.current().granting(permission)
        return self.is_active and granting.filter(school=None).exists()

    def schools_where(self, permission: Permission) -> models.QuerySet[School]:
        """Every school at which this person holds the permission."""
        granting = self.memberships.current().granting(permission)
        if not self.is_active:
            return School.objects.none()
        if granting.filter(school=None).exists():
            return School.objects.all()
        return School.objects.filter(pk__in=granting.values("school"))

    @property
    def title(self) -> str:
        """The first role in words, such as “Principal, Lincoln High”; may be empty."""
        membership = self.memberships.current().select_related("school").first()
        return str(membership) if membership else ""


class MembershipQuerySet(models.QuerySet["Membership"]):
    def current(self, on: date | None = None) -> "MembershipQuerySet":
        """Memberships in force on a date (default: not ended)."""
        if on is None:
            return self.filter(ended_on=None)
        return self.filter(started_on__lte=on).filter(
            Q(ended_on=None) | Q(ended_on__gt=on)
        )

    def granting(self, permission: Permission) -> "MembershipQuerySet":
        """Memberships whose role carries the permission."""
        return self.filter(role__in=roles_with(permission))


class Membership(models.Model):
    """A person's role at one school, or for the whole district (no school)."""

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=32, choices=Role)
    school = models.ForeignKey(
        School, models.CASCADE, null=True, blank=True, related_name="memberships"
    )
    started_on = models.DateField()
    ended_on = models.DateField(null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(role__in=DISTRICT_ROLES, school=None)
                | (~Q(role__in=DISTRICT_ROLES) & Q(school__isnull=False)),
                name="school_roles_name_a_school_and_district_roles_none",
            ),
            models.UniqueConstraint(
                fields=["user", "role", "school"],
                condition=Q(ended_on=None, school__isnull=False),
                name="a_current_school_role_is_held_once",
            ),
            models.UniqueConstraint(
                fields=["user", "role"],
                condition=Q(ended_on=None, school=None),
                name="a_current_district_role_is_held_once",
            ),
        ]

    def __str__(self) -> str:
        role = self.get_role_display()
        return f"{role}, {self.school}" if self.school else role
