"""`daybreak train` from the words that are typed to the exit code."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from daybreak.cli.main import run
from daybreak.cli.train import parse_duration, values
from daybreak.data.packing import write_pack
from daybreak.data.registry import get_dataset
from daybreak.errors import BadSetting
from daybreak.training.report import Progress

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*LeafSpec"),
    pytest.mark.filterwarnings("default:no feature extractor"),
]
SMALL = [
    "--precision=fp32",
    "--set=data.crop=32",
    "--set=data.batch=2",
    "--set=score_every=2",
    "--set=steps=4",
]
NEID = [*SMALL, "--set=settings.width=4"]


def pictures(folder, peak, count=12, first=0):
    folder.mkdir(parents=True)
    for n in range(first, first + count):
        levels = np.random.default_rng(n).integers(0, peak, (36, 48, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{n}.png"), levels)
    return folder


@pytest.fixture(autouse=True)
def nothing_fetched(tmp_path, monkeypatch):
    monkeypatch.setenv("DAYBREAK_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def own(tmp_path):
    """Twelve pairs of one's own; one is kept to validate on."""
    pictures(tmp_path / "own/low", 60)
    pictures(tmp_path / "own/high", 250)
    return tmp_path / "own"


def train(recipe, out, *words):
    return run(["train", recipe, "--out", str(out), *map(str, words)])


def told(out):
    return json.loads((out / "run.json").read_text())


def test_a_run_and_its_end(own, tmp_path, capsys):
    out = tmp_path / "run"
    assert train("neid.lol", out, "--data", own, *NEID, "--seed", "7") == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = printed.err.splitlines()
    assert lines[0].startswith("step 2 of 4: loss ")
    assert " images/s, 0:0" in lines[0]
    assert lines[2].startswith(f"trained all 4 steps; checkpoint {out / 'last.ckpt'}; best ")
    assert lines[3].split() == ["validation,", "1", "pair", "PSNR", "SSIM", "GT-mean:", "PSNR", "SSIM"]
    assert lines[4].startswith("last.ckpt, step 4 ")
    assert lines[-1] == f"samples {out / 'samples.png'}"
    run_json = told(out)
    assert run_json["recipe"]["seed"] == 7
    assert run_json["data"] == "pairs of one's own, 11 pairs"
    row = run_json["report"]["rows"][0]
    assert float(lines[4].split()[3]) == pytest.approx(row["psnr"], abs=0.006)
    assert row["psnr_gt_mean"] != row["psnr"]
    sheet = cv2.imread(str(out / "samples.png"))
    assert sheet.shape == (36, 3 * 48, 3), "input | output | reference"
    sides = {side: [cv2.imread(str(path)) for path in (own / side).iterdir()] for side in ("low", "high")}
    assert any(np.array_equal(sheet[:, :48], low) for low in sides["low"])
    assert any(np.array_equal(sheet[:, 96:], high) for high in sides["high"])


def test_time_and_resume(own, tmp_path, capsys):
    words = ["neid.lol", tmp_path / "run", "--data", own, *NEID]
    assert train(*words, "--max-time", "0s") == 0
    assert "time is up after 1 steps" in capsys.readouterr().err
    assert not (tmp_path / "run/samples.png").exists()
    assert train(*words, "--resume", "auto") == 0
    assert "trained all 4 steps" in capsys.readouterr().err


def test_a_network_of_dark_pictures_alone(own, tmp_path, capsys):
    words = ["cascade.lol", tmp_path / "run", "--data", own, *SMALL]
    assert train(*words) == 0
    assert "perceptual loss counts as 0" in capsys.readouterr().err
    assert told(tmp_path / "run")["data"] == "pairs of one's own, 11 dark pictures"


