"""From a press to the carrier's own count, over real HTTP and SMTP."""

import threading
import time

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from notifications import dispatch, drafting, outbox, reconcile, wording
from notifications.drafting import Said
from notifications.models import Alert, Delivery, Mode, Sender, State
from schools.models import ContactPoint, User
from tests import cast
from tests.notifications.delivering import (
    ENGLISH,
    assert_at_its_end,
    assert_counters_true,
    carry_out,
    make_list,
    ready_to_send,
    send,
    states,
    work,
)

pytestmark = pytest.mark.django_db(transaction=True)


def families(n: int, first: int = 0) -> None:
    """n guardians at Lincoln with a phone and an email each."""
    for i in range(first, first + n):
        cast.make_guardian(
            f"Guardian {i}",
            phones=[cast.phone_number(i)],
            emails=[f"guardian{i}@families.example.org"],
            students=[cast.make_student(f"Student {i}", cast.lincoln())],
        )


def test_every_family_gets_one_text_and_one_mail(carrier):
    ready_to_send()
    families(40)
    alert = carry_out(send([cast.lincoln()], cast.priya()))
    assert alert.state == Alert.State.FINISHED
    stats = carrier.stats()
    assert stats["sms"]["accepted"] == stats["sms"]["unique_to"] == 41  # and Priya
    assert stats["email"]["accepted"] == stats["email"]["unique_to"] == 41
    assert states(alert) == {State.ACCEPTED: 41}
    assert_at_its_end(alert)


def test_a_guardian_of_three_gets_one_text_and_one_mail(carrier):
    ready_to_send()
    guardian = cast.gloria()
    alert = carry_out(send([cast.lincoln(), cast.roosevelt()], cast.dana()))
    phone, mail = [c.address for c in guardian.contact_points.order_by("-kind")]
    assert len(carrier.messages(phone)) == 1
    assert len(carrier.messages(mail)) == 1
    row = Delivery.objects.get(alert=alert, address=phone)
    assert len(row.why.split(",")) == 3


def test_a_barred_guardian_is_told_nothing_about_that_student(carrier):
    ready_to_send()
    guardian = cast.gloria([cast.lincoln()])
    guardian.guardianships.update(barred_on=cast.TERM_BEGAN, barred_because="order")
    alert = carry_out(send([cast.lincoln()], cast.priya()))
    assert not Delivery.objects.filter(alert=alert, guardian=guardian).exists()


def test_who_cannot_be_reached_has_a_row_that_says_why(carrier):
    ready_to_send()
    student = cast.make_student("Student X", cast.lincoln())
    nobody = cast.make_guardian("No Address", students=[student])
    landline = cast.make_guardian(
        "Land Line", phones=[cast.phone_number(1)], students=[student]
    )
    ContactPoint.objects.filter(guardian=landline).update(
        unusable_at=timezone.now(), unusable_because="landline"
    )
    alert = carry_out(send([cast.lincoln()], cast.priya()))
    by_hand = Delivery.objects.get(alert=alert, guardian=nobody)
    assert (by_hand.channel, by_hand.state, by_hand.reason) == (
        "by_hand",
        State.SKIPPED,
        "no_address",
    )
    assert Delivery.objects.get(alert=alert, guardian=landline).reason == "landline"
    assert_at_its_end(alert)


def test_a_test_alert_reaches_no_family(carrier):
    ready_to_send()
    families(3)
    alert = carry_out(send([cast.lincoln()], cast.priya(), mode=Mode.TEST))
    assert not alert.deliveries.filter(recipient="family").exists()
    assert carrier.stats()["sms"]["accepted"] == 1  # Priya's own phone
    text = carrier.messages("+16125550101")[0]
    assert text["body"].startswith("TEST")


@pytest.mark.parametrize("mode", [Mode.TEST, Mode.EXERCISE])
def test_the_database_refuses_a_family_row_of_an_alert_that_is_not_live(mode):
    ready_to_send()
    alert = send([cast.lincoln()], cast.priya(), mode=mode)
    row = Delivery(
        alert=alert, mode=mode, recipient="family", channel="sms", address="+1290",
        language="en", priority=1,
    )  # fmt: skip
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()
    row.mode = Mode.LIVE
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        Alert.objects.filter(pk=alert.pk).update(audience="staff_and_families")
    with pytest.raises(IntegrityError), transaction.atomic():
        Alert.objects.filter(pk=alert.pk).update(mode=Mode.LIVE)


