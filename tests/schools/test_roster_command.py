"""`manage.py import_roster`, by its exit status and its words."""

import pytest
from django.core.management import CommandError, call_command

from schools.models import AuditEvent, RosterImport, StagedStudent, Student
from tests import cast
from tests.schools.roster_files import contacts, family, line

pytestmark = pytest.mark.django_db
TEN = [family(n) for n in range(10)]


@pytest.fixture(autouse=True)
def _lincoln():
    cast.lincoln()


@pytest.fixture
def file(tmp_path):
    def written(lines, name: str = "roster.csv"):
        path = tmp_path / name
        path.write_bytes(contacts(lines))
        return str(path)

    return written


def test_a_dry_run_says_what_would_change_and_leaves_no_trace(file, capsys):
    call_command("import_roster", file(TEN), "--dry-run")
    assert "10 new" in " ".join(capsys.readouterr().out.split())
    assert not Student.objects.exists()
    assert not RosterImport.objects.exists()
    assert not StagedStudent.objects.exists()
    assert not AuditEvent.objects.exists()


def test_a_roster_is_applied_in_the_name_of_a_person(file, capsys):
    call_command("import_roster", file(TEN), "--by", cast.dana().email)
    assert "Applied." in capsys.readouterr().out
    assert Student.objects.count() == 10
    assert not StagedStudent.objects.exists()
    assert AuditEvent.objects.get(type="roster.imported").by_id == cast.dana().pk


def test_lines_with_errors_end_in_status_4_after_the_rest_was_applied(file, capsys):
    with pytest.raises(SystemExit) as end:
        call_command("import_roster", file([*TEN, family(99, phone_1="12")]))
    assert end.value.code == 4
    assert "roster.csv:12: phone_1" in capsys.readouterr().err
    assert Student.objects.count() == 11


def test_a_refused_file_ends_in_status_1(file, tmp_path):
    (tmp_path / "x.csv").write_bytes(b"")
    with pytest.raises(CommandError, match="empty") as end:
        call_command("import_roster", str(tmp_path / "x.csv"))
    assert end.value.returncode == 1


def test_too_many_gone_ends_in_status_3_unless_allowed(file):
    call_command("import_roster", file(TEN))
    half = file(TEN[:5])
    for extra in ([], ["--dry-run"]):
        with pytest.raises(CommandError, match="--allow-removals") as end:
            call_command("import_roster", half, *extra)
        assert end.value.returncode == 3
    assert not Student.objects.exclude(left_on=None).exists()
    assert not RosterImport.objects.unfinished().exists()
    call_command("import_roster", half, "--allow-removals")
    assert Student.objects.exclude(left_on=None).count() == 5


def test_all_errors_are_written_to_a_file(file, tmp_path):
    out = tmp_path / "errors.csv"
    with pytest.raises(SystemExit):
        call_command("import_roster", file([line(phone_1="12")]), "--errors", str(out))
    assert "phone_1" in out.read_text(encoding="utf-8-sig")


def test_somebody_unknown_cannot_be_named(file):
    with pytest.raises(CommandError, match="Nobody signs in"):
        call_command("import_roster", file(TEN), "--by", "nobody@example.org")
