"""Safety plans: what a school agreed to do, version by version, for whom to read.

A plan has sections; a section has texts, one for each phase and audience. A version
that was adopted never changes again: triggers in the database refuse it, whoever asks.
Three things may still happen to it: a later version supersedes it, the board's approval
is recorded, and a text of it is restricted.
"""

from collections.abc import Collection
from datetime import date

from django.db import models
from django.db.models import F, Q

from .people import User
from .places import School


class Audience(models.TextChoices):
    """Who may read a text, each reading what those before it read, and more."""

    PUBLIC = "public", "Everyone"
    FAMILY = "family", "Families"
    STAFF = "staff", "Staff"
    RESPONDER = "responder", "Responders"
    RESTRICTED = "restricted", "Restricted"


class Phase(models.TextChoices):
    """When a text counts; the federal guide's before, during and after."""

    THROUGHOUT = "throughout", "At all times"
    BEFORE = "before", "Before"
    DURING = "during", "During"
    AFTER = "after", "After"


class NamedGroup(models.TextChoices):
    """The groups a plan is developed with. Source: Minn. Stat. 121A.035, subd. 2."""

    ADMINISTRATORS = "administrators", "Administrators"
    TEACHERS = "teachers", "Teachers"
    EMPLOYEES = "employees", "Employees"
    STUDENTS = "students", "Students"
    PARENTS = "parents", "Parents"
    COMMUNITY_MEMBERS = "community_members", "Community members"
    LAW_ENFORCEMENT = "law_enforcement", "Law enforcement agencies"
    EMERGENCY_MANAGEMENT = (
        "emergency_management",
        "Other emergency management officials",
    )
    COUNTY_ATTORNEY = "county_attorney", "County attorney offices"
    SOCIAL_SERVICES = "social_services", "Social service agencies"
    MEDICAL_RESPONDERS = "medical_responders", "Emergency medical responders"
    OTHERS = "others", "Others"


ELEVEN_GROUPS = tuple(group for group in NamedGroup if group is not NamedGroup.OTHERS)
"""The groups the statute names; “others” may take part as well."""


class SafetyPlanQuerySet(models.QuerySet["SafetyPlan"]):
    def adopted(self) -> "SafetyPlanQuerySet":
        """The versions in force, at most one for each school."""
        return self.filter(status=SafetyPlan.Status.ADOPTED)

    def open(self) -> "SafetyPlanQuerySet":
        """The versions being worked on, at most one for each school."""
        return self.filter(status__in=SafetyPlan.OPEN)

    def ever_adopted(self) -> "SafetyPlanQuerySet":
        """The version in force and those it followed, newest first."""
        return self.exclude(status__in=SafetyPlan.OPEN).order_by("-version")


