"""Doorways for the workers of the ground floor; the work lives in its own rooms."""

from celery import shared_task

from schools.roster import running


@shared_task(name="schools.advance_roster_import")
def advance_roster_import(pk: int) -> None:
    """Take one roster import as far as it goes without a person."""
    running.advance(pk)
