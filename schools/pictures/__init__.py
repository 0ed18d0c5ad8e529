"""Pictures from strangers, drawn anew: pixels are kept, and nothing else of the file.

`redraw` starts a process that can do little (no secrets in its environment, bounded
memory, time and output) and lets it decode the picture and draw it again.
Place, camera, comments, hidden thumbnails and whatever was hung on the end stay behind.
"""

import io
import struct
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import puremagic
from PIL import Image

from .redraw import MAX_OUTPUT, REFUSALS, Limits

REDRAW = Path(__file__).with_name("redraw.py")
MAX_BYTES = 20 * 2**20
"""A picture larger than this is not even looked at."""
KINDS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
"""What may come in, by content, and what Pillow calls it."""
HEADER = struct.Struct("!4sII")
USUAL = Limits(memory=768 * 2**20, cpu_seconds=15)
WALL_SECONDS = 25.0


class PictureRefused(ValueError):
    """The bytes are no picture we take; the words are fit for the screen."""


@dataclass(frozen=True)
class Picture:
    """A picture we drew ourselves: PNG or JPEG bytes, size in pixels."""

    data: bytes
    content_type: str
    width: int
    height: int

    @property
    def ending(self) -> str:
        """png or jpg."""
        return "png" if self.content_type == "image/png" else "jpg"


def content_type(data: bytes) -> str:
    """The media type the content itself shows, such as image/png; "" when unknown."""
    try:
        return puremagic.from_string(data[:4096], mime=True)
    except (puremagic.PureError, ValueError):
        return ""


def redraw(
    data: bytes, *, limits: Limits = USUAL, seconds: float = WALL_SECONDS
) -> Picture:
    """Decode a PNG, JPEG or WebP in a limited process and draw it again.

    The first frame, upright, at most 2,400 pixels a side, without any metadata: PNG
    where the original was PNG or has see-through parts, unless a JPEG is far smaller.
    Raises PictureRefused for anything else, for too many bytes or pixels, and when the
    process dies or takes longer than `seconds`.
    """
    if len(data) > MAX_BYTES:
        raise PictureRefused(
            f"A picture may have at most {MAX_BYTES // 2**20} MB. Nothing was kept."
        )
    kind = KINDS.get(content_type(data))
    if kind is None:
        raise PictureRefused(
            "This is not a PNG, JPEG or WebP picture, whatever its name says. "
            "Nothing was kept."
        )
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as drawn:
        given.write(data)
        given.seek(0)
        _run(kind, given, drawn, limits, seconds)
        drawn.seek(0)
        return _read(drawn.read(MAX_OUTPUT))


def smaller(data: bytes, *, side: int = 1600, enough: int = 300_000) -> Picture:
    """One of our own pictures for taking along: at most `side` pixels a side.

    A JPEG on white where the PNG would have more than `enough` bytes. For what
    `redraw` made and nothing else: it is decoded in this process.
    """
    with Image.open(io.BytesIO(data), formats=["PNG", "JPEG"]) as given:
        was = given.format
        plain = given.convert("RGBA" if given.has_transparency_data else "RGB")
    fits = max(plain.size) <= side
    if fits and len(data) <= enough:
        kind = "image/png" if was == "PNG" else "image/jpeg"
        return Picture(data, kind, *plain.size)
    plain.thumbnail((side, side), Image.Resampling.LANCZOS)
    if was == "PNG":
        drawn = _saved(plain, "PNG", optimize=True)
        if len(drawn) <= enough:
            return Picture(drawn, "image/png", *plain.size)
    paper = Image.new("RGB", plain.size, "white")
    paper.paste(plain, mask=plain if plain.mode == "RGBA" else None)
    drawn = _saved(paper, "JPEG", quality=80, optimize=True)
    return Picture(drawn, "image/jpeg", *paper.size)


def _saved(picture: Image.Image, kind: str, **how: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **how)
    return out.getvalue()


def _run(
    kind: str, given: IO[bytes], drawn: IO[bytes], limits: Limits, seconds: float
) -> None:
    try:
        done = subprocess.run(
            [sys.executable, "-I", REDRAW, kind, *limits.as_words()],
            stdin=given,
            stdout=drawn,
            stderr=subprocess.DEVNULL,
            env={},  # our secrets are not in this room
            cwd="/",
            timeout=seconds,
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        raise PictureRefused(
            "Drawing this picture anew took too long. Nothing was kept."
        ) from None
    if done.returncode != 0:
        raise PictureRefused(
            REFUSALS.get(
                done.returncode,
                "This picture could not be drawn anew: it is damaged or asks for more "
                "memory than a picture may. Nothing was kept.",
            )
        )


def _read(answer: bytes) -> Picture:
    if len(answer) <= HEADER.size:
        raise PictureRefused("This picture could not be drawn anew.")
    name, width, height = HEADER.unpack_from(answer)
    kinds = {b"PNG ": "image/png", b"JPEG": "image/jpeg"}
    if name not in kinds:
        raise PictureRefused("This picture could not be drawn anew.")
    return Picture(answer[HEADER.size :], kinds[name], width, height)
