"""What we say to an audience, once."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from schools.models import School, Stream, User
from schools.permissions import Permission

from .emergency import Emergency, Mode


class AlertQuerySet(models.QuerySet["Alert"]):
    def visible_to(self, user: User) -> "AlertQuerySet":
        """Alerts to a school at which `user` may see alerts, or to all of them.

        One that speaks of no school, a test of the district's own staff, is seen by
        those who see the alerts of the whole district.
        """
        schools = user.schools_where(Permission.SEE_ALERTS)
        spoken_of = AlertSchool.objects.filter(school__in=schools).values("alert")
        if not schools.exists():
            return self.none()
        theirs = Q(pk__in=spoken_of) | Q(whole_district=True)
        if user.may_everywhere(Permission.SEE_ALERTS):
            schools_of_it = AlertSchool.objects.filter(alert=models.OuterRef("pk"))
            theirs |= Q(~models.Exists(schools_of_it))
        return self.filter(theirs)

    def drafts(self) -> "AlertQuerySet":
        """Composed, not sent."""
        return self.filter(state=Alert.State.DRAFT)

    def canaries(self) -> "AlertQuerySet":
        """Tests that speak of no school: they go to the district's own staff."""
        return self.filter(mode=Mode.TEST, alert_schools=None)

    def going_out(self) -> "AlertQuerySet":
        """Released and not yet at an end."""
        return self.filter(state__in=(Alert.State.RELEASED, Alert.State.MATERIALISED))

    def frozen(self) -> "AlertQuerySet":
        """Going out in an older copy of the database: a person has to decide."""
        return self.filter(state=Alert.State.FROZEN)

    def sent(self) -> "AlertQuerySet":
        """Everything that was ever released."""
        return self.filter(released_at__isnull=False)


