"""What we refuse to open, and how we find out which letters a file is written in."""

import io
import re
import stat
import struct
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schools.roster.encodings import alphabet_of
from schools.roster.opening import MAX_ENTRIES, FileRefused, bundle_of, open_path
from schools.roster.rows import Issue, Ledger
from schools.roster.tables import MAX_LINE, Table
from tests.schools.roster_files import opened, zipped

HEAD = b"student_id,name\n"


def read(content: bytes, name: str = "r.csv") -> list:
    file = next(iter(opened(content, name).values()))
    return list(Table(file, ["student_id"], lambda _: None).lines(Ledger()))


def archive_with(info: zipfile.ZipInfo, content: bytes = b"a,b\n") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(info, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"\x1f\x8b\x08\x00aaaa", "gzip"),
        (b"\xd0\xcf\x11\xe0aaaaaaaa", "old Excel"),
        (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
        (b"PK\x03\x04 cut off", "damaged"),
        (zipped({"[Content_Types].xml": "x", "xl/workbook.xml": "x"}), "Excel"),
        (zipped({"readme.txt": "x"}), "no CSV"),
        (zipped({"../users.csv": "x"}), "outside itself"),
        (zipped({"/etc/users.csv": "x"}), "outside itself"),
        (zipped({"C:/users.csv": "x"}), "outside itself"),
        (zipped({"a/users.csv": "x", "b/USERS.csv": "x"}), "two files"),
        (zipped({"inner.zip": zipped({"users.csv": "x"})}), "another archive"),
        (zipped({"users.csv": b"a," * 2_000_000}), "zip bomb"),
        (zipped({f"{n}.csv": "x" for n in range(MAX_ENTRIES + 1)}), "more than"),
    ],
)
def test_a_file_we_cannot_take_is_refused_with_its_reason(content, words):
    with pytest.raises(FileRefused, match=words):
        opened(content)


def test_a_backslash_in_a_zip_is_a_path_trick():
    content = zipped({"a_users.csv": "x"}).replace(b"a_users", b"a\\users")
    with pytest.raises(FileRefused, match="outside itself"):
        opened(content)


def test_a_link_in_a_zip_is_refused():
    info = zipfile.ZipInfo("users.csv")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(FileRefused, match="a link"):
        opened(archive_with(info, b"/etc/passwd"))


def test_a_zip_with_a_password_is_refused():
    content = bytearray(zipped({"users.csv": "x"}))
    at = content.rfind(b"PK\x01\x02")
    content[at + 8] |= 1
    with pytest.raises(FileRefused, match="password"):
        opened(bytes(content))


def test_unusual_packing_is_refused():
    info = zipfile.ZipInfo("users.csv")
    info.compress_type = zipfile.ZIP_LZMA
    with pytest.raises(FileRefused, match="unusual way"):
        opened(archive_with(info))


def test_a_zip_that_promises_a_million_entries_is_refused_before_it_is_listed():
    content = bytearray(zipped({"users.csv": "x"}))
    at = content.rfind(b"PK\x05\x06")
    struct.pack_into("<HH", content, at + 8, 65_535, 65_535)
    with pytest.raises(FileRefused, match="more than"):
        opened(bytes(content))


def test_a_zip_hidden_under_a_csv_name_is_refused():
    bundle = opened(zipped({"users.csv": zipped({"x.csv": "x"})}))
    with pytest.raises(FileRefused, match="another archive"):
        bundle["users.csv"].open()


def test_a_zip_whose_bytes_are_damaged_is_refused():
    content = bytearray(
        zipped({"users.csv": "".join(f"student {n * n},x\n" for n in range(5000))})
    )
    content[200:240] = b"\xff" * 40
    with pytest.raises(FileRefused, match="damaged"):
        alphabet_of(opened(bytes(content))["users.csv"])


def test_clutter_a_mac_adds_is_left_out():
    files = {"set/users.csv": "a\n", "__MACOSX/set/._users.csv": "x"}
    assert list(opened(zipped(files))) == ["users.csv"]


def test_a_link_inside_a_folder_is_refused(tmp_path):
    (tmp_path / "secret").write_text("x")
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "users.csv").symlink_to(tmp_path / "secret")
    with pytest.raises(FileRefused, match="a link"), open_path(folder):
        pass


