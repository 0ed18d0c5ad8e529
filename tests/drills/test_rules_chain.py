"""The chain of Minn. Stat. 121A.038: counted, and yet not done right."""

from datetime import date, timedelta

import pytest

from drills.pack_files import load
from drills.rules import (
    Kind,
    LinkName,
    LinkStatus,
    Notice,
    Party,
    Severity,
    State,
    Status,
    Step,
    broken_links,
    chain_of,
    readings_for,
)
from tests.drills.drilling import at, drill, drills, planned, standing, variant

DAY = date(2026, 10, 6)
MN = load("us-mn")
IN_ORDER = (
    LinkName.NOTICE,
    LinkName.OPT_OUTS,
    LinkName.ANNOUNCEMENT,
    LinkName.NO_SIMULATION,
    LinkName.DRILL,
    LinkName.NOT_COMBINED,
    LinkName.DEBRIEF,
    LinkName.MENTAL_HEALTH,
    LinkName.AFTER_ACTION,
    LinkName.FOLLOW_UPS,
)


def notice(hours=30.0, **fields):
    """Families told so many hours before the drill, with the right to opt out."""
    made = {"says_opt_out": True} | fields
    return Notice(Party.GUARDIANS, at(DAY) - timedelta(hours=hours), **made)


def steps(**changed):
    """Every step of the chain on record, or with some changed or left out."""
    made = {
        "announcement": at(DAY, 9, 58),
        "debrief": at(DAY, 10, 20),
        "mental_health": at(DAY, 10, 20),
        "after_action": at(DAY, 16),
        "follow_ups": at(DAY, 17),
    } | changed
    return tuple(
        one if isinstance(one, Step) else Step(LinkName(name), one)
        for name, one in made.items()
        if one is not None
    )


def lockdown(kind=Kind.LOCKDOWN, **fields):
    """A lockdown drill with its whole chain."""
    return drill(kind, DAY, **({"notices": (notice(),), "steps": steps()} | fields))


def links(held, **options):
    return {link.name: link for link in chain_of(held, [MN], **options)}


def test_a_whole_chain_has_its_links_in_order_each_with_its_clause():
    found = chain_of(lockdown(), [MN])
    assert tuple(link.name for link in found) == IN_ORDER
    assert {link.status for link in found} == {LinkStatus.DONE}
    assert {link.clause for link in found} == {"Minn. Stat. 121A.038"}
    assert broken_links(found) == ()
    lead = links(lockdown())[LinkName.NOTICE].finding.measured
    assert lead == timedelta(hours=30)


def test_links_nobody_read_in_a_source_say_check_with_counsel():
    cautions = {name: bool(link.caution) for name, link in links(lockdown()).items()}
    assert not cautions[LinkName.NOTICE]
    assert not cautions[LinkName.OPT_OUTS]
    assert cautions[LinkName.ANNOUNCEMENT]
    assert cautions[LinkName.NOT_COMBINED]
    assert cautions[LinkName.DEBRIEF]


def test_twenty_hours_notice_is_met_with_a_broken_chain_and_a_question():
    short = lockdown(notices=(notice(20),))
    link = links(short)[LinkName.NOTICE]
    assert (link.status, link.breaks) == (LinkStatus.SHORT, True)
    assert "told 20 hours before; asked for at least 24 hours" in link.question
    assert "Why was it not practicable" in link.question
    four = drills(
        Kind.LOCKDOWN,
        date(2026, 9, 15),
        date(2026, 11, 10),
        date(2027, 1, 12),
        date(2027, 2, 2),
    )
    found = standing("us-mn", [*four, short], date(2027, 2, 10))["mn.lockdown"]
    assert found.status is Status.MET_CHAIN_BROKEN
    assert any("20 hours" in fault.question for fault in found.broken)