class Alert(models.Model):
    """One thing said once. Text, audience and mode are frozen by the press."""

    class Kind(models.TextChoices):
        FIRST = "first", "First alert"
        UPDATE = "update", "Update"
        CORRECTION = "correction", "Correction"
        ALL_CLEAR = "all_clear", "All clear"

    class Audience(models.TextChoices):
        STAFF_AND_FAMILIES = "staff_and_families", "Staff and families"
        STAFF = "staff", "Staff only"

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        AWAITING_APPROVAL = "awaiting_approval", "Waits for a second person"
        RELEASED = "released", "Making the list"
        MATERIALISED = "materialised", "Going out"
        FROZEN = "frozen", "Held until a person decides"
        FINISHED = "finished", "Finished"
        CANCELLED = "cancelled", "Cancelled"

    emergency = models.ForeignKey(
        Emergency, models.PROTECT, null=True, blank=True, related_name="alerts"
    )
    protocol = models.CharField(max_length=16, blank=True)
    hazard = models.CharField(max_length=24, blank=True)
    place = models.CharField(max_length=80, blank=True)
    kind = models.CharField(max_length=12, choices=Kind)
    mode = models.CharField(max_length=10, choices=Mode)
    stream = models.CharField(max_length=16, choices=Stream, default=Stream.EMERGENCY)
    audience = models.CharField(max_length=20, choices=Audience)
    whole_district = models.BooleanField(
        default=False, help_text="Every open school is told, the named ones first"
    )
    state = models.CharField(max_length=20, choices=State, default=State.DRAFT)
    form_key = models.UUIDField(unique=True)
    public_id = models.CharField(max_length=16, unique=True)
    version = models.PositiveIntegerField(default=1)
    people_read_back = models.PositiveIntegerField(default=0)
    expires_after_minutes = models.PositiveSmallIntegerField(default=60)
    next_update_by = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+"
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    stage = models.PositiveSmallIntegerField(
        default=0, help_text="Stages of the list that are made; see outbox.STAGES"
    )
    materialised_at = models.DateTimeField(null=True, blank=True)
    superseded_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancelled_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+"
    )
    finished_at = models.DateTimeField(null=True, blank=True)
    schools = models.ManyToManyField(School, through="AlertSchool", related_name="+")

    objects = AlertQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(mode=Mode.LIVE) | Q(audience="staff"),
                name="only_live_alerts_address_families",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("draft", "awaiting_approval"))
                | Q(state="cancelled", released_at=None)
                | Q(
                    released_at__isnull=False,
                    released_by__isnull=False,
                    expires_at__isnull=False,
                ),
                name="a_released_alert_says_when_by_whom_and_until",
            ),
            models.CheckConstraint(
                condition=Q(cancelled_at=None, cancelled_by=None)
                | Q(cancelled_at__isnull=False, cancelled_by__isnull=False),
                name="a_cancelled_alert_says_when_and_by_whom",
            ),
        ]
        indexes = [
            # used by: lanes and sweep, to find what is going out
            models.Index(
                fields=["state"],
                condition=Q(state__in=("released", "materialised")),
                name="alerts_going_out",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.public_id}"

    def get_absolute_url(self) -> str:
        return reverse("alert", args=[self.pk])

    @property
    def wording_key(self) -> str:
        """Which starting text fits: the protocol for a first alert, else the kind."""
        return self.protocol if self.kind == self.Kind.FIRST else self.kind

    @property
    def subject_line(self) -> str:
        """How the audit log names this alert."""
        return f"alert:{self.pk}"

    def covers(self, other: "Alert") -> bool:
        """True when everyone on `other`'s list is on this alert's list too."""
        theirs = set(other.schools.values_list("pk", flat=True))
        ours = set(self.schools.values_list("pk", flat=True))
        return (
            (self.whole_district or not other.whole_district)
            and (self.whole_district or theirs <= ours)
            and self.audience in (self.Audience.STAFF_AND_FAMILIES, other.audience)
        )

    def public_url(self, language: str = "en") -> str:
        """Where families read more, in their language; needs no sign-in."""
        tail = "" if language == "en" else f"/{language}"
        return f"{settings.PUBLIC_URL}/a/{self.public_id}{tail}"


class AlertSchool(models.Model):
    """A school an alert speaks of. Its staff and families come first."""

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="alert_schools")
    school = models.ForeignKey(School, models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["alert", "school"], name="an_alert_names_a_school_once"
            ),
        ]


class AlertText(models.Model):
    """The words of an alert in one language, as they leave."""

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="texts")
    language = models.CharField(max_length=8)
    sms = models.TextField()
    subject = models.CharField(max_length=200)
    body = models.TextField()
    is_checked = models.BooleanField(
        default=False, help_text="A person has checked this translation"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["alert", "language"], name="one_text_per_alert_and_language"
            ),
        ]


class AlertTemplateQuerySet(models.QuerySet["AlertTemplate"]):
    def newest(self) -> "AlertTemplateQuerySet":
        """The highest version of each key and language."""
        later = AlertTemplate.objects.filter(
            key=models.OuterRef("key"),
            language=models.OuterRef("language"),
            version__gt=models.OuterRef("version"),
        )
        return self.filter(~models.Exists(later))


class AlertTemplate(models.Model):
    """Starting words for a protocol or a kind of follow-up, in one language.

    A new wording is a new version; what a person checked stays checked for that
    version only.
    """

    key = models.CharField(max_length=16, help_text="A protocol, or update … all_clear")
    language = models.CharField(max_length=8)
    version = models.PositiveIntegerField(default=1)
    sms = models.TextField()
    subject = models.CharField(max_length=200)
    body = models.TextField()
    created_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True, blank=True)
    checked_by = models.CharField(max_length=160, blank=True)

    objects = AlertTemplateQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["key", "language", "version"], name="one_wording_per_version"
            ),
            models.CheckConstraint(
                condition=Q(checked_at=None, checked_by="")
                | (Q(checked_at__isnull=False) & ~Q(checked_by="")),
                name="a_checked_wording_says_when_and_by_whom",
            ),
        ]