@pytest.mark.parametrize(
    ("steps", "state", "copies"),
    [
        (["429", "429", "ok"], State.ACCEPTED, 1),
        (["500"], State.ACCEPTED, 1),
        (["500_after"], State.ACCEPTED, 1),
        (["201_no_sid"], State.ACCEPTED, 1),
        (["garbage"], State.ACCEPTED, 1),
        (["21610"], State.FAILED, 0),
        (["21211"], State.FAILED, 0),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else str(value),
)
def test_an_answer_becomes_what_it_means(carrier, monkeypatch, steps, state, copies):
    monkeypatch.setattr(outbox, "UNKNOWN_GRACE_SECONDS", 0.3)
    ready_to_send()
    families(2)
    carrier.script(cast.phone_number(0), steps)
    alert = carry_out(send([cast.lincoln()], cast.priya()))
    row = Delivery.objects.get(alert=alert, address=cast.phone_number(0))
    assert row.state == state
    assert len(carrier.messages(cast.phone_number(0))) == copies
    uncertain = steps[0] in ("500", "500_after", "201_no_sid", "garbage")
    assert (row.uncertain_at is not None) == uncertain
    assert_at_its_end(alert)


def test_a_wrong_token_pauses_the_sender_and_keeps_the_rows(carrier, settings):
    ready_to_send()
    families(5)
    settings.TWILIO_AUTH_TOKEN = "wrong"
    alert = send([cast.lincoln()], cast.priya())
    make_list(alert)
    work("sms")
    assert Sender.objects.get(channel="sms").paused_because
    assert states(alert) == {State.QUEUED: 6}
    assert_counters_true(alert)
    settings.TWILIO_AUTH_TOKEN = carrier.auth_token
    Sender.objects.update(paused_at=None, paused_because="")
    Delivery.objects.update(not_before=None)
    assert carry_out(alert).state == Alert.State.FINISHED
    assert carrier.stats()["sms"]["accepted"] == 6


def test_cancelled_alerts_leave_nothing_but_what_was_in_flight(carrier):
    ready_to_send()
    families(20)
    alert = send([cast.lincoln()], cast.priya())
    make_list(alert)
    dispatch.cancel(alert=alert, by=cast.priya(), now=timezone.now())
    work("sms")
    assert carrier.stats()["sms"]["accepted"] == 0
    assert states(alert) == {State.CANCELLED: 21}
    assert_at_its_end(alert)


def test_what_was_only_marked_stays_when_an_alert_is_cancelled(carrier):
    ready_to_send(in_flight=2)
    families(60)
    carrier.config(latency_ms=250)
    alert = send([cast.lincoln()], cast.priya())
    make_list(alert)
    lane = threading.Thread(target=work)
    lane.start()
    while not carrier.stats()["sms"]["accepted"]:
        time.sleep(0.02)
    marked = alert.deliveries.filter(state=State.SENDING).count()
    assert marked >= 20  # all of them would leave, were they not looked at again
    dispatch.cancel(alert=alert, by=cast.priya(), now=timezone.now())
    left = carrier.stats()["sms"]["accepted"]
    lane.join(30)
    reconcile.sweep(now=timezone.now())
    accepted = carrier.stats()["sms"]["accepted"]
    assert accepted - left <= marked // 2
    assert states(alert) == {State.ACCEPTED: accepted, State.CANCELLED: 61 - accepted}
    assert_at_its_end(alert)


def test_an_alert_cancelled_before_its_list_was_made_still_reconciles(carrier):
    ready_to_send()
    families(4)
    alert = send([cast.lincoln()], cast.priya())
    dispatch.cancel(alert=alert, by=cast.priya(), now=timezone.now())
    make_list(alert)
    work("sms")
    assert states(alert) == {State.CANCELLED: 5}
    assert carrier.stats()["sms"]["accepted"] == 0


def test_nobody_gets_lockdown_after_all_clear(carrier):
    ready_to_send()
    families(10)
    priya = cast.priya()
    first = send([cast.lincoln()], priya)
    make_list(first)
    clear = send(
        [cast.lincoln()], priya, kind=Alert.Kind.ALL_CLEAR, follows=first,
    )  # fmt: skip
    carry_out(clear)
    reconcile.sweep(now=timezone.now())
    assert states(first) == {State.SUPERSEDED: 11}
    assert carrier.stats()["sms"]["accepted"] == 11
    first.refresh_from_db()
    assert first.state == Alert.State.FINISHED
    assert first.emergency.ended_at is not None
    assert_at_its_end(first)


def test_nothing_leaves_after_it_expired(carrier):
    ready_to_send()
    families(3)
    alert = send([cast.lincoln()], cast.priya())
    make_list(alert)
    Alert.objects.filter(pk=alert.pk).update(expires_at=timezone.now())
    work("sms")
    reconcile.sweep(now=timezone.now())
    assert carrier.stats()["sms"]["accepted"] == 0
    assert states(alert) == {State.EXPIRED: 4}
    assert_at_its_end(alert)


def test_two_lanes_at_once_do_the_work_once(carrier):
    ready_to_send()
    families(30)
    alert = send([cast.lincoln()], cast.priya())
    make_list(alert)
    held = outbox.acquire("sms", "somebody else")
    assert work("sms") == 0
    outbox.release(held)
    assert work("sms") == 31
    assert carrier.stats()["sms"]["duplicates"] == 0


def test_mail_that_bounces_is_refused_and_the_office_is_told(carrier):
    ready_to_send()
    families(2)
    carrier.script("guardian0@families.example.org", ["550"])
    alert = carry_out(send([cast.lincoln()], cast.priya()))
    row = Delivery.objects.get(alert=alert, address="guardian0@families.example.org")
    assert (row.state, row.reason) == (State.FAILED, "550")
    point = ContactPoint.objects.get(address=row.address)
    assert point.unusable_because == "no_such_mailbox"


@pytest.mark.parametrize("step", ["421", "451_data"])
def test_mail_put_off_is_tried_again(carrier, step):
    ready_to_send()
    families(2)
    carrier.script("guardian0@families.example.org", [step])
    alert = carry_out(send([cast.lincoln()], cast.priya()))
    assert states(alert, "email") == {State.ACCEPTED: 3}
    assert len(carrier.messages("guardian0@families.example.org")) == 1


def test_mail_whose_answer_was_lost_is_sent_once_more_and_listed(carrier, monkeypatch):
    monkeypatch.setattr(outbox, "UNKNOWN_GRACE_SECONDS", 0.3)
    ready_to_send()
    families(2)
    carrier.script("guardian0@families.example.org", ["drop_after_data"])
    alert = carry_out(send([cast.lincoln()], cast.priya()))
    row = Delivery.objects.get(alert=alert, address="guardian0@families.example.org")
    assert row.state == State.ACCEPTED
    assert row.uncertain_at
    assert row.resent_at
    copies = carrier.messages("guardian0@families.example.org")
    assert len(copies) == 2
    assert len({copy["message_id"] for copy in copies}) == 1


def test_a_follow_up_goes_to_everyone_the_emergency_reached(carrier):
    ready_to_send()
    dana = cast.dana()
    cast.gloria()
    first = send([cast.lincoln()], dana)
    wider = send([cast.lincoln(), cast.roosevelt()], dana, after=first)
    clear = send([cast.lincoln()], dana, kind=Alert.Kind.ALL_CLEAR, follows=first)
    assert wider.emergency == first.emergency == clear.emergency
    assert set(clear.schools.all()) == {cast.lincoln(), cast.roosevelt()}
    assert not clear.emergency.emergency_schools.filter(ended_at=None).exists()


def test_a_narrower_addition_does_not_silence_the_wider_alert(carrier):
    ready_to_send()
    families(5)
    dana = cast.dana()
    wide = send([cast.lincoln(), cast.roosevelt()], dana)
    make_list(wide)
    narrow = send([cast.roosevelt()], dana, after=wide)
    carry_out(narrow)
    carry_out(wide)
    assert states(wide) == {State.ACCEPTED: 6}


def test_an_exercise_says_so_once_whatever_the_language():
    for language in ("es", "so", "om"):
        words = wording.load(language)
        said = Said(f"{words.exercise_prefix}Hold.", "s", "b", is_checked=False)
        marked = drafting.marked(said, Mode.EXERCISE, "en")
        assert marked.sms == said.sms
        assert marked.subject.startswith("EXERCISE")


def test_of_two_approved_holds_the_second_learns_of_the_first():
    ready_to_send()
    dana, priya = cast.dana(), cast.priya()
    waiting = [
        send([cast.lincoln()], by, protocol="hold", texts={"en": ENGLISH})
        for by in (dana, priya)
    ]
    assert [a.state for a in waiting] == [Alert.State.AWAITING_APPROVAL] * 2
    dispatch.approve(alert=waiting[0], by=priya, now=timezone.now())
    with pytest.raises(dispatch.AlreadyUnderWay):
        dispatch.approve(alert=waiting[1], by=dana, now=timezone.now())
    waiting[1].refresh_from_db()
    assert waiting[1].state == Alert.State.AWAITING_APPROVAL


def test_a_district_wide_alert_is_seen_by_every_principal():
    ready_to_send()
    alert = send([cast.lincoln()], cast.dana(), whole_district=True)
    assert Alert.objects.visible_to(cast.omar()).get() == alert
    stranger = User.objects.create_user("nobody@district.example.org", None, name="N")
    assert not Alert.objects.visible_to(stranger).exists()


def test_the_same_words_of_a_moment_ago_are_not_mistaken_for_these(
    carrier, monkeypatch
):
    monkeypatch.setattr(outbox, "UNKNOWN_GRACE_SECONDS", 0.3)
    ready_to_send()
    families(2)
    priya, number = cast.priya(), cast.phone_number(0)
    first = carry_out(send([cast.lincoln()], priya))
    carrier.script(number, ["500"])  # before it was taken: nothing arrived
    again = carry_out(send([cast.lincoln()], priya, after=first))
    assert Delivery.objects.get(alert=again, address=number).state == State.ACCEPTED
    assert len(carrier.messages(number)) == 2
