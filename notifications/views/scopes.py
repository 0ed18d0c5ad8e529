"""Whose alerts a person reads, and whose deliveries they may see by name."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import Http404

from notifications import drafting
from notifications.models import Alert, AlertSchool, Emergency
from notifications.models.alert import AlertQuerySet
from schools.models import School, User
from schools.permissions import Permission


def reader(user: object) -> User:
    """The person behind a request that LoginRequiredMiddleware has let through."""
    if not isinstance(user, User):
        raise Http404
    return user


def readable_by(user: User) -> AlertQuerySet:
    """Alerts of this person's schools that were sent or wait; of drafts, their own."""
    drafts = Alert.objects.drafts().exclude(created_by=user)
    return Alert.objects.visible_to(user).exclude(pk__in=drafts.values("pk"))


def may_answer_for(user: User, alert: Alert) -> bool:
    """True where this person may send, follow up and cancel for all of its schools."""
    try:
        drafting.may_alert(
            user, list(alert.schools.all()), whole_district=alert.whole_district
        )
    except drafting.NotYours:
        return False
    return True


def waiting_for(user: User) -> QuerySet[Alert]:
    """Alerts that wait for a second person, who may be this one."""
    theirs = user.schools_where(Permission.SEND_ALERTS)
    speaking = AlertSchool.objects.filter(school__in=theirs).values("alert")
    return awaiting().filter(pk__in=speaking).exclude(created_by=user)


def awaiting() -> QuerySet[Alert]:
    """Alerts that wait for a second person."""
    return Alert.objects.filter(state=Alert.State.AWAITING_APPROVAL)


def named_schools(user: User) -> set[int]:
    """Schools whose deliveries this person may see by name; their primary keys."""
    return set(
        user.schools_where(Permission.SEE_DELIVERIES).values_list("pk", flat=True)
    )


def thread_of(emergency: Emergency | None) -> list[Alert]:
    """Everything sent in an emergency, the newest first."""
    if emergency is None:
        return []
    return list(
        emergency.alerts.sent()
        .order_by("-released_at", "-pk")
        .select_related("released_by", "emergency")
    )


@dataclass(frozen=True)
class Reach:
    """Everyone an emergency's alerts have spoken to; its follow-ups go to all of them.

    The same as `drafting.save_draft` gives a follow-up, to be shown before it is saved.
    """

    schools: tuple[School, ...]
    audience: str
    whole_district: bool

    def may_be_answered_by(self, user: User) -> bool:
        """True where this person may alert all of these schools."""
        try:
            drafting.may_alert(user, self.schools, whole_district=self.whole_district)
        except drafting.NotYours:
            return False
        return True


def reach_of(emergency: Emergency) -> Reach:
    """Whom a follow-up of this emergency goes to."""
    sent = emergency.alerts.sent()
    families = Alert.Audience.STAFF_AND_FAMILIES
    return Reach(
        schools=tuple(emergency.schools.all()),
        audience=(
            families
            if sent.filter(audience=families).exists()
            else Alert.Audience.STAFF
        ),
        whole_district=sent.filter(whole_district=True).exists(),
    )


def open_schools(user: User) -> QuerySet[School]:
    """Schools this person may alert, by name."""
    return user.schools_where(Permission.SEND_ALERTS).filter(closed_on=None)
