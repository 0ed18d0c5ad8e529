import getpass
from io import StringIO

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from schools.models import AuditEvent, User
from tests.cast import blaine, lincoln, priya

pytestmark = pytest.mark.django_db

PASSWORD = "seven-wet-otters"


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("add_person", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def pipe(monkeypatch):
    """Give the command this line on its standard input."""

    def give(line: str) -> None:
        monkeypatch.setattr("sys.stdin", StringIO(line + "\n"))

    return give


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_principal_is_added_to_their_school(pipe):
    lincoln()
    pipe(PASSWORD)

    said = run(
        *("Eve@elm.example.org", "--name", "Eve Alder"),
        *("--role", "principal", "--school", "lincoln"),
    )

    eve = authenticate(username="eve@elm.example.org", password=PASSWORD)
    assert eve is not None
    assert eve.title == "Principal, Lincoln High"
    assert said == "Added Eve Alder: Principal, Lincoln High.\n"
    event = AuditEvent.objects.get()
    assert (event.type, event.data["school"]) == ("people.person_added", "lincoln")


def test_a_supervisor_is_added_to_their_agency(pipe):
    blaine()
    pipe(PASSWORD)

    said = run(
        *("kim@blaine.example.org", "--name", "Kim Vale"),
        *("--role", "agency_supervisor", "--agency", "blaine police department"),
    )

    assert said == "Added Kim Vale: Agency supervisor, Blaine Police Department.\n"
    assert AuditEvent.objects.get().data["agency"] == "Blaine Police Department"


def test_an_officer_may_name_the_agency_beside_the_school(pipe):
    blaine(), lincoln()
    pipe(PASSWORD)

    run(
        *("al@blaine.example.org", "--name", "Al Oak", "--role", "sro"),
        *("--school", "lincoln", "--agency", "Blaine Police Department"),
    )

    role = User.objects.get().memberships.get()
    assert (role.school, role.agency) == (lincoln(), blaine())


def test_on_a_terminal_the_password_is_asked_twice(monkeypatch):
    answers = [PASSWORD, PASSWORD]
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda prompt: answers.pop(0))

    run("ada@elm.example.org", "--name", "Ada Birch", "--role", "system_administrator")

    assert answers == []
    assert authenticate(username="ada@elm.example.org", password=PASSWORD) is not None


def test_two_different_passwords_are_refused(monkeypatch):
    answers = [PASSWORD, PASSWORD.upper()]
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda prompt: answers.pop(0))

    with pytest.raises(CommandError, match="differ"):
        run("ada@elm.example.org", "--name", "Ada", "--role", "superintendent")
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "password", "refusal"),
    [
        (["--role", "superintendent"], "short", "too short"),
        (["--role", "superintendent"], "", "too short"),
        (["--role", "principal"], PASSWORD, "needs a school"),
        (["--role", "principal", "--school", "nowhere"], PASSWORD, "lincoln"),
        (["--role", "superintendent", "--school", "lincoln"], PASSWORD, "no --school"),
        (["--role", "agency_supervisor"], PASSWORD, "needs an agency"),
        (
            ["--role", "agency_supervisor", "--school", "lincoln"],
            PASSWORD,
            "no --school",
        ),
        (
            ["--role", "agency_supervisor", "--agency", "nobody"],
            PASSWORD,
            "Anoka Police Department",
        ),
        (["--role", "superintendent", "--agency", "x"], PASSWORD, "no --agency"),
    ],
)
def test_what_does_not_fit_is_refused_and_nobody_is_added(
    pipe, arguments, password, refusal
):
    lincoln()
    pipe(password)

    with pytest.raises(CommandError, match=refusal):
        run("eve@elm.example.org", "--name", "Eve Alder", *arguments)
    assert not User.objects.exists()
    assert not AuditEvent.objects.exists()


def test_an_email_in_use_is_refused_before_a_password_is_asked(monkeypatch):
    priya()
    monkeypatch.setattr("sys.stdin", None)

    with pytest.raises(CommandError, match="in use"):
        run("PRIYA@district.example.org", "--name", "P", "--role", "superintendent")


def test_a_word_that_is_no_email_is_refused(pipe):
    pipe(PASSWORD)

    with pytest.raises(CommandError, match="not an email address"):
        run("eve", "--name", "Eve Alder", "--role", "superintendent")