class SafetyPlan(models.Model):
    """One version of one school's plan."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        REVIEW = "review", "In review"
        ADOPTED = "adopted", "Adopted"
        SUPERSEDED = "superseded", "Superseded"

    OPEN = (Status.DRAFT, Status.REVIEW)

    school = models.ForeignKey(School, models.PROTECT, related_name="plans")
    version = models.PositiveSmallIntegerField(help_text="1, 2, 3 … at each school")
    status = models.CharField(max_length=12, choices=Status, default=Status.DRAFT)
    started_at = models.DateTimeField()
    started_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    started_from = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The version it was copied from; none: from the template",
    )
    sent_to_review_at = models.DateTimeField(null=True, blank=True)
    sent_to_review_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+"
    )
    returned_because = models.TextField(blank=True)
    adopted_on = models.DateField(null=True, blank=True)
    adopted_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+"
    )
    review_due_on = models.DateField(null=True, blank=True)
    superseded_on = models.DateField(null=True, blank=True)
    board_approved_on = models.DateField(null=True, blank=True)
    board_approval_recorded_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = SafetyPlanQuerySet.as_manager()

    class Meta:
        ordering = ["school__name", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["school", "version"], name="one_plan_per_school_and_version"
            ),
            models.UniqueConstraint(
                fields=["school"],
                condition=Q(status="adopted"),
                name="one_adopted_plan_per_school",
            ),
            models.UniqueConstraint(
                fields=["school"],
                condition=Q(status__in=["draft", "review"]),
                name="one_plan_per_school_is_being_worked_on",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "review", "adopted", "superseded"]),
                name="a_plan_is_in_a_known_status",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=["draft", "review"],
                    adopted_on=None,
                    adopted_by=None,
                    review_due_on=None,
                )
                | Q(
                    status__in=["adopted", "superseded"],
                    adopted_on__isnull=False,
                    adopted_by__isnull=False,
                    review_due_on__gt=F("adopted_on"),
                ),
                name="an_adopted_plan_says_when_by_whom_and_until",
            ),
            models.CheckConstraint(
                condition=Q(status="superseded", superseded_on__isnull=False)
                | (~Q(status="superseded") & Q(superseded_on=None)),
                name="a_superseded_plan_says_since_when",
            ),
            models.CheckConstraint(
                condition=Q(
                    sent_to_review_at__isnull=False, sent_to_review_by__isnull=False
                )
                | (
                    Q(sent_to_review_at=None, sent_to_review_by=None)
                    & Q(status="draft")
                ),
                name="a_plan_past_its_draft_says_who_sent_it_to_review",
            ),
            models.CheckConstraint(
                condition=Q(board_approved_on=None, board_approval_recorded_by=None)
                | Q(
                    board_approved_on__isnull=False,
                    board_approval_recorded_by__isnull=False,
                ),
                name="a_board_approval_says_who_recorded_it",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.school}, version {self.version}"

    @property
    def subject(self) -> str:
        """How the audit log names it."""
        return f"plan:{self.pk}"

    @property
    def is_open(self) -> bool:
        """True while it is being worked on."""
        return self.status in self.OPEN

    def review_is_overdue(self, today: date) -> bool:
        """True when the twelve months of an adopted version are over."""
        return self.review_due_on is not None and self.review_due_on < today


class PlanSection(models.Model):
    """One part of one version: the basic plan, a function, or a hazard.

    `key` is stable across versions and schools (`functional.lockdown`,
    `hazard.tornado`): drills name it when they exercise it. `revision` grows with every
    save, so that two people who edit at once both find out.
    """

    class Kind(models.TextChoices):
        BASIC = "basic", "Basic plan"
        FUNCTIONAL = "functional", "Functional annexes"
        HAZARD = "hazard", "Hazard annexes"

    class HazardType(models.TextChoices):
        NATURAL = "natural", "Natural"
        TECHNOLOGICAL = "technological", "Technological"
        BIOLOGICAL = "biological", "Biological"
        HUMAN_CAUSED = "human_caused", "Human-caused"

    plan = models.ForeignKey(SafetyPlan, models.CASCADE, related_name="sections")
    key = models.CharField(max_length=60)
    kind = models.CharField(max_length=12, choices=Kind)
    hazard_type = models.CharField(max_length=16, choices=HazardType, blank=True)
    title = models.CharField(max_length=120)
    position = models.PositiveSmallIntegerField()
    does_not_apply_because = models.CharField(max_length=300, blank=True)
    revision = models.PositiveIntegerField(default=0)
    edited_at = models.DateTimeField(
        null=True, blank=True, help_text="None: still as the template has it"
    )
    edited_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["plan", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "key"], name="one_section_per_plan_and_key"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["basic", "functional"], hazard_type="")
                | (Q(kind="hazard") & ~Q(hazard_type="")),
                name="a_hazard_section_names_its_type_and_no_other_does",
            ),
            models.CheckConstraint(
                condition=Q(kind="hazard") | Q(does_not_apply_because=""),
                name="only_a_hazard_may_not_apply",
            ),
            models.CheckConstraint(
                condition=Q(edited_at=None, edited_by=None)
                | Q(edited_at__isnull=False, edited_by__isnull=False),
                name="an_edited_section_says_when_and_by_whom",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Determination(models.Model):
    """The responsible authority determined that a text is security information.

    Source: Minn. Stat. 13.37. It outlives versions: a new version's copy of the text
    keeps the determination until somebody lifts it, in a draft, with a reason.
    """

    school = models.ForeignKey(School, models.PROTECT, related_name="determinations")
    section_key = models.CharField(max_length=60)
    phase = models.CharField(max_length=12, choices=Phase)
    audience = models.CharField(
        max_length=12, choices=Audience, help_text="Whom the text was written for"
    )
    determined_at = models.DateTimeField()
    determined_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    because = models.TextField()
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+"
    )
    lifted_because = models.TextField(blank=True)

    class Meta:
        ordering = ["-determined_at"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(because=""), name="a_determination_says_why"
            ),
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by=None, lifted_because="")
                | (
                    Q(lifted_at__isnull=False, lifted_by__isnull=False)
                    & ~Q(lifted_because="")
                ),
                name="a_lifted_determination_says_when_by_whom_and_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.school}: {self.section_key}, {self.phase}, {self.audience}"


class PlanTextQuerySet(models.QuerySet["PlanText"]):
    def for_audiences(self, audiences: Collection[str]) -> "PlanTextQuerySet":
        """Texts that readers of these audiences may read.

        Restricted text comes only with Audience.RESTRICTED among them, and then only
        where the text was written for one of the others.
        """
        found = self.filter(audience__in=audiences)
        if Audience.RESTRICTED in audiences:
            return found
        return found.filter(determination=None)

    def restricted(self) -> "PlanTextQuerySet":
        """Texts under a determination."""
        return self.filter(determination__isnull=False)


class PlanText(models.Model):
    """What a section says in one phase to one audience.

    `audience` is whom it was written for, and never “restricted”; a text is restricted
    while it has a determination. Read texts through `for_audiences`.
    """

    section = models.ForeignKey(PlanSection, models.CASCADE, related_name="texts")
    phase = models.CharField(max_length=12, choices=Phase)
    audience = models.CharField(max_length=12, choices=Audience)
    body = models.TextField()
    determination = models.ForeignKey(
        Determination, models.PROTECT, null=True, blank=True, related_name="texts"
    )

    objects = PlanTextQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["section", "phase", "audience"],
                name="one_text_per_section_phase_and_audience",
            ),
            models.CheckConstraint(
                condition=Q(audience__in=["public", "family", "staff", "responder"]),
                name="a_text_is_restricted_by_determination_and_not_by_audience",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.section_id}, {self.phase}, {self.audience}"

    @property
    def is_restricted(self) -> bool:
        """True while a determination covers it."""
        return self.determination_id is not None


class PlanParticipation(models.Model):
    """Somebody from one of the named groups took part in developing a version.

    It may be recorded after adoption, and `recorded_at` shows that; from then on it can
    be neither changed nor removed.
    """

    plan = models.ForeignKey(SafetyPlan, models.CASCADE, related_name="participations")
    group = models.CharField(max_length=24, choices=NamedGroup)
    who = models.CharField(max_length=160)
    how = models.CharField(max_length=300, blank=True)
    took_part_on = models.DateField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(User, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["took_part_on", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "group", "who", "took_part_on"],
                name="a_participation_is_recorded_once",
            ),
            models.CheckConstraint(
                condition=~Q(who=""), name="a_participation_says_who"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_group_display()}: {self.who}"


class FamilyLink(models.Model):
    """The unguessable address at which families read their school's plan.

    A new token makes the old address a 404.
    """

    school = models.OneToOneField(School, models.PROTECT, related_name="family_link")
    token = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"Family link of {self.school}"
