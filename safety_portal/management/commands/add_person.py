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
from schools.models import School, User
from schools.permissions import DISTRICT_ROLES, Role


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

    def handle(self, *args: Any, **options: Any) -> None:
        email, name = options["email"].strip().lower(), options["name"].strip()
        role = Role(options["role"])
        try:
            validate_email(email)
        except ValidationError as error:
            raise CommandError(f"“{email}” is not an email address.") from error
        school = _school_of(role, options["school"])
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
    if not code:
        raise CommandError(f"A {role.label.lower()} needs a school: --school CODE.")
    school = School.objects.filter(code=code).first()
    if school is None:
        codes = ", ".join(School.objects.open().values_list("code", flat=True))
        raise CommandError(f"No school has the code “{code}”. There are: {codes}.")
    return school


def _ask_password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != password:
        raise CommandError("The two passwords differ. Nothing was added.")
    return password