@pytest.mark.parametrize(
    ("hours", "status"),
    [
        (24, LinkStatus.DONE),
        (23 + 59 / 60, LinkStatus.SHORT),
        (0.5, LinkStatus.SHORT),
        (-0.5, LinkStatus.MISSING),
    ],
)
def test_notice_is_in_time_to_the_minute(hours, status):
    found = links(lockdown(notices=(notice(hours),)))[LinkName.NOTICE]
    assert found.status is status


def test_whenever_practicable_takes_a_reason_and_a_hard_lead_does_not():
    explained = lockdown(notices=(notice(20, reason="The threat came that morning."),))
    link = links(explained)[LinkName.NOTICE]
    assert (link.status, link.breaks, link.question) == (
        LinkStatus.EXPLAINED,
        False,
        "",
    )
    hard = variant("us-mn", ('firmness = "when practicable"', 'firmness = "hard"'))
    link = next(iter(chain_of(explained, [hard])))
    assert (link.status, link.breaks) == (LinkStatus.SHORT, True)
    assert "Reason given: The threat came" in link.finding.words


def test_the_earliest_of_several_notices_counts():
    held = lockdown(notices=(notice(2), notice(48), notice(20)))
    assert links(held)[LinkName.NOTICE].finding.measured == timedelta(hours=48)


def test_a_notice_without_the_right_to_opt_out_breaks_that_link_only():
    held = lockdown(notices=(notice(says_opt_out=False),))
    broken = broken_links(chain_of(held, [MN]))
    assert [link.name for link in broken] == [LinkName.OPT_OUTS]


def test_an_announcement_after_the_alarm_is_no_announcement_first():
    held = lockdown(steps=steps(announcement=at(DAY, 10, 2)))
    link = links(held)[LinkName.ANNOUNCEMENT]
    assert link.status is LinkStatus.SHORT
    assert "2 minutes after the alarm" in link.question


@pytest.mark.parametrize("name", ["announcement", "debrief", "mental_health"])
def test_a_link_without_a_record_is_missing_and_asked_about(name):
    link = links(lockdown(steps=steps(**{name: None})))[LinkName(name)]
    assert (link.status, link.breaks) == (LinkStatus.MISSING, True)
    assert link.question.endswith("Was it done, and when?")


def test_a_reason_for_a_missing_link_answers_the_question_and_mends_nothing():
    reason = Step(LinkName.DEBRIEF, reason="The buses were leaving.")
    link = links(lockdown(steps=steps(debrief=reason)))[LinkName.DEBRIEF]
    assert (link.status, link.question) == (LinkStatus.MISSING, "")
    assert "The buses were leaving." in link.finding.words


def test_another_drill_directly_after_breaks_the_chain():
    fire = drill(Kind.FIRE, DAY, starts_at=at(DAY, 10, 20), ends_at=at(DAY, 10, 30))
    found = links(lockdown(), others=[fire])[LinkName.NOT_COMBINED]
    assert (found.status, found.breaks) == (LinkStatus.SHORT, True)
    before = drill(Kind.FIRE, DAY, starts_at=at(DAY, 9, 20), ends_at=at(DAY, 9, 30))
    assert not links(lockdown(), others=[before])[LinkName.NOT_COMBINED].breaks
    hours_later = drill(Kind.FIRE, DAY, starts_at=at(DAY, 13), ends_at=at(DAY, 13, 5))
    assert not links(lockdown(), others=[hours_later])[LinkName.NOT_COMBINED].breaks


def test_a_drill_of_the_same_day_without_a_time_may_have_been_combined():
    fire = drill(Kind.FIRE, DAY, starts_at=None, ends_at=None)
    found = links(lockdown(), others=[fire])[LinkName.NOT_COMBINED]
    assert found.breaks
    assert "Were they apart?" in found.question


def test_an_attack_acted_out_breaks_the_chain():
    found = links(lockdown(simulated=True))[LinkName.NO_SIMULATION]
    assert found.breaks


def test_best_practice_never_breaks_a_chain():
    held = lockdown(steps=steps(after_action=None, follow_ups=None))
    found = links(held)
    assert found[LinkName.AFTER_ACTION].status is LinkStatus.MISSING
    assert found[LinkName.AFTER_ACTION].severity is Severity.PRACTICE
    assert broken_links(chain_of(held, [MN])) == ()


