"""OneRoster 1.1 and 1.2, from a set of files to a roster."""

import pytest

from schools.models import Guardian, Guardianship, Student
from tests import cast
from tests.schools.roster_files import (
    ORGS,
    ROLES_12,
    USERS_12,
    applied,
    errors,
    looked_over,
    manifest,
    one_roster_11,
    table,
    warnings,
    zipped,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _lincoln():
    cast.lincoln()


def student(key: str, agents: str = "", **cells: str) -> dict[str, str]:
    return {
        "sourcedId": key,
        "orgSourcedIds": "D,org-7",
        "role": "student",
        "givenName": "Mateo",
        "familyName": "Mendes",
        "agentSourcedIds": agents,
        "grades": "04,05",
    } | cells


def parent(key: str, agents: str = "", **cells: str) -> dict[str, str]:
    return {
        "sourcedId": key,
        "orgSourcedIds": "org-7",
        "role": "parent",
        "givenName": "Gloria",
        "familyName": "Mendes",
        "email": f"{key}@Example.org",
        "sms": "612-555-0101",
        "phone": "763-555-0102",
        "agentSourcedIds": agents,
    } | cells


def teacher(key: str) -> dict[str, str]:
    return {"sourcedId": key, "orgSourcedIds": "org-7", "role": "teacher"}


def pairs() -> set[tuple[str, str]]:
    found = Guardianship.objects.values_list(
        "student__external_id", "guardian__external_id"
    )
    return set(found)


def one_roster_12(users: list[dict], roles: list[dict]) -> dict[str, str]:
    org = {"sourcedId": "org-7", "name": "L", "type": "school", "identifier": "lincoln"}
    return {
        "manifest.csv": manifest("1.2"),
        "orgs.csv": table(ORGS, [org]),
        "users.csv": table(USERS_12, users),
        "roles.csv": table(ROLES_12, roles),
    }


def bare(row: dict[str, str]) -> dict[str, str]:
    return {k: v for k, v in row.items() if k not in ("orgSourcedIds", "role")}


def role(user: str, word: str, **cells: str) -> dict[str, str]:
    return {
        "sourcedId": f"r-{user}-{word}",
        "userSourcedId": user,
        "role": word,
        "roleType": "primary",
        "orgSourcedId": "org-7",
    } | cells


def test_version_1_1_brings_students_and_those_they_list(tmp_path):
    users = [student("s1", "p2,p1"), parent("p1"), parent("p2"), teacher("t1")]
    made = applied(tmp_path, zipped(one_roster_11(users)), "set.zip")
    assert made.source == "OneRoster 1.1 CSV"
    assert made.counts["others"] == 1
    mateo = Student.objects.get()
    assert (mateo.school, mateo.grade) == (cast.lincoln(), "04")
    assert mateo.household.external_id == "guardian:p2"
    assert pairs() == {("s1", "p1"), ("s1", "p2")}
    points = Guardian.objects.get(external_id="p1").contact_points
    assert list(
        points.order_by("kind", "position").values_list("address", flat=True)
    ) == [
        "p1@example.org",
        "+16125550101",
        "+17635550102",
    ]
    assert Guardianship.objects.first().relationship == "parent"


def test_guardians_may_list_their_students_instead(tmp_path):
    users = [parent("p1", "s1,s2"), student("s1"), student("s2")]
    applied(tmp_path, zipped(one_roster_11(users)), "set.zip")
    assert pairs() == {("s1", "p1"), ("s2", "p1")}


def test_the_order_of_lines_does_not_move_a_household(tmp_path):
    users = [parent("p1", "s1"), parent("p2", "s1"), student("s1", "p2,p1")]
    content = zipped(one_roster_11(users))
    applied(tmp_path, content, "set.zip")
    assert Student.objects.get().household.external_id == "guardian:p2"
    turned = zipped(one_roster_11(users[::-1]))
    made = looked_over(tmp_path, turned, "set.zip")
    assert made.counts["changes"]["students"]["changes"] == 0
    assert made.counts["changes"]["guardians"]["changes"] == 0


def test_version_1_2_reads_its_roles(tmp_path):
    users = [
        bare(student("s1", "p1")),
        bare(parent("p1")),
        bare(parent("both")),
        bare(parent("former")),
    ]
    roles = [
        role("s1", "student"),
        role("p1", "guardian"),
        role("both", "teacher"),
        role("both", "relative", roleType="secondary"),
        role("former", "parent", endDate="2026-01-31"),
    ]
    made = applied(tmp_path, zipped(one_roster_12(users, roles)), "set.zip")
    assert made.source == "OneRoster 1.2 CSV"
    known = set(Guardian.objects.values_list("external_id", flat=True))
    assert known == {"p1", "both"}
    assert Guardianship.objects.get().relationship == "guardian"


def test_a_person_without_a_role_is_told_and_stays_as_they_were(tmp_path):
    users = [bare(student("s1", "p1")), bare(parent("p1"))]
    roles = [role("s1", "student"), role("p1", "parent")]
    applied(tmp_path, zipped(one_roster_12(users, roles)), "set.zip")
    made = applied(tmp_path, zipped(one_roster_12(users, roles[:1])), "set.zip")
    assert errors(made) == [(3, "sourcedId")]
    assert Guardian.objects.get().left_on is None
    assert pairs() == {("s1", "p1")}


def test_the_same_set_twice_changes_nothing(tmp_path):
    content = zipped(one_roster_11([student("s1", "p1"), parent("p1")]))
    applied(tmp_path, content, "set.zip")
    made = looked_over(tmp_path, content, "set.zip")
    found = made.counts["changes"]
    assert not any(
        kind[what]
        for kind in found.values()
        for what in ("adds", "changes", "removals")
    )


def test_a_delta_removes_only_those_it_names(tmp_path):
    users = [student(f"s{n}", f"p{n}") for n in range(30)]
    users += [parent(f"p{n}") for n in range(30)]
    applied(tmp_path, zipped(one_roster_11(users)), "set.zip")
    delta = [
        student("s1", status="tobedeleted"),
        student("s2", "", status="active", givenName="Mia"),
        student("s3", "p2", status="active"),
    ]
    made = applied(tmp_path, zipped(one_roster_11(delta, "delta")), "set.zip")
    assert not made.full
    left = Student.objects.exclude(left_on=None)
    assert [s.external_id for s in left] == ["s1"]
    assert not Guardian.objects.exclude(left_on=None).exists()
    assert Student.objects.get(external_id="s2").given_name == "Mia"
    assert ("s2", "p2") in pairs()
    assert ("s3", "p2") in pairs()
    assert ("s3", "p3") not in pairs()


def test_a_list_that_names_nobody_is_counted(tmp_path):
    made = looked_over(
        tmp_path, zipped(one_roster_11([student("s1", "nobody")])), "set.zip"
    )
    assert made.counts["gaps"]["pairs_without_an_end"] == 1


def test_a_missing_manifest_is_pointed_out_and_no_obstacle(tmp_path):
    files = one_roster_11([student("s1")])
    del files["manifest.csv"]
    made = applied(tmp_path, zipped(files), "set.zip")
    assert warnings(made) == [(0, "")]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"users.csv": None}, "no users.csv"),
        ({"orgs.csv": None}, "no orgs.csv"),
        ({"manifest.csv": manifest("1.2")}, "no roles.csv"),
        ({"manifest.csv": manifest("2.0")}, "version 2.0"),
        ({"manifest.csv": manifest(users="absent")}, "absent"),
        ({"users.csv": "sourcedId,role\n"}, "lacks the column"),
    ],
)
def test_a_set_that_lacks_something_is_refused(tmp_path, change, words):
    files = one_roster_11([student("s1")]) | change
    files = {name: text for name, text in files.items() if text is not None}
    made = looked_over(tmp_path, zipped(files), "set.zip")
    assert made.state == "refused"
    assert words in made.refusal


def test_one_file_of_a_set_is_refused_and_says_what_to_do(tmp_path):
    made = looked_over(
        tmp_path, one_roster_11([student("s1")])["users.csv"].encode(), "users.csv"
    )
    assert "whole set" in made.refusal


def test_odd_roles_and_statuses_are_told_by_line(tmp_path):
    users = [
        student("s1"),
        student("s2", role="wizard"),
        student("s3", status="asleep"),
        student("s1", givenName="Other"),
        student("", ""),
    ]
    made = looked_over(tmp_path, zipped(one_roster_11(users)), "set.zip")
    assert errors(made) == [
        (3, "role"),
        (4, "status"),
        (5, "sourcedId"),
        (6, "sourcedId"),
    ]
