"""Roster files as tests write them: a header, lines, and OneRoster sets."""

import csv
import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

from schools.models import RosterImport
from schools.roster import running
from schools.roster.contacts_csv import HEADER
from schools.roster.opening import Bundle, bundle_of
from tests.cast import NOW

USERS_11 = (
    "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,"
    "givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,"
    "password"
)
USERS_12 = (
    "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,"
    "familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password,"
    "userMasterIdentifier,resourceId,preferredGivenName,preferredMiddleName,"
    "preferredFamilyName,primaryOrgSourcedId,pronouns"
)
ROLES_12 = (
    "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,"
    "orgSourcedId,userProfileSourcedId"
)
ORGS = "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId"


def line(**cells: str) -> dict[str, str]:
    """A line of the contacts CSV: Mateo at Lincoln, whose mother is Gloria."""
    return {
        "school_code": "lincoln",
        "student_id": "S1",
        "student_given_name": "Mateo",
        "student_family_name": "Mendes",
        "grade": "4",
        "household_id": "H1",
        "guardian_id": "G1",
        "guardian_name": "Gloria Mendes",
        "relationship": "mother",
        "language": "es",
        "phone_1": "612-555-0101",
        "email_1": "gloria@example.org",
    } | cells


def family(n: int, **cells: str) -> dict[str, str]:
    """The n-th family of one child and one guardian."""
    own = {
        "student_id": f"S{n}",
        "household_id": f"H{n}",
        "guardian_id": f"G{n}",
        "phone_1": f"612-555-{n:04d}",
        "email_1": f"g{n}@example.org",
    }
    return line(**own | cells)


def contacts(lines: Iterable[dict[str, str]], header: Iterable[str] = HEADER) -> bytes:
    """A contacts CSV in UTF-8."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(header), restval="", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue().encode()


def table(header: str, rows: Iterable[dict[str, str]]) -> str:
    """One file of a OneRoster set."""
    out = io.StringIO()
    writer = csv.DictWriter(out, header.split(","), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def manifest(version: str = "1.1", users: str = "bulk") -> str:
    """manifest.csv, as far as we read it."""
    return (
        "propertyName,value\nmanifest.version,1.0\n"
        f"oneroster.version,{version}\nfile.orgs,bulk\nfile.users,{users}\n"
    )


def one_roster_11(users: list[dict[str, str]], mode: str = "bulk") -> dict[str, str]:
    """A OneRoster 1.1 set with Lincoln in it."""
    orgs = [
        {"sourcedId": "D", "name": "District", "type": "district"},
        {
            "sourcedId": "org-7",
            "name": "Lincoln High",
            "type": "school",
            "identifier": "lincoln",
        },
    ]
    return {
        "manifest.csv": manifest("1.1", mode),
        "orgs.csv": table(ORGS, orgs),
        "users.csv": table(USERS_11, users),
    }


def zipped(files: dict[str, str | bytes]) -> bytes:
    """The files as a zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def opened(content: bytes, name: str = "roster.csv") -> Bundle:
    """What we make of these bytes."""
    return bundle_of(io.BytesIO(content), name)


def looked_over(tmp_path: Path, content: bytes, name: str = "r.csv") -> RosterImport:
    """An import of these bytes, read and compared: READY or REFUSED."""
    path = tmp_path / name
    path.write_bytes(content)
    made = RosterImport.objects.create(file_name=name, created_at=NOW)
    running.advance(made.pk, clock=lambda: NOW, path=path)
    made.refresh_from_db()
    return made


def applied(
    tmp_path: Path,
    content: bytes,
    name: str = "r.csv",
    agreed_to_lose: int | None = None,
) -> RosterImport:
    """An import of these bytes, applied."""
    made = looked_over(tmp_path, content, name)
    assert made.state == "ready", made.refusal or made.trouble
    running.approve(made, agreed_to_lose, None, NOW)
    running.advance(made.pk, clock=lambda: NOW)
    made.refresh_from_db()
    assert made.state == "done", made.trouble
    return made


def errors(made: RosterImport) -> list[tuple[int, str]]:
    """(line, column) of everything that was not applied."""
    found = made.issues.filter(severity="error").order_by("line", "column")
    return list(found.values_list("line", "column"))


def warnings(made: RosterImport) -> list[tuple[int, str]]:
    """(line, column) of everything to be checked."""
    found = made.issues.filter(severity="warning").order_by("line", "column")
    return list(found.values_list("line", "column"))