def test_from_normal_photos_alone_into_a_folder_named_after_the_recipe(own, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["train", "neid.lol", "--from-normal", str(own / "high"), *NEID]) == 0
    made = told(tmp_path / "runs/neid.lol")
    assert made["recipe"]["data"]["darkened"] == 1
    assert made["data"] == "11 photos of own/high, darkened by paper 3's generator"
    assert "validation, 1 pair " in capsys.readouterr().err


def test_from_normal_photos_for_a_network_that_learns_from_dark_ones(own, tmp_path, capsys):
    assert train("cascade.lol", tmp_path / "run", "--from-normal", own / "high", *SMALL) == 0
    data = told(tmp_path / "run")["recipe"]["data"]
    assert (data["sampling"], data["darkened"]) == ("", 1)


def test_photos_beside_pairs(own, tmp_path):
    photos = pictures(tmp_path / "photos", 250, first=50)
    assert train("neid.lol", tmp_path / "run", "--data", own, "--from-normal", photos, *NEID) == 0
    recipe = told(tmp_path / "run")["recipe"]["data"]
    assert (recipe["sampling"], recipe["darkened"]) == ("", 0.5)
    assert told(tmp_path / "run")["pictures"] == 33
    words = ["--data", own, "--from-normal", photos, *NEID, "--set=data.darkened=1"]
    assert train("neid.lol", tmp_path / "other", *words) == 0
    assert told(tmp_path / "other")["recipe"]["data"]["darkened"] == 1, "what is typed counts"


def test_two_folders_that_are_no_pairs(own, tmp_path, capsys):
    recipe = tmp_path / "gan.toml"
    recipe.write_text('network = "msdrs-cyclegan"\ntag = "mine"\nsteps = 2\npanels_every = 1\n'
                      "settings = { width = 4, deep_blocks = 1, side_blocks = 1, discriminator_width = 2 }\n"
                      'data = { crop = 32, batch = 2 }\nprecision = "fp32"\nlog_every = 1\n')  # fmt: skip
    light = pictures(tmp_path / "light", 250, 5, first=70)
    assert train(str(recipe), tmp_path / "run", "--data", own / "low", "--data", light) == 0
    assert "samples" in capsys.readouterr().err
    board = EventAccumulator(str(tmp_path / "run/tensorboard"))
    board.Reload()
    assert {"loss", "cycle", "critic_low", "learning_rate", "pictures_per_second"} <= set(
        board.Tags()["scalars"]
    )
    assert [event.step for event in board.Scalars("loss")] == [1, 2]
    (panels,) = board.Tags()["images"]
    assert panels == "input | output | input again | reference | darkened | reference again", "both cycles"
    shown = board.Images(panels)[-1]
    assert (shown.step, shown.height, shown.width) == (2, 2 * 32, 6 * 32)


def test_a_pack(own, tmp_path):
    write_pack(get_dataset("paired"), own, tmp_path / "pack", max_bytes=10_000_000)
    for source, out in ((own, "one"), (tmp_path / "pack", "other")):
        assert train("neid.lol", tmp_path / out, "--data", source, *NEID) == 0
    folder, pack = (told(tmp_path / out) for out in ("one", "other"))
    assert folder["data"] == pack["data"]
    assert folder["report"]["best_score"] == pack["report"]["best_score"]


@pytest.mark.parametrize(
    ("now", "text"),
    [
        (Progress(5, 9, 0.12345, 3.456, 3725.4, None), "loss 0.1235, 3.5 images/s, 1:02:05 left"),
        (Progress(9, 9, 2.0, 30.0, 0.0, 17.5), "loss 2, 30.0 images/s, 0:00:00 left, 17.50 dB"),
    ],
)
def test_what_the_bar_says(now, text):
    assert values(now) == text


def test_durations():
    assert parse_duration("1h30m") == 5400
    assert parse_duration("1.5m") == 90


@pytest.mark.parametrize("text", ["9", "m", "1d", "-3m", "9 m"])
def test_durations_that_are_none(text):
    with pytest.raises(BadSetting, match="such as 90s"):
        parse_duration(text)
