"""The packs that come with the portal load, and claim no more than was read."""

import pytest

from drills import pack_files
from drills.pack_files import NoSuchPack, bundled, load
from drills.rules import Kind, Layer, Level, Severity, reading_of
from drills.rules.kinds import Sector
from schools.models import School

STATES = ("us-mn", "us-mi", "us-ny", "us-tx", "us-fl", "us-co")


def rules(pack_id):
    return {rule.id: rule for rule in load(pack_id).rules}


def test_there_is_a_pack_for_each_of_six_states_and_an_example_of_a_districts_own():
    assert set(bundled()) == {*STATES, "district-example"}


def test_a_pack_is_read_once():
    assert load("us-mn") is load("us-mn")


def test_an_unknown_pack_names_those_there_are():
    with pytest.raises(NoSuchPack, match=r"us-zz.*there are .*us-mn"):
        load("us-zz")


def test_minnesota_asks_for_eleven_drills_of_a_district_school():
    asked = [
        rule
        for rule in load("us-mn").rules
        if rule.applies_to(Level.HIGH, Sector.DISTRICT)
    ]
    assert {(next(iter(r.asks.kinds)), r.asks.count) for r in asked} == {
        (Kind.LOCKDOWN, 5),
        (Kind.FIRE, 5),
        (Kind.TORNADO, 1),
    }


def test_minnesota_asks_the_same_of_a_private_school_by_another_section():
    asked = [
        rule
        for rule in load("us-mn").rules
        if rule.applies_to(Level.HIGH, Sector.PRIVATE)
    ]
    assert sum(rule.asks.count for rule in asked) == 11
    assert {rule.binding.clause for rule in asked} == {
        "Minn. Stat. 121A.037",
        "Minn. Stat. 299F.30 subd. 1",
    }


@pytest.mark.parametrize("pack_id", STATES)
def test_what_is_verified_says_where_it_was_read(pack_id):
    pack = load(pack_id)
    bindings = [rule.binding for rule in pack.rules]
    bindings += [link.binding for chain in pack.chains for link in chain.links]
    for binding in bindings:
        assert binding.text
        assert binding.caution == ("" if binding.verified else "check with counsel")
        if binding.verified:
            assert binding.citation.url.startswith("https://")


def test_texas_has_no_number_that_anybody_has_read():
    assert not any(rule.binding.verified for rule in load("us-tx").rules)


def test_floridas_spacing_and_notice_are_to_be_checked_and_its_counts_are_not():
    asked = rules("us-fl")
    assert asked["fl.emergency"].binding.verified
    assert asked["fl.first"].binding.verified
    assert asked["fl.gap"].binding.caution == "check with counsel"
    assert asked["fl.police"].binding.caution == "check with counsel"


def test_law_comes_from_states_and_never_from_a_district():
    for pack in bundled().values():
        severities = {rule.binding.severity for rule in pack.rules}
        if pack.layer is Layer.STATE:
            assert severities == {Severity.LAW}
        else:
            assert Severity.LAW not in severities


def test_an_ordinary_lockdown_is_read_with_caution_and_the_reason_is_recorded():
    reading = reading_of([load("us-mn")], "mn.121A.038", Kind.LOCKDOWN)
    assert reading.applies
    assert "disputed" in reading.reason


def test_every_kind_a_state_asks_for_has_its_three_names():
    mn = load("us-mn")
    term = mn.term(Kind.LOCKDOWN)
    assert (term.label, str(term.action), term.legal) == (
        "Lockdown",
        "lockdown",
        "lock-down drill",
    )
    assert mn.term(Kind.BUS_EVACUATION) is None


def test_levels_are_the_same_words_as_on_the_school():
    assert {str(level) for level in Level} == set(School.Level.values)


def test_no_pack_promises_that_anybody_obeys_the_law():
    for path in pack_files.FOLDER.glob("*.toml"):
        text = path.read_text().lower()
        assert "compliant" not in text
        assert "in compliance" not in text
