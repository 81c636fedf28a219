"""`daybreak assets`."""

from __future__ import annotations

from pathlib import Path

import pytest
from torchmetrics.functional.image import lpips as shipped_beside

from daybreak import assets
from daybreak.cli.main import run

HEADS = Path(shipped_beside.__file__).parent / "lpips_models"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DAYBREAK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "assets"


def test_the_list_names_everything_and_the_line_that_fetches_it(capsys, cache):
    assert run(["assets"]) == 0
    told = capsys.readouterr().out
    for asset in assets.ASSETS:
        assert asset.name in told
        assert asset.licence in told
    assert told.count("absent") == len(assets.ASSETS)
    assert f"Kept in {cache}" in told
    assert "daybreak assets fetch niqe-pristine lpips-alex" in told


def test_a_folder_gives_what_it_holds(capsys, cache):
    assert run(["assets", "fetch", "--from", str(HEADS)]) == 0
    assert sorted(path.name for path in cache.iterdir()) == ["alex.pth", "vgg.pth"]
    assert run(["assets", "verify", "lpips-alex", "lpips-vgg"]) == 0
    told = capsys.readouterr().out
    assert told.count(" here ") == 2
    assert "absent" not in told


def test_what_cannot_be_fetched_is_told_and_the_rest_is_fetched(capsys, cache):
    assert run(["assets", "fetch", "alexnet", "lpips-alex", "--from", str(HEADS)]) == 1
    told = capsys.readouterr()
    assert "holds no file alexnet-owt-7be5be79.pth" in told.err
    assert [path.name for path in cache.iterdir()] == ["alex.pth"]


def test_a_damaged_file_is_code_1(capsys, cache):
    cache.mkdir(parents=True)
    (cache / "alex.pth").write_bytes(bytes(6009))
    assert run(["assets", "list"]) == 0  # by the size alone
    assert run(["assets", "verify"]) == 1
    assert "lpips-alex     damaged" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["fetch", "alexnt"], "Did you mean alexnet"),
        (["list", "--from", "x"], "expected --from with fetch"),
        (["fetch", "--from", "/nowhere"], "holds none of the files"),
        (["throw"], "'throw'"),
    ],
)
def test_a_wrong_line_is_code_2(args, told, capsys):
    assert run(["assets", *args]) == 2
    assert told in capsys.readouterr().err
