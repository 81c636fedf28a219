"""Places of every kind: listed as a stream, written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from daybreak.cluster.masking import without_secrets
from daybreak.cluster.place import Found, Place, Unlisted
from daybreak.errors import BadSetting, OutputExists, PlaceError, UnreadablePicture, UnwritablePicture


class Renaming(LocalFileSystem):
    """A file system that is neither this machine's nor one of puts: HDFS, SFTP and the like."""

    protocol = "renaming"
    fails_to_move = False

    def mv(self, path1, path2, **more):
        if self.fails_to_move:
            raise OSError("the connection broke")
        os.rename(self._strip_protocol(path1), self._strip_protocol(path2))  # noqa: PTH104


class Copying(MemoryFileSystem):
    """One whose moves are copies."""

    protocol = "copying"


@pytest.fixture(autouse=True, scope="module")
def kinds():
    fsspec.register_implementation("renaming", Renaming, clobber=True)
    fsspec.register_implementation("copying", Copying, clobber=True)


@pytest.fixture(params=["local", "s3", "renaming", "memory"])
def url(request, tmp_path):
    if request.param == "s3":
        return request.getfixturevalue("bucket") + "/x"
    here = {"local": str(tmp_path / "x"), "renaming": f"renaming://{tmp_path}/x"}
    return here.get(request.param, f"memory://{tmp_path.name}/x")


def names(place, **more):
    return sorted(found.name for found in place.files(**more))


def test_what_is_written_is_listed_and_read(url):
    place = Place(url)
    for name in ("a.png", "deep/er/b c+é%.png", "z.png"):
        place.write(Path(name), name.encode(), overwrite=False)
    assert names(place) == ["a.png", "deep/er/b c+é%.png", "z.png"]
    for found in place.files():
        assert place.read_source(found.name) == found.name.encode()
        assert found.bytes == len(found.name.encode())
        assert found.version or url.startswith("memory:")  # which tells of nothing that changes
        assert place.version(found.name) == found.version


def test_nothing_is_replaced_unless_told(url):
    place = Place(url)
    place.write(Path("a.png"), b"first", overwrite=False)
    before = place.version("a.png")
    with pytest.raises(OutputExists):
        place.write(Path("a.png"), b"second", overwrite=False)
    assert place.read(Path("a.png")) == b"first"
    assert place.version("a.png") == before
    place.write(Path("a.png"), b"the third", overwrite=True)
    assert place.read(Path("a.png")) == b"the third"
    assert place.version("a.png") != before or not before
    assert names(place) == ["a.png"]


def test_a_broken_move_leaves_nothing(tmp_path, monkeypatch):
    place = Place(f"renaming://{tmp_path}/x")
    place.write(Path("a.png"), b"first", overwrite=False)
    monkeypatch.setattr(Renaming, "fails_to_move", True)
    with pytest.raises(UnwritablePicture, match="the connection broke") as told:
        place.write(Path("b.png"), b"second", overwrite=False)
    assert isinstance(told.value.__cause__, OSError)
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["a.png"]


def test_where_nothing_can_appear_whole_nothing_is_written(tmp_path):
    with pytest.raises(BadSetting, match="copying:// can neither put a file at once nor rename one"):
        Place("copying://x").check_target(Place(str(tmp_path)))


def test_pages_of_a_bucket_are_all_there(s3, bucket):
    boto = s3.call_s3
    for n in range(25):
        s3.pipe_file(f"{bucket}/in/{n:03d}.png", b"x")
    s3.pipe_file(f"{bucket}/in2/other.png", b"x")
    s3.call_s3("put_object", Bucket=bucket[5:], Key="in/folder/", Body=b"")
    place, asked = Place(f"{bucket}/in"), []

    def small_pages(method, **words):
        asked.append(method)
        return boto(method, **words, MaxKeys=10)

    place.fs.call_s3 = small_pages
    try:
        assert names(place) == [f"{n:03d}.png" for n in range(25)]
    finally:
        del place.fs.call_s3
    assert asked == ["list_objects_v2"] * 3


def test_a_folder_that_cannot_be_listed_is_told_and_the_others_are_listed(tmp_path, monkeypatch):
    for name in ("a/1.png", "b/2.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"x")
    place, ls = Place(f"renaming://{tmp_path}"), Renaming.ls

    def refuse(self, path, **words):
        if path.endswith("/a"):
            raise PermissionError(13, "Permission denied")
        return ls(self, path, **words)

    monkeypatch.setattr(Renaming, "ls", refuse)
    broken, found = place.files()
    assert isinstance(broken, Unlisted)
    assert "credentials are refused" in str(broken.error)
    assert (found.name, found.bytes) == ("b/2.png", 1)


def test_links_to_files_are_followed_and_links_to_folders_are_not(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "real.png").write_bytes(b"1234")
    (tmp_path / "in" / "link.png").symlink_to(tmp_path / "real.png")
    (tmp_path / "in" / "nothing.png").symlink_to(tmp_path / "gone")
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    found = list(Place(str(tmp_path / "in")).files())
    assert [(file.name, file.bytes) for file in found if isinstance(file, Found)] == [("link.png", 4)]


@pytest.mark.parametrize("inner", ["", "/deep"])
def test_results_that_would_be_inputs_are_refused(bucket, tmp_path, inner):
    for here in (bucket, str(tmp_path)):
        with pytest.raises(BadSetting, match="holds the input"):
            Place(here).check_target(Place(here + inner))
        Place(f"{here}/out").check_target(Place(f"{here}/in"))


def test_a_source_that_is_gone_or_empty(bucket, s3, tmp_path):
    place = Place(bucket)
    s3.pipe_file(f"{bucket}/zero.png", b"")
    with pytest.raises(UnreadablePicture, match=r"zero.png is empty \(0 bytes\)"):
        place.read_source("zero.png")
    with pytest.raises(UnreadablePicture, match=r"gone.png is no longer there"):
        place.read_source("gone.png")
    s3.rm(bucket, recursive=True)
    with pytest.raises(PlaceError, match="no such bucket or folder"):
        place.read_source("zero.png")
    with pytest.raises(PlaceError, match="no such bucket or folder"):
        Place(str(tmp_path / "nowhere")).check_source()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sftp://me:hush@host/x", "a password in sftp://me:***@host/x"),
        ("nosuch://x", "nosuch://x"),
        ("simplecache::s3://x/y", "a chain of places"),
        ("gs://bucket/x", "gs:// needs a driver"),
    ],
)
def test_urls_that_are_refused(text, told):
    if text.startswith("gs:"):
        try:
            import gcsfs  # noqa: F401
        except ImportError:
            pass
        else:
            return
    with pytest.raises(BadSetting) as refused:
        Place(text)
    assert told in str(refused.value)
    assert "hush@" not in str(refused.value)


def test_secrets_are_masked(monkeypatch):
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "c2VjcmV0LWtleQ==")
    monkeypatch.setenv("MY_TOKEN", "true")  # too short to be one
    text = "AKIAABCDEFGHIJKLMNOP at https://a.blob/x?sv=1&sig=abc%2Fdef&se=2 with c2VjcmV0LWtleQ== is true"
    assert without_secrets(text) == "*** at https://a.blob/x?sv=1&sig=***&se=2 with *** is true"
    assert without_secrets("AWS_SECRET_ACCESS_KEY: xyz design=1") == "AWS_SECRET_ACCESS_KEY: *** design=1"