def test_a_folder_without_csv_and_a_path_that_is_not_there_are_refused(tmp_path):
    with pytest.raises(FileRefused, match="no CSV"), open_path(tmp_path):
        pass
    with (
        pytest.raises(FileRefused, match="There is no file"),
        open_path(tmp_path / "x"),
    ):
        pass


@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "utf-16", "cp1252"], ids=lambda c: c
)
def test_names_survive_every_alphabet_we_take(codec):
    text = "student_id,name\nS1,José Peña\n"
    (line,) = read(text.encode(codec))
    assert line.cells == ["S1", "José Peña"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (HEAD + b"S1,A\0nn\n", "NUL"),
        (HEAD.decode().encode("utf-16-le"), "NUL"),
        (HEAD.decode().encode("utf-32"), "UTF-32"),
        (HEAD.decode().encode("utf-16") + b"\x00\xd8\x00\xd8", "UTF-16"),
        (HEAD + b"S1,\x07\x1b\n", "control"),
        (HEAD + "S1,José\n".encode() + b"S2,Jos\xe9\n", "not in UTF-8"),
        (HEAD + "S1,Иван\n".encode("cp1251"), "not in UTF-8"),
        (HEAD + "S1,José\n".encode("mac-roman"), "not in UTF-8"),
        (HEAD + "S1,José\n".encode("cp437"), "not in UTF-8"),
        (HEAD + b"S1," + b"x" * (MAX_LINE + 10), "longer than"),
        (b"first,second\na,b\n", "lacks the column student_id"),
        (b"student_id,student_ID\n", "two columns"),
        (b"\n\n", "lacks the column"),
    ],
)
def test_text_we_cannot_be_sure_of_is_refused(content, words):
    with pytest.raises(FileRefused, match=words):
        read(content)


def test_windows_letters_are_pointed_out():
    file = opened(HEAD + b"S1,Jos\xe9 Pe\xf1a\n")["roster.csv"]
    (issue,) = Table(file, [], lambda _: None).issues()
    assert issue.value == "José"
    assert not issue.is_error


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_line_number_is_where_a_record_begins_whatever_it_holds(end):
    text = end.join(["student_id,name", "S1,Ann", 'S2,"Lee', 'and more"', "", "S3,Bo"])
    lines = read(text.encode())
    assert [(line.number, line.cells[0]) for line in lines] == [
        (2, "S1"),
        (3, "S2"),
        (6, "S3"),
    ]


def test_a_line_with_too_few_cells_is_told_and_the_next_is_read():
    wrong, right = read(HEAD + b"S1\nS2,Bo\n")
    assert isinstance(wrong, Issue)
    assert (wrong.line, right.cells) == (2, ["S2", "Bo"])


def test_a_quotation_mark_nobody_closes_is_told_with_its_lines():
    good, wrong = read(HEAD + b'S1,Ann\nS2,"Bo\nS3,Cy\n')
    assert good.cells == ["S1", "Ann"]
    assert isinstance(wrong, Issue)
    assert wrong.line == 3


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_are_understood(delimiter):
    (line,) = read(f"student_id{delimiter}name\nS1{delimiter}Ann\n".encode())
    assert line.cells == ["S1", "Ann"]


@given(st.binary(max_size=400))
def test_no_bytes_bring_us_down(content):
    with suppress(FileRefused):
        for file in bundle_of(io.BytesIO(content), "r.csv").values():
            list(Table(file, [], lambda _: None).lines(Ledger()))


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
            st.text(
                st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")),
                max_size=20,
            ),
        ),
        max_size=8,
    )
)
def test_every_line_comes_back_or_is_told(rows):
    quoted = "".join(
        '"{}","{}"\n'.format(a.replace('"', '""'), b.replace('"', '""'))
        for a, b in rows
    )
    content = HEAD + quoted.encode()
    if re.search(rb"[\x01-\x08\x0b\x0e-\x1f]", content):
        with pytest.raises(FileRefused, match="control"):
            read(content)
        return
    expected = [[a, b] for a, b in rows if a or b]
    assert [line.cells for line in read(content)] == expected
