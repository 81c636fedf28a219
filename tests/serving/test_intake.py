from __future__ import annotations

import struct
import tempfile
import zipfile
from io import BytesIO

import numpy as np
import pytest

from daybreak.serving.jobs.intake import take_in
from daybreak.serving.limits import Limits
from daybreak.serving.problems import Problem

PICTURE = np.random.default_rng(0).integers(0, 64, 20_000, np.uint8).tobytes()  # can be packed, by a quarter
KINDS = {
    "stored": zipfile.ZIP_STORED,
    "deflate": zipfile.ZIP_DEFLATED,
}


def zipped(names, kind=zipfile.ZIP_STORED, data=PICTURE):
    with BytesIO() as file:
        with zipfile.ZipFile(file, "w", kind) as archive:
            for name in names:
                archive.writestr(name, data)
        return file.getvalue()


def refused(data, folder, **limits):
    """The problem of a zip, in memory and on the disk, as uploads are."""
    problems = []
    for most in (1 << 20, 1):
        with tempfile.SpooledTemporaryFile(most) as file:
            file.write(data)
            file.seek(0)
            with pytest.raises(Problem) as caught:
                take_in([("a.zip", file)], folder, Limits(**limits))
        assert list(folder.iterdir()) == []
        problems.append(caught.value)
    assert problems[0].status == problems[1].status
    return problems[0]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_stored_or_deflated_is_taken(folder, kind):
    assert take_in([("a.zip", BytesIO(zipped(["x/b.png", "c.png"], KINDS[kind])))], folder, Limits()) == [
        "x/b.png",
        "c.png",
    ]
    assert [path.read_bytes() for path in sorted(folder.iterdir())] == [PICTURE, PICTURE]


@pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_cannot_be_unpacked_piece_by_piece_is_not_unpacked(folder, kind, monkeypatch):
    monkeypatch.setattr(zipfile, "_get_decompressor", None)
    problem = refused(zipped(["a.png"], kind), folder)
    assert (problem.status, problem.detail) == (422, "a zip that is not packed by deflate")


def test_a_member_may_be_larger_than_the_directory(folder):
    data = zipped(["a.png"], data=20 * PICTURE)
    assert take_in([("a.zip", BytesIO(data))], folder, Limits(job_pictures=1)) == ["a.png"]
    assert (folder / "000000").read_bytes() == 20 * PICTURE


@pytest.mark.parametrize("place", [0.02, 0.5])
@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_member(folder, kind, place):
    data = bytearray(zipped(["a.png"], KINDS[kind]))
    at = int(place * len(data))
    data[at : at + 40] = b"\xff" * 40
    problem = refused(bytes(data), folder)
    assert problem.status == 422
    assert problem.detail.startswith("a zip that cannot be read: ")


def end(size, start):
    """The last record of a zip: bytes of its directory of one entry, and where that begins."""
    return struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, size, start, 0)


def directory(name=b"a.png", flags=0, offset=0, extra=b""):
    """A directory of one entry without content."""
    head = struct.pack(
        "<4s6H3L5H2L", b"PK\1\2", 20, 20, flags, 0, 0, 0, 0, 0, 0, len(name), len(extra), 0, 0, 0, 0, offset
    )
    return head + name + extra


FAR = struct.pack("<HHQ", 1, 8, 2**64 - 1)


@pytest.mark.parametrize(
    ("entries", "moved"),
    [
        pytest.param(directory(b"\xff.png", flags=0x800), 0, id="a name that is no UTF-8"),
        pytest.param(directory(), 1000, id="a place before the beginning"),
        pytest.param(directory(offset=0xFFFFFFFF, extra=FAR), 0, id="a place beyond any file"),
        pytest.param(directory(flags=1), 0, id="a password"),
    ],
)
def test_a_damaged_directory(folder, entries, moved):
    start = b"PK\3\4" + bytes(40)
    problem = refused(start + entries + end(len(entries), len(start) + moved), folder)
    assert problem.status == 422
    assert problem.detail.startswith("a zip that cannot be read: ")


def test_a_zip_of_too_many_entries_is_refused_before_they_are_read(folder, monkeypatch):
    data = zipped([f".hidden-{n}" for n in range(2000)], data=b"")
    monkeypatch.setattr(zipfile, "ZipInfo", None)
    problem = refused(data, folder, job_pictures=3)
    assert (problem.status, problem.detail) == (413, "more than 3 files")


def test_a_large_zip_of_too_many_entries(folder, monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1000)  # as if there were 65,536
    data = zipped([f".hidden-{n}" for n in range(2000)], data=b"")
    monkeypatch.setattr(zipfile, "ZipInfo", None)
    at = data.rindex(b"PK\5\6")
    assert data[at - 20 :].startswith(b"PK\6\7")
    problem = refused(data[:at] + end(47, 0), folder, job_pictures=3)  # the small record tells of one
    assert (problem.status, problem.detail) == (413, "more than 3 files")


def test_folders_and_what_a_system_adds_are_no_files(folder):
    names = [f"{'holiday-' * 16}/{n}.png" for n in range(100)]
    added = [f"__MACOSX/{name}" for name in names] + [f"folder {n}/" for n in range(200)]
    data = zipped(names + added, data=b"x")
    assert take_in([("a.zip", BytesIO(data))], folder, Limits(job_pictures=100)) == names
