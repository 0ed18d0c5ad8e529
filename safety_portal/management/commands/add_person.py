"""manage.py add_person: somebody who can sign in, with one role."""

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.utils import timezone

from schools.actions.people import PersonExists, add_person
from schools.models import Agency, School, User
from schools.permissions import AGENCY_ROLES, DISTRICT_ROLES, Role


class Command(BaseCommand):
    help = (
        "Add one person with one role. Asks for the password twice, or reads it from a "
        "pipe; it is never an argument, since arguments are seen by everyone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", required=True)
        parser.add_argument("--role", required=True, choices=Role.values)
        parser.add_argument("--school", help="code of the school of a school role")
        parser.add_argument(
            "--agency", help="name of the agency of a supervisor or an officer"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        email, name = options["email"].strip().lower(), options["name"].strip()
        role = Role(options["role"])
        try:
            validate_email(email)
        except ValidationError as error:
            raise CommandError(f"“{email}” is not an email address.") from error
        school = _school_of(role, options["school"])
        agency = _agency_of(role, options["agency"])
        if User.objects.filter(email=email).exists():
            raise CommandError(f"{email} is in use. Nothing was added.")
        password = _ask_password()
        try:
            validate_password(password, User(email=email, name=name))
            person = add_person(
                email=email,
                name=name,
                password=password,
                role=role,
                school=school,
                agency=agency,
                by=None,
                now=timezone.now(),
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except PersonExists as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"Added {person.name}: {person.title}.")


def _school_of(role: Role, code: str | None) -> School | None:
    if role in DISTRICT_ROLES:
        if code:
            raise CommandError(
                f"A {role.label.lower()} works for the whole district: no --school."
            )
        return None
    if role in AGENCY_ROLES:
        if code:
            raise CommandError(
                "What an agency supervisor reaches is in the agreement: no --school."
            )
        return None
    if not code:
        raise CommandError(f"A {role.label.lower()} needs a school: --school CODE.")
    school = School.objects.filter(code=code).first()
    if school is None:
        codes = ", ".join(School.objects.open().values_list("code", flat=True))
        raise CommandError(f"No school has the code “{code}”. There are: {codes}.")
    return school


def _agency_of(role: Role, name: str | None) -> Agency | None:
    if role not in AGENCY_ROLES and role != Role.SRO:
        if name:
            raise CommandError(f"A {role.label.lower()} is of no agency: no --agency.")
        return None
    if not name:
        if role == Role.SRO:
            return None  # the school's own agency stands behind the officer
        raise CommandError(f"An {role.label.lower()} needs an agency: --agency NAME.")
    agency = Agency.objects.filter(name__iexact=name).first()
    if agency is None:
        names = ", ".join(Agency.objects.values_list("name", flat=True)) or "none yet"
        raise CommandError(f"No agency is called “{name}”. There are: {names}.")
    return agency


def _ask_password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != password:
        raise CommandError("The two passwords differ. Nothing was added.")
    return password
