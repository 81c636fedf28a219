"""Finding files in the cache: whole and right, or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from operator import attrgetter
from pathlib import Path

import pytest
from torchmetrics.functional.image import lpips as shipped_beside

from daybreak import assets
from daybreak.errors import AssetError, MissingAsset, UnknownName

DATA = Path(os.environ.get("DAYBREAK_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
HEADS = Path(shipped_beside.__file__).parent / "lpips_models"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DAYBREAK_CACHE", str(tmp_path))
    return tmp_path / "assets"


@pytest.mark.parametrize("asset", assets.ASSETS, ids=lambda a: a.name)
def test_every_asset_says_where_it_is_from_and_on_what_terms(asset):
    assert asset.url.startswith("https://")
    assert asset.url.endswith(f"/{asset.file}")
    assert len(bytes.fromhex(asset.sha256)) == 32
    assert asset.licence
    assert asset.summary
    digits = asset.file.rpartition("-")[2].removesuffix(".pth")
    if len(digits) == 8:  # torchvision's names end in the beginning of the file's SHA-256
        assert asset.sha256.startswith(digits)


def test_the_heads_are_those_that_torchmetrics_ships(cache):
    for name in ("lpips-alex", "lpips-vgg"):
        assert assets.fetch(name, HEADS) == assets.require(name)


@pytest.mark.skipif(not DATA.is_dir(), reason="the development data are not here")
def test_the_niqe_parameters_are_those_in_the_development_data(cache):
    assert assets.fetch("niqe-pristine", DATA / "numeric") == assets.find("niqe-pristine")


def test_what_was_not_fetched_is_none_and_names_the_line_to_type(cache):
    assert assets.find("lpips-alex") is None
    with pytest.raises(
        MissingAsset, match=r"lpips-alex is not here\. Type: daybreak assets fetch lpips-alex"
    ):
        assets.require("lpips-alex")
    told = MissingAsset("lpips-alex", "alexnet")
    assert told.names == ("lpips-alex", "alexnet")
    assert str(told).endswith("are not here. Type: daybreak assets fetch lpips-alex alexnet")
    assert isinstance(told, AssetError)


def test_an_unknown_name_carries_the_nearest():
    with pytest.raises(UnknownName, match="Did you mean alexnet"):
        assets.find("alexnt")


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda data: data[:-1], "6,008 bytes; expected 6,009"),
        (lambda data: b"", "0 bytes"),
        (lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:], "SHA-256"),
    ],
    ids=["cut short", "empty", "one bit"],
)
def test_a_damaged_file_is_never_given_out(cache, damage, told):
    path = assets.fetch("lpips-alex", HEADS)
    assert assets.require("lpips-alex") == path
    good = path.read_bytes()
    path.write_bytes(damage(good))
    os.utime(path, (1, 1))  # as a copy from elsewhere would have it: another time
    for look in (assets.find, assets.require):
        with pytest.raises(AssetError, match=told) as caught:
            look("lpips-alex")
        assert caught.value.hint == "Type: daybreak assets fetch lpips-alex"
        assert not isinstance(caught.value, MissingAsset)
    assert assets.verify() == {asset.name: "absent" for asset in assets.ASSETS} | {"lpips-alex": "damaged"}
    assert assets.fetch("lpips-alex", HEADS).read_bytes() == good
    assert assets.verify(["lpips-alex"]) == {"lpips-alex": "here"}


def test_verify_reads_again_what_changed_without_a_trace(cache):
    path = assets.fetch("lpips-vgg", HEADS)
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=times)
    assert assets.verify(["lpips-vgg"], quick=True) == {"lpips-vgg": "here"}
    assert assets.verify(["lpips-vgg"]) == {"lpips-vgg": "damaged"}


def test_a_cache_that_is_a_file_holds_nothing(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("DAYBREAK_CACHE", str(tmp_path / "file"))
    assert assets.find("alexnet") is None
    with pytest.raises(AssetError, match="set DAYBREAK_CACHE to another folder"):
        assets.fetch("lpips-alex", HEADS)


def test_without_a_word_the_system_says_where(tmp_path, monkeypatch):
    monkeypatch.delenv("DAYBREAK_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = assets.cache_folder()
    assert folder.parts[-2:] == ("daybreak", "assets")
    if sys.platform == "linux":
        assert folder.parents[1] == tmp_path


def test_a_name_or_a_file_stands_once():
    for one_of in (attrgetter("name"), attrgetter("file")):
        assert len({one_of(asset) for asset in assets.ASSETS}) == len(assets.ASSETS)


def test_importing_needs_neither_network_nor_torch():
    heavy = ("torch", "numpy", "pooch", "requests")
    check = f"import daybreak.assets, sys; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
