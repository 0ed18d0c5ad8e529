"""Doorways for the workers of the ground floor; the work lives in its own rooms."""

from celery import shared_task
from django.utils import timezone

from schools.go_kits import making
from schools.roster import running


@shared_task(name="schools.advance_roster_import")
def advance_roster_import(pk: int) -> None:
    """Take one roster import as far as it goes without a person."""
    running.advance(pk)


@shared_task(name="schools.make_go_kit")
def make_go_kit(code: str) -> None:
    """Make the go-kit of one school anew."""
    making.make_one(code, now=timezone.now())


@shared_task(name="schools.make_go_kits")
def make_go_kits() -> None:
    """Have the go-kit of every school made anew: the nightly round."""
    for code in making.schools_with_a_plan():
        make_go_kit.delay(code)


@shared_task(name="schools.make_missing_go_kits")
def make_missing_go_kits() -> None:
    """Have made what is missing, withdrawn, or older than its plan."""
    for code in making.schools_without_a_true_kit(now=timezone.now()):
        make_go_kit.delay(code)
