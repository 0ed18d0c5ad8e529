"""`manage.py in_session`: what it prints, and what a script can tell from it."""

from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command

from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _the_year():
    cast.make_school_year()
    cast.make_bells(cast.lincoln())


def run(*arguments: str) -> tuple[str, int]:
    """What it prints, and its exit status."""
    out = StringIO()
    try:
        call_command("in_session", *arguments, stdout=out)
    except SystemExit as left:
        return out.getvalue(), int(str(left.code))
    return out.getvalue(), 0


@pytest.mark.parametrize(
    ("moment", "words", "status"),
    [
        ("2026-10-06T07:59", "Not in session yet, starts at 08:00", 1),
        ("2026-10-06T08:00", "In session until 14:30 (regular day)", 0),
        ("2026-10-06T13:00Z", "In session until 14:30 (regular day)", 0),
        ("2026-10-06T14:30", "Not in session since 14:30", 1),
        ("2026-10-10", "weekend", 1),
        ("2029-10-10", "no later year is entered", 2),
    ],
)
def test_it_says_what_is_believed_and_leaves_with_its_status(moment, words, status):
    said, left = run("lincoln", moment)
    assert words in said
    assert left == status


def test_it_says_who_decided():
    on = cast.NOW.date()
    cast.make_special_day(on, "e_learning", layer="called", school=cast.lincoln())
    said, left = run("lincoln", f"{on}T10:00")
    assert "a special day of the school, called on short notice" in said
    assert "Learning from home until 14:30" in said
    assert left == 1


def test_without_a_time_it_asks_about_now():
    with time_machine.travel(cast.NOW, tick=False):
        said, left = run("lincoln")
    assert "2026-10-06 10:30:00 CDT" in said
    assert left == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["nowhere"], "no school nowhere"), (["lincoln", "noon"], "“noon” is no time")],
)
def test_a_wrong_question_leaves_with_two(arguments, words):
    with pytest.raises(CommandError, match=words) as refusal:
        run(*arguments)
    assert refusal.value.returncode == 2
