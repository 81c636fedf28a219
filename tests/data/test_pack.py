from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybreak.data.pack import INDEX, read_pack, unpack
from daybreak.data.packing import write_pack
from daybreak.data.registry import get_dataset
from daybreak.data.shards import Member, deal
from daybreak.errors import DataError, OutputExists, UnknownName

PAIRED = get_dataset("paired")
PLENTY = 10_000_000


def noise(seed, shape=(40, 60, 3), dtype=np.uint8):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype)


def smooth(seed):
    """Soft blobs under faint noise: much smaller as JPEG than without loss, as photographs are."""
    blobs = cv2.resize(noise(seed, (5, 7, 3)), (60, 40), interpolation=cv2.INTER_CUBIC)
    return np.clip(blobs + np.random.default_rng(seed).normal(0, 2, blobs.shape), 0, 255).astype(np.uint8)


def save(path, levels):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), levels)


@pytest.fixture
def root(tmp_path):
    """Six pairs in many formats; two of them share a reference."""
    folder = tmp_path / "set"
    for n, (low, high) in enumerate(
        [("png", "png"), ("webp", "jpg"), ("bmp", "png"), ("tif", "jpg"), ("png", "png")]
    ):
        save(folder / "low" / f"{n}.{low}", noise(n) // 8)
        save(folder / "high" / f"{n}.{high}", smooth(100 + n))
    save(folder / "low" / "5.png", noise(5, dtype=np.uint16) // 8)
    save(folder / "high" / "5.png", smooth(104))
    return folder


def pixels(samples):
    return {sample.name: sample.load() for sample in samples}


def same(first, second):
    return first.dtype == second.dtype and np.array_equal(first, second)


def test_what_comes_out_is_what_went_in(root, tmp_path):
    report = write_pack(PAIRED, root, tmp_path / "pack", max_bytes=PLENTY)
    assert (report.samples, report.references, report.left_out) == (6, "lossless", ())
    before, after = pixels(PAIRED.samples(root)), pixels(read_pack(tmp_path / "pack").samples)
    assert list(before) == list(after)
    for name in before:
        for one, other in zip(before[name], after[name], strict=True):
            assert same(one, other), name
    assert after["5"][0].dtype == np.uint16


def test_an_index_and_tar_files_and_nothing_else(root, tmp_path):
    report = write_pack(PAIRED, root, tmp_path / "pack", max_bytes=30_000)
    assert len(report.files) > 1
    assert {path.name for path in (tmp_path / "pack").iterdir()} == {INDEX, *report.files}
    for name, size in report.files.items():
        assert (tmp_path / "pack" / name).stat().st_size == size <= 30_000
    index = json.loads((tmp_path / "pack" / INDEX).read_text())
    for name, member in index["members"].items():
        with tarfile.open(tmp_path / "pack" / member["shard"]) as tar:
            header = tar.getmember(name)
            assert (header.offset_data, header.size) == (member["start"], member["length"])
    assert str(tmp_path) not in json.dumps(index)


def test_equal_references_are_kept_once(root, tmp_path):
    write_pack(PAIRED, root, tmp_path / "pack", max_bytes=PLENTY)
    samples = {sample.name: sample for sample in read_pack(tmp_path / "pack").samples}
    assert samples["4"].reference == samples["5"].reference
    assert len(json.loads((tmp_path / "pack" / INDEX).read_text())["members"]) == 11


def test_equal_pictures_make_equal_packs(root, tmp_path):
    for out in ("one", "two"):
        write_pack(PAIRED, root, tmp_path / out, max_bytes=60_000)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def sums(pack):
    members = json.loads((pack / INDEX).read_text())["members"].values()
    return {member["sha256"] for member in members}


@pytest.mark.parametrize("shards", [None, 1])
def test_unpacked_and_packed_again_the_files_are_the_same(root, tmp_path, shards):
    # with one shard of this size the references have to become JPEG
    size = PLENTY if shards is None else 69_000
    report = write_pack(PAIRED, root, tmp_path / "pack", max_bytes=size, shards=shards)
    assert report.references == ("lossless" if shards is None else "JPEG quality 98")
    assert unpack(tmp_path / "pack", tmp_path / "files") == 6
    before = pixels(read_pack(tmp_path / "pack").samples)
    after = pixels(PAIRED.samples(tmp_path / "files" / "all"))
    for name in before:
        assert all(same(*both) for both in zip(before[name], after[name], strict=True))
    write_pack(PAIRED, tmp_path / "files", tmp_path / "again", max_bytes=PLENTY)
    assert sums(tmp_path / "again") == sums(tmp_path / "pack")


def test_a_pack_packed_again_holds_the_same_files(root, tmp_path):
    write_pack(PAIRED, root, tmp_path / "pack", max_bytes=69_000, shards=1)
    packs = get_dataset("pack")
    write_pack(packs, tmp_path / "pack", tmp_path / "again", splits=["all"], max_bytes=PLENTY)
    assert sums(tmp_path / "again") == sums(tmp_path / "pack")


KILLED = """
import os, signal, sys
from pathlib import Path
from daybreak.data.packing import write_pack
from daybreak.data.registry import get_dataset
def watch(samples, total):
    for n, sample in enumerate(samples):
        if n == 3:
            print("at work", flush=True)
            sys.stdin.readline()
        yield sample
write_pack(get_dataset("paired"), Path(sys.argv[1]), Path(sys.argv[2]), max_bytes=10**7, watch=watch)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no kill there")
def test_what_a_killed_packing_leaves_is_cleared_and_one_at_work_is_let_alone(root, tmp_path):
    out = tmp_path / "pack"
    other = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(root), str(out)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with other:
        assert other.stdout.readline() == b"at work\n"
        with pytest.raises(OutputExists, match="another process is packing"):
            write_pack(PAIRED, root, out, max_bytes=PLENTY)
        other.kill()
    assert [path.name for path in out.iterdir()] == [".packing"]
    report = write_pack(PAIRED, root, out, max_bytes=PLENTY)
    assert {path.name for path in out.iterdir()} == {INDEX, *report.files}


def test_references_give_way_and_inputs_never(root, tmp_path):
    write_pack(PAIRED, root, tmp_path / "pack", max_bytes=69_000, shards=1)
    before, packed = pixels(PAIRED.samples(root)), read_pack(tmp_path / "pack").samples
    for sample in packed:
        low, high = sample.load()
        assert sample.input.lossless
        assert same(low, before[sample.name][0])
        error = np.abs(high.astype(float) - before[sample.name][1])
        assert sample.reference.lossless == (error.max() == 0)
        assert error.mean() < 1.5
    assert any(not sample.reference.lossless for sample in packed)


def test_what_does_not_fit_is_refused_and_nothing_is_left(root, tmp_path):
    with pytest.raises(DataError, match=r"needs \d shards of 30,000 bytes.*JPEG quality 95; expected 1"):
        write_pack(PAIRED, root, tmp_path / "pack", max_bytes=30_000, shards=1)
    with pytest.raises(DataError, match="alone has"):
        write_pack(PAIRED, root, tmp_path / "pack", max_bytes=14_000)
    assert list((tmp_path / "pack").iterdir()) == []


def test_a_folder_with_something_in_it_is_left_alone(root, tmp_path):
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "mine.txt").touch()
    with pytest.raises(OutputExists, match=r"not empty \(it holds mine.txt\)"):
        write_pack(PAIRED, root, tmp_path / "pack", max_bytes=PLENTY)
    write_pack(PAIRED, root, tmp_path / "other", max_bytes=PLENTY)
    unpack(tmp_path / "other", tmp_path / "files")
    with pytest.raises(OutputExists):
        unpack(tmp_path / "other", tmp_path / "files")


def test_a_broken_pair_is_left_out_and_told(root, tmp_path):
    path = root / "low" / "2.bmp"
    path.write_bytes(path.read_bytes()[:90])
    (root / "low" / "9.png").write_bytes((root / "low" / "0.png").read_bytes())
    report = write_pack(PAIRED, root, tmp_path / "pack", max_bytes=PLENTY)
    assert report.samples == 5
    assert ["9.png" in report.left_out[0], "2.bmp" in report.left_out[1]] == [True, True]
    assert "high/2" not in (tmp_path / "pack" / INDEX).read_text().replace("reference", "high")


def test_nothing_usable(tmp_path):
    for side in ("low", "high"):
        (tmp_path / "set" / side).mkdir(parents=True)
        (tmp_path / "set" / side / "1.png").write_bytes(b"hello")
    with pytest.raises(DataError, match="nothing of paired can be packed: 1: "):
        write_pack(PAIRED, tmp_path / "set", tmp_path / "pack", max_bytes=PLENTY)


def test_splits_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("daybreak.data.lol.validation_stems", lambda: frozenset({"2"}))
    for n in range(4):
        for side in ("low", "high"):
            save(tmp_path / "our485" / side / f"{n}.png", noise(n))
    write_pack(get_dataset("lol-v1"), tmp_path, tmp_path / "pack", max_bytes=PLENTY)
    pack = get_dataset("pack")
    assert [sample.name for sample in pack.samples(tmp_path / "pack", "train")] == ["0", "1", "3"]
    assert [sample.name for sample in pack.samples(tmp_path / "pack", "val")] == ["2"]
    assert len(pack.samples(tmp_path / "pack", "all")) == 4
    with pytest.raises(UnknownName, match="split in the pack"):
        pack.samples(tmp_path / "pack", "test")
    unpack(tmp_path / "pack", tmp_path / "files")
    assert sorted(p.name for p in (tmp_path / "files" / "val" / "input").iterdir()) == ["2.webp"]


def test_dark_pictures_that_are_made_are_packed_as_they_are(root, tmp_path):
    dataset = get_dataset("synthetic:high")
    write_pack(dataset, root, tmp_path / "pack", max_bytes=PLENTY)
    before, after = pixels(dataset.samples(root)), pixels(read_pack(tmp_path / "pack").samples)
    assert all(same(a, b) for name in before for a, b in zip(before[name], after[name], strict=True))


def test_subsets_are_folders(tmp_path):
    for side in ("low", "high"):
        save(tmp_path / "Eval" / "Nikon" / side / "1.png", noise(1))
    write_pack(get_dataset("lsrw"), tmp_path, tmp_path / "pack", splits=["test-nikon"], max_bytes=PLENTY)
    unpack(tmp_path / "pack", tmp_path / "files")
    assert (tmp_path / "files" / "test-nikon" / "input" / "Nikon" / "1.webp").is_file()


@pytest.fixture
def pack(root, tmp_path):
    write_pack(PAIRED, root, tmp_path / "pack", max_bytes=PLENTY)
    return tmp_path / "pack"


def changed(pack, change):
    index = json.loads((pack / INDEX).read_text())
    change(index)
    (pack / INDEX).write_text(json.dumps(index))


def test_a_flipped_bit_is_noticed(pack):
    (shard,) = pack.glob("*.tar")
    sample = read_pack(pack).samples[0]
    data = bytearray(shard.read_bytes())
    data[sample.input.start + sample.input.length // 2] ^= 1
    shard.write_bytes(data)
    with pytest.raises(DataError, match=r"0\.webp is damaged: its checksum differs"):
        read_pack(pack).samples[0].load()
    read_pack(pack).samples[1].load()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda pack: next(pack.glob("*.tar")).unlink(), "is missing"),
        (lambda pack: next(pack.glob("*.tar")).write_bytes(b"short"), "has 5 bytes; expected"),
        (lambda pack: (pack / INDEX).unlink(), "no pack in"),
        (lambda pack: (pack / INDEX).write_text("{"), "is damaged"),
        (lambda pack: (pack / INDEX).write_text("[]"), "no index of a pack"),
        (lambda pack: changed(pack, lambda i: i.update(format="daybreak pack 9")), "no index of a pack"),
        (lambda pack: changed(pack, lambda i: i["members"].clear()), "is damaged"),
    ],
)
def test_a_spoilt_pack_is_refused(pack, spoil, told):
    spoil(pack)
    with pytest.raises(DataError, match=told):
        read_pack(pack)


def test_no_file_is_written_outside_of_the_folder(pack, tmp_path):
    changed(pack, lambda index: index["samples"][0].update(name="../../../out"))
    with pytest.raises(DataError, match="outside of"):
        unpack(pack, tmp_path / "files")
    assert not (tmp_path / "out.webp").exists()


@given(st.lists(st.integers(0, 40_000), max_size=40), st.integers(60_000, 200_000))
def test_dealing_keeps_order_and_size(lengths, size):
    members = [Member(str(n), Path(), ".x", "", length) for n, length in enumerate(lengths)]
    shards = deal(members, size)
    assert [member for shard in shards for member in shard] == members
    assert all(sum(member.room for member in shard) + 10_240 <= size for shard in shards)
    assert len(shards) == 1 or all(shards)
