"""The files of plans: what we take, how it is kept, and whether it is still itself."""

import hashlib
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath

from schools import pictures
from schools.models import PlanAttachment

MAX_PDF = 20 * 2**20
PDF = "application/pdf"


class FileRefused(ValueError):
    """This file is not taken; the words are fit for the screen."""


class FileGone(LookupError):
    """The file is not on the disk any more, or not what was put there."""


@dataclass(frozen=True)
class Accepted:
    """A file as it will be kept; width and height in pixels, None for a PDF."""

    data: bytes
    content_type: str
    width: int | None = None
    height: int | None = None

    @property
    def sha256(self) -> str:
        """Hexadecimal, over exactly what is kept."""
        return hashlib.sha256(self.data).hexdigest()


def accept(data: bytes) -> Accepted:
    """What to keep of an upload: a picture drawn anew, or a PDF as it came.

    The type is told by content; the name plays no part. Raises FileRefused.
    """
    if pictures.content_type(data) != PDF or not data.startswith(b"%PDF-"):
        try:
            drawn = pictures.redraw(data)
        except pictures.PictureRefused as refusal:
            if pictures.content_type(data) in pictures.KINDS:
                raise FileRefused(str(refusal)) from refusal
            raise FileRefused(
                "This is not a PDF, PNG, JPEG or WebP file, whatever its name says. "
                "Nothing was kept."
            ) from refusal
        return Accepted(drawn.data, drawn.content_type, drawn.width, drawn.height)
    if len(data) > MAX_PDF:
        raise FileRefused(
            f"A PDF may have at most {MAX_PDF // 2**20} MB. Nothing was kept."
        )
    if b"%%EOF" not in data[-2048:]:
        raise FileRefused(
            "This PDF is cut short. Save it again and try once more; nothing was kept."
        )
    return Accepted(data, PDF)


def read(attachment: PlanAttachment) -> bytes:
    """The bytes that were kept. Raises FileGone if they are missing or have changed."""
    try:
        with attachment.file.storage.open(str(attachment.file.name)) as file:
            data = file.read()
    except OSError as error:
        raise FileGone(
            f"The file of “{attachment.title}” is missing on the server. What the plan "
            "says about it is still here; bring the file back from a backup."
        ) from error
    if hashlib.sha256(data).hexdigest() != attachment.sha256:
        raise FileGone(
            f"The file of “{attachment.title}” is not what was added: it changed on "
            "the server. It is not shown; bring it back from a backup."
        )
    return data


def shown_name(uploaded_as: str) -> str:
    """An uploaded name fit for the screen: no folders, no invisible letters."""
    last = PurePosixPath(uploaded_as.replace("\\", "/")).name
    plain = "".join(c for c in last if unicodedata.category(c)[0] != "C")
    return plain.strip()[-120:] or "file"


def offered_name(attachment: PlanAttachment) -> str:
    """The name a browser saves it under: ours, plain letters, an honest ending."""
    ending = {"image/png": "png", "image/jpeg": "jpg"}.get(
        attachment.content_type, "pdf"
    )
    plan = attachment.plan
    return f"{plan.school.code}-plan-{plan.version}-{attachment.pk}.{ending}"