def test_a_link_whose_deadline_lies_ahead_is_to_come():
    held = lockdown(steps=steps(after_action=None))
    now = links(held, now=at(DAY + timedelta(days=2)))[LinkName.AFTER_ACTION]
    assert now.status is LinkStatus.TO_COME
    assert now.finding.due_at == at(DAY, 10, 8) + timedelta(days=7)
    later = links(held, now=at(DAY + timedelta(days=8)))[LinkName.AFTER_ACTION]
    assert later.status is LinkStatus.MISSING


def test_a_planned_drill_waits_for_its_notice_until_it_is_due():
    coming = planned(Kind.LOCKDOWN, DAY)
    early = links(coming, now=at(DAY - timedelta(days=3)))
    assert {link.status for link in early.values()} == {LinkStatus.TO_COME}
    assert early[LinkName.NOTICE].finding.due_at == at(DAY - timedelta(days=1))
    overdue = links(coming, now=at(DAY - timedelta(hours=10)))[LinkName.NOTICE]
    assert overdue.status is LinkStatus.MISSING


def test_real_events_cancelled_drills_and_other_kinds_carry_no_chain():
    assert chain_of(lockdown(real_event=True), [MN]) == ()
    assert chain_of(lockdown(state=State.CANCELLED), [MN]) == ()
    assert chain_of(drill(Kind.FIRE, DAY), [MN]) == ()


def test_drills_before_the_law_took_effect_carry_only_good_practice():
    held = drill(Kind.LOCKDOWN, date(2023, 5, 2))
    found = chain_of(held, [MN])
    assert {link.severity for link in found} == {Severity.PRACTICE}
    assert broken_links(found) == ()


def test_a_district_may_read_an_ordinary_lockdown_otherwise_with_its_reason():
    reading = (
        "[planning]",
        '[[reading]]\nchain = "mn.121A.038"\nkind = "lockdown"\napplies = false\n'
        'reason = "Counsel\'s letter: ours rehearse locking a door."\n'
        'decided_by = "Board"\ndecided_on = 2026-08-10\n\n[planning]',
    )
    ours = variant("district-example", reading)
    assert chain_of(lockdown(), [MN, ours]) == ()
    assert len(chain_of(lockdown(Kind.ACTIVE_THREAT), [MN, ours])) == len(IN_ORDER)
    decided = readings_for([MN, ours], Kind.LOCKDOWN)
    assert [one.decided_by for one in decided] == ["Board"]
    assert readings_for([MN], Kind.LOCKDOWN)[0].applies


def test_a_rule_met_by_whole_chains_is_met_whatever_else_was_held():
    def whole(day):
        moved = lockdown()
        by = day - DAY
        return drill(
            Kind.LOCKDOWN,
            day,
            notices=tuple(
                Notice(one.party, one.sent_at + by, True) for one in moved.notices
            ),
            steps=tuple(
                Step(one.link, one.done_at + by) for one in moved.steps if one.done_at
            ),
        )

    days = [date(2026, 9, 15), date(2026, 10, 6), date(2026, 11, 10)]
    days += [date(2027, 1, 12), date(2027, 2, 2)]
    held = [whole(day) for day in days]
    as_of = date(2027, 2, 10)
    found = standing("us-mn", held, as_of)["mn.lockdown"]
    assert (found.status, found.broken) == (Status.MET, ())
    extra = drill(Kind.LOCKDOWN, date(2027, 2, 8))
    found = standing("us-mn", [*held, extra], as_of)["mn.lockdown"]
    assert found.status is Status.MET
    assert [fault.drill for fault in found.broken] == [extra.key], (
        "but it is asked about"
    )
    found = standing("us-mn", [*held[1:], extra], as_of)["mn.lockdown"]
    assert found.status is Status.MET_CHAIN_BROKEN
