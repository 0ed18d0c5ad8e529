"""Attachments and rally points of the cast's plans, and rows that are refused."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from schools.actions import attachments as actions
from schools.models import Audience, PlanAttachment, RallyPoint, SafetyPlan
from tests import cast
from tests.schools import planning

PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<<>>\n%%EOF\n"


def keep_files_in(folder: Path, settings: Any) -> None:
    """Uploads and go-kits of one test go to a folder of its own."""
    default = settings.STORAGES["default"]
    options = default["OPTIONS"] | {"location": str(folder / "uploads")}
    settings.STORAGES = settings.STORAGES | {"default": default | {"OPTIONS": options}}
    settings.GO_KITS = folder / "go-kits"


def make_png(size: tuple[int, int] = (64, 48), colour: str = "green") -> bytes:
    """A picture of one colour."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def attach(plan: SafetyPlan, data: bytes | None = None, **fields: Any):
    """Priya adds a map, through the action."""
    return actions.add_attachment(
        **{
            "plan": plan,
            "data": make_png() if data is None else data,
            "uploaded_as": "map.png",
            "kind": "map",
            "title": "Map of the grounds",
            "description": "The field is north of the school, across the lot.",
            "audience": Audience.RESPONDER,
            "by": cast.priya(),
            "now": cast.NOW,
        }
        | fields
    )


def make_point(plan: SafetyPlan, name: str = "North field", **fields: Any):
    """Priya names a rally point, through the action."""
    return actions.add_rally_point(
        **{
            "plan": plan,
            "name": name,
            "use": "assembly",
            "where": "Behind the tennis courts",
            "note": "",
            "audience": Audience.STAFF,
            "by": cast.priya(),
            "now": cast.NOW,
        }
        | fields
    )


def attachment_row(**fields: Any) -> PlanAttachment:
    """A row without a file behind it."""
    return PlanAttachment.objects.create(
        **{
            "plan": planning.make_plan(),
            "kind": "map",
            "title": "Map",
            "description": "The grounds",
            "audience": "staff",
            "file": "plans/nowhere",
            "file_name": "map.png",
            "content_type": "image/png",
            "size": 1,
            "width": 1,
            "height": 1,
            "sha256": "0" * 64,
            "added_at": cast.NOW,
            "added_by": cast.priya(),
        }
        | fields
    )


def point_row(plan: SafetyPlan, **fields: Any) -> RallyPoint:
    """A rally point as a row."""
    return RallyPoint.objects.create(
        **{
            "plan": plan,
            "name": "Field",
            "use": "assembly",
            "where": "North",
            "added_at": cast.NOW,
            "added_by": cast.priya(),
        }
        | fields
    )


def two_points() -> None:
    plan = planning.make_plan()
    point_row(plan)
    point_row(plan)


BAD_ROWS: dict[str, Callable[[], object]] = {
    "an_attachment_is_for_staff_or_responders": lambda: attachment_row(
        audience="family"
    ),
    "an_attachment_is_a_pdf_or_a_picture": lambda: attachment_row(
        content_type="image/svg+xml"
    ),
    "a_picture_has_a_width_and_a_height": lambda: attachment_row(width=None),
    "an_attachment_says_what_it_shows": lambda: attachment_row(description=""),
    "a_restricted_attachment_says_when_by_whom_and_why": lambda: attachment_row(
        restricted_at=cast.NOW, restricted_by=cast.dana()
    ),
    "a_rally_point_is_named_once_in_a_plan": two_points,
    "a_rally_point_is_for_staff_or_responders": lambda: point_row(
        planning.make_plan(), audience="public"
    ),
    "a_rally_point_says_where_it_is": lambda: point_row(planning.make_plan(), where=""),
}
