"""Maps and rally points of the demo's plans, and the first go-kits."""

import hashlib
import io
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.core.files.base import ContentFile
from PIL import Image, ImageDraw, ImageFont

from schools.documents import FONTS
from schools.go_kits import making
from schools.models import Audience, PlanAttachment, RallyPoint, SafetyPlan, School

SIZE = (1000, 700)
FONT = FONTS / "AtkinsonHyperlegibleNext-Bold.ttf"
FRESH = ("lincoln-high", "roosevelt-middle")
STALE = "lincoln-elementary"
"""Its kit was made three days ago, to show what a missed night looks like."""
FIELDS = (
    ("the playing field", "north", (330, 40, 960, 210)),
    ("the tennis courts", "east", (760, 240, 960, 560)),
)
"""Where people gather: name, side of the building, box on the map in pixels."""
POINTS = (
    ("A", "assembly", "{first}, {side} of the building", "Bring the class lists"),
    ("B", "second_assembly", "{second}, on the far side", ""),
    ("S", "staging", "The bus loop by door 1", "Keep the fire lane clear"),
    ("R", "reunification", "The church hall across the road", "Families come here"),
)


def hang_on(plans: Iterable[SafetyPlan], *, now: datetime) -> None:
    """Give open plans a map and rally points, drawn and named here."""
    attachments, points = [], []
    for number, plan in enumerate(plans):
        first, second = FIELDS if number % 2 == 0 else FIELDS[::-1]
        drawn = draw_map(plan.school.name, swapped=number % 2 == 1)
        attachment = PlanAttachment(
            plan=plan,
            kind=PlanAttachment.Kind.MAP,
            title="Map of the grounds",
            description=(
                f"The building stands in the middle, its main entrance, door 1, on the "
                f"south side by the bus loop. A is {first[0]} to the {first[1]}, B is "
                f"{second[0]} to the {second[1]}, S the bus loop, R the church hall "
                "across the road to the south."
            ),
            audience=Audience.RESPONDER,
            file_name="grounds.png",
            content_type="image/png",
            size=len(drawn),
            width=SIZE[0],
            height=SIZE[1],
            sha256=hashlib.sha256(drawn).hexdigest(),
            added_at=now,
            added_by=plan.started_by,
        )
        attachment.file.save("", ContentFile(drawn), save=False)
        attachments.append(attachment)
        points += [
            RallyPoint(
                plan=plan,
                name=f"{letter} on the map",
                use=use,
                where=where.format(
                    first=first[0].capitalize(),
                    side=first[1],
                    second=second[0].capitalize(),
                ),
                note=note,
                added_at=now,
                added_by=plan.started_by,
            )
            for letter, use, where, note in POINTS
        ]
    PlanAttachment.objects.bulk_create(attachments)
    RallyPoint.objects.bulk_create(points)


def draw_map(name: str, *, swapped: bool = False) -> bytes:
    """A simple plan of grounds that do not exist, as PNG of 1,000 × 700 pixels."""
    picture = Image.new("RGB", SIZE, "#e8efe4")
    pen = ImageDraw.Draw(picture)
    large, small = (ImageFont.truetype(FONT, points) for points in (30, 20))
    letters = ("B", "A") if swapped else ("A", "B")
    pen.rectangle((0, 600, 1000, 660), fill="#c9ced4")
    pen.text((30, 614), "County road", fill="#10202f", font=small)
    for (what, _, box), letter in zip(FIELDS, letters, strict=True):
        pen.rectangle(box, fill="#cfe3c4", outline="#1d7a3e", width=4)
        pen.text(
            (box[0] + 16, box[3] - 34),
            what.removeprefix("the ").capitalize(),
            fill="#10202f",
            font=small,
        )
        _mark(pen, large, ((box[0] + box[2]) // 2, (box[1] + box[3]) // 2), letter)
    pen.rectangle((60, 240, 290, 540), fill="#dfe4ea", outline="#5b6b7b", width=3)
    pen.text((80, 256), "Parking", fill="#10202f", font=small)
    pen.polygon(
        [(330, 250), (720, 250), (720, 460), (600, 460), (600, 400), (330, 400)],
        fill="#f6efe2",
        outline="#10202f",
        width=5,
    )
    title = large if len(name) <= 22 else small
    pen.text((352, 268), name, fill="#10202f", font=title)
    for at, door in (((420, 372), "Door 1"), ((610, 430), "Door 4")):
        pen.text(at, door, fill="#10202f", font=small)
    pen.text((645, 330), "Door 7", fill="#10202f", font=small)
    pen.arc((380, 420, 560, 590), 180, 360, fill="#5b6b7b", width=10)
    pen.text((420, 520), "Bus loop", fill="#10202f", font=small)
    _mark(pen, large, (470, 480), "S")
    pen.rectangle((640, 668, 860, 698), fill="#f6efe2", outline="#10202f", width=3)
    pen.text((700, 672), "Church hall", fill="#10202f", font=small)
    _mark(pen, large, (660, 682), "R")
    pen.polygon([(60, 150), (80, 60), (100, 150), (80, 130)], fill="#10202f")
    pen.text((72, 160), "N", fill="#10202f", font=small)
    out = io.BytesIO()
    few = picture.quantize(32, method=Image.Quantize.FASTOCTREE)
    few.save(out, "PNG")
    return out.getvalue()


def _mark(
    pen: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont,
    at: tuple[int, int],
    letter: str,
) -> None:
    x, y = at
    pen.ellipse((x - 26, y - 26, x + 26, y + 26), fill="#0b4f8a", outline="white")
    pen.text((x, y), letter, fill="white", font=font, anchor="mm")


def make_first_kits(schools: Mapping[str, School], *, now: datetime) -> None:
    """Make two kits, and one that looks three days old; workers make the others."""
    for code, made_at in (
        *((code, now) for code in FRESH),
        (STALE, now - timedelta(days=3)),
    ):
        if code in schools and schools[code].plans.adopted().exists():
            making.make(schools[code], now=made_at)
