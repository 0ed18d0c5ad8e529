"""Making a school's kit and putting it on the shelf."""

import logging
from datetime import datetime
from time import monotonic

from schools.models import SafetyPlan, School

from . import shelf, writing
from .contents import Contents, NoAdoptedPlan, gather
from .standing import standing

log = logging.getLogger(__name__)


def make(school: School, *, now: datetime) -> shelf.KeptKit:
    """Make the kit for responders anew; the last one stays if this fails.

    Raises NoAdoptedPlan and documents.DocumentFailed.
    """
    contents = gather(school, restricted=False, now=now)
    return shelf.keep(
        school.code,
        contents=contents.data,
        inside={
            "plan_version": contents.data["plan"]["version"],
            "texts": contents.texts,
            "attachments": contents.attachments,
        },
        files={
            shelf.PDF: writing.as_pdf(contents, now=now),
            shelf.HTML: writing.as_html(contents),
        },
    )


def make_one(code: str, *, now: datetime) -> None:
    """Make the kit of the school with this code, and say in the log how it went."""
    school = School.objects.select_related("district", "agency").get(code=code)
    started = monotonic()
    try:
        kit = make(school, now=now)
    except NoAdoptedPlan as nothing:
        log.info("%s", nothing)
        return
    log.info(
        "go-kit of %s: %d bytes of PDF, %d of HTML, %.2f s",
        code,
        kit.size(shelf.PDF),
        kit.size(shelf.HTML),
        monotonic() - started,
    )


def schools_with_a_plan() -> list[str]:
    """Codes of the open schools that have an adopted plan."""
    found = School.objects.open().filter(plans__in=SafetyPlan.objects.adopted())
    return list(found.order_by("code").values_list("code", flat=True))


def schools_without_a_true_kit(*, now: datetime) -> list[str]:
    """Codes of those whose kit is missing, withdrawn, or older than the plan."""
    found = School.objects.filter(code__in=schools_with_a_plan()).order_by("code")
    return [one.code for one in found if standing(one, now=now).needs_making]


def restricted_variant(school: School, *, now: datetime) -> Contents:
    """The kit with restricted text, for one reader. It is never put on the shelf."""
    return gather(school, restricted=True, now=now)
