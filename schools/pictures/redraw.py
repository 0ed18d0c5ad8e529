"""The small process that decodes a stranger's picture: python redraw.py KIND LIMITS.

Reads the picture from standard input; writes four letters, width, height and the new
picture to standard output. Run as a script it imports Pillow and nothing of ours.
"""

import io
import resource
import struct
import sys
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

MAX_PIXELS = 60_000_000
"""A phone's 50 megapixels pass; decoding them takes 240 MB."""
MAX_SIDE = 2400
MAX_OUTPUT = 12 * 2**20
PNG_IS_TOO_LARGE = 1_500_000  # bytes; a map as PNG is smaller, a photo larger
TOO_MANY_PIXELS, NOT_A_PICTURE, CUT_SHORT = 10, 11, 12
REFUSALS = {
    TOO_MANY_PIXELS: f"A picture may have at most {MAX_PIXELS // 1_000_000} million "
    "pixels. Nothing was kept.",
    NOT_A_PICTURE: "This is not a picture we can read. Nothing was kept.",
    CUT_SHORT: "This picture is cut short or damaged. Save it again and try once more; "
    "nothing was kept.",
}


@dataclass(frozen=True)
class Limits:
    """What the process may use at most; memory in bytes of address space."""

    memory: int
    cpu_seconds: int

    def as_words(self) -> tuple[str, str]:
        """For the command line."""
        return str(self.memory), str(self.cpu_seconds)

    def apply(self) -> None:
        """Bind this process, for good."""
        for what, limit in (
            (resource.RLIMIT_AS, self.memory),
            (resource.RLIMIT_CPU, self.cpu_seconds),
            (resource.RLIMIT_FSIZE, MAX_OUTPUT),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_NOFILE, 16),
        ):
            hard = resource.getrlimit(what)[1]
            if hard != resource.RLIM_INFINITY:
                limit = min(limit, hard)
            resource.setrlimit(what, (limit, limit))


def draw(data: bytes, kind: str) -> tuple[bytes, str, int, int]:
    """(new bytes, PNG or JPEG, width, height); SystemExit with a refusal's number."""
    try:
        given: Image.Image = Image.open(io.BytesIO(data), formats=[kind])
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        sys.exit(NOT_A_PICTURE)
    if given.width * given.height > MAX_PIXELS:
        sys.exit(TOO_MANY_PIXELS)
    try:
        if kind == "JPEG":
            given.draft("RGB", (MAX_SIDE, MAX_SIDE))
        given.load()
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, struct.error):
        sys.exit(CUT_SHORT)
    clear = given.has_transparency_data
    if given.mode not in ("RGB", "RGBA"):  # a copy of a large picture is dear
        given = given.convert("RGBA" if clear else "RGB")
    given.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    plain = ImageOps.exif_transpose(given).convert("RGBA" if clear else "RGB")
    # Nothing but pixels moves over: a new picture has no info to bring along.
    pixels = Image.new(plain.mode, plain.size)
    pixels.paste(plain)
    if kind == "PNG" or clear:
        drawn = _saved(pixels, "PNG", optimize=True)
        if clear or len(drawn) <= PNG_IS_TOO_LARGE:
            return drawn, "PNG ", *pixels.size
    return _saved(pixels, "JPEG", quality=82, progressive=True), "JPEG", *pixels.size


def _saved(picture: Image.Image, kind: str, **how: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **how)
    return out.getvalue()


def main() -> None:
    """Draw what comes in, within the limits of the command line."""
    kind, memory, seconds = sys.argv[1:]
    Limits(int(memory), int(seconds)).apply()
    Image.MAX_IMAGE_PIXELS = None  # our own count decides, without a warning first
    drawn, name, width, height = draw(sys.stdin.buffer.read(), kind)
    sys.stdout.buffer.write(struct.pack("!4sII", name.encode(), width, height) + drawn)


if __name__ == "__main__":
    main()
