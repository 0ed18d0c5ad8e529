"""Pictures drawn anew: what is kept, what stays behind, and what is refused."""

import io
import json
import struct
import zipfile
import zlib

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from schools import pictures
from schools.pictures.redraw import MAX_PIXELS, MAX_SIDE, Limits

GPS = {0: b"\x02\x03\x00\x00", 1: "N", 2: (45.0, 11.0, 52.0)}
SECRET_PLACE = "Rum River, 45.1978 north"


def make_picture(
    kind: str = "PNG", size: tuple[int, int] = (60, 40), mode: str = "RGB", **how
) -> bytes:
    """A small picture: left half red, right half blue."""
    picture = Image.new(mode, size, "red")
    picture.paste("blue", (size[0] // 2, 0, *size))
    out = io.BytesIO()
    picture.save(out, kind, **how)
    return out.getvalue()


def make_photo_with_a_place(orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[0x010E] = SECRET_PLACE
    exif[0x0112] = orientation
    exif.get_ifd(0x8825).update(GPS)
    return make_picture("JPEG", exif=exif, comment=SECRET_PLACE.encode())


def make_bomb(width: int, height: int) -> bytes:
    """A valid PNG of a few kilobytes that unfolds to width × height pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        crc = zlib.crc32(name + data)
        return struct.pack("!I", len(data)) + name + data + struct.pack("!I", crc)

    line = zlib.compressobj(9)
    row = b"\0" * (1 + width * 3)
    packed = b"".join(line.compress(row) for _ in range(height)) + line.flush()
    head = struct.pack("!IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", packed)
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("kind", "comes_back_as"),
    [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/jpeg")],
)
def test_a_picture_comes_back_with_the_same_pixels(kind, comes_back_as):
    drawn = pictures.redraw(make_picture(kind))
    assert (drawn.content_type, drawn.width, drawn.height) == (comes_back_as, 60, 40)
    seen = Image.open(io.BytesIO(drawn.data)).convert("RGB")
    red, blue = seen.getpixel((5, 20)), seen.getpixel((55, 20))
    assert red[0] > 240
    assert blue[2] > 240


def test_place_camera_and_comments_stay_behind():
    photo = make_photo_with_a_place()
    assert SECRET_PLACE.encode() in photo
    assert dict(Image.open(io.BytesIO(photo)).getexif().get_ifd(0x8825))
    drawn = pictures.redraw(photo)
    seen = Image.open(io.BytesIO(drawn.data))
    assert not seen.getexif()
    assert "comment" not in seen.info
    assert SECRET_PLACE.encode() not in drawn.data


def test_text_in_a_png_stays_behind():
    out = io.BytesIO()
    notes = PngInfo()
    notes.add_text("Comment", "Taken by Gloria")
    Image.new("RGB", (9, 9)).save(out, "PNG", pnginfo=notes)
    assert b"Taken by Gloria" in out.getvalue()
    assert b"Gloria" not in pictures.redraw(out.getvalue()).data


def test_a_photo_taken_sideways_is_upright():
    drawn = pictures.redraw(make_photo_with_a_place(orientation=6))
    assert (drawn.width, drawn.height) == (40, 60)


def test_see_through_parts_stay_see_through():
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    out = io.BytesIO()
    clear.save(out, "WEBP", lossless=True)
    again = pictures.redraw(out.getvalue())
    assert Image.open(io.BytesIO(again.data)).getpixel((1, 1))[3] == 0


def test_a_large_photo_is_made_smaller():
    drawn = pictures.redraw(make_picture("JPEG", (4000, 3000)))
    assert (drawn.width, drawn.height) == (MAX_SIDE, 1800)


def test_what_hangs_on_the_end_is_cut_off():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("run.sh", "rm -rf /")
    both = make_picture("PNG") + out.getvalue()
    assert zipfile.is_zipfile(io.BytesIO(both))
    drawn = pictures.redraw(both)
    assert not zipfile.is_zipfile(io.BytesIO(drawn.data))
    assert b"run.sh" not in drawn.data


def test_a_script_inside_a_picture_stays_behind():
    hostile = make_picture("JPEG", comment=b"<script>alert(1)</script>")
    assert b"<script>" not in pictures.redraw(hostile).data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html><script>alert(1)</script>",
        b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        b"%PDF-1.7\n",
        b"GIF89a" + bytes(40),
        b"MZ\x90\x00" + bytes(60),
        b"\x7fELF" + bytes(60),
        b"just words",
    ],
    ids=["nothing", "html", "svg", "pdf", "gif", "exe", "elf", "words"],
)
def test_whatever_its_name_only_pictures_come_in(data):
    with pytest.raises(pictures.PictureRefused, match=r"Nothing was kept"):
        pictures.redraw(data)


def test_a_gif_in_png_clothes_is_refused():
    with pytest.raises(pictures.PictureRefused):
        pictures.redraw(b"\x89PNG\r\n\x1a\n" + make_picture("GIF"))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_a_picture_cut_short_is_refused(kind, share):
    noise = Image.effect_noise((200, 200), 90).convert("RGB")
    out = io.BytesIO()
    noise.save(out, kind)
    whole = out.getvalue()
    with pytest.raises(pictures.PictureRefused):
        pictures.redraw(whole[: int(len(whole) * share)])


def test_a_bomb_is_refused_by_its_pixels_before_it_unfolds():
    bomb = make_bomb(20_000, 20_000)
    assert len(bomb) < 2 * 2**20
    with pytest.raises(pictures.PictureRefused, match="million pixels"):
        pictures.redraw(bomb)


def test_a_process_that_wants_too_much_memory_dies_alone():
    within_the_count = make_bomb(6_000, 6_000)
    assert MAX_PIXELS > 6_000 * 6_000
    small = Limits(memory=200 * 2**20, cpu_seconds=10)
    with pytest.raises(pictures.PictureRefused, match="memory"):
        pictures.redraw(within_the_count, limits=small)


def test_the_largest_picture_of_the_count_fits_in_the_memory():
    drawn = pictures.redraw(make_bomb(7_745, 7_745))
    assert drawn.width == MAX_SIDE


def test_a_process_that_takes_too_long_is_stopped():
    with pytest.raises(pictures.PictureRefused, match="too long"):
        pictures.redraw(make_picture(), seconds=0.01)


def test_too_many_bytes_are_not_looked_at(monkeypatch):
    monkeypatch.setattr(pictures, "MAX_BYTES", 100)
    with pytest.raises(pictures.PictureRefused, match="at most"):
        pictures.redraw(make_picture(size=(500, 500)))


def test_the_process_knows_no_secret(tmp_path, monkeypatch):
    spy = tmp_path / "spy.py"
    spy.write_text("import json, os, sys\njson.dump(dict(os.environ), sys.stdout)\n")
    monkeypatch.setattr(pictures, "REDRAW", spy)
    seen = {}
    monkeypatch.setattr(
        pictures, "_read", lambda answer: seen.update(json.loads(answer))
    )
    pictures.redraw(make_picture())
    assert not {"SECRET_KEY", "DATABASE_URL", "PORTAL_VAR"} & set(seen)
