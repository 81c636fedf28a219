"""What is typed after -m, and the files of another program."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from daybreak.data.registry import get_dataset
from daybreak.errors import BadSetting, DataError, UnknownName
from daybreak.evaluation.pictures import Picture, load
from daybreak.evaluation.subjects import match, parse_subjects
from daybreak.methods.base import Card, Method
from daybreak.methods.weight_settings import AlphaSettings


def names(*texts):
    return [subject.name for subject in parse_subjects(texts)]


@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        (["input,gamma"], ["input", "gamma"]),
        (["gamma", "input"], ["gamma", "input"]),
        (["ssr,msr*"], ["ssr", "msr", "msrcr"]),
        (["gamma:mode=auto,crm"], ["gamma mode=auto", "crm"]),
        (["gamma:mode=fixed:gamma=1.80"], ["gamma mode=fixed gamma=1.8"]),
        ([" gamma , crm "], ["gamma", "crm"]),
    ],
)
def test_rows(texts, wanted):
    assert names(*texts) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "gamma,gamma",
        "input,input",
        "gamma:mode",
        "gamma:mode=auto:mode=auto",
        "gamma:=1",
        "gamma:gamma=0",
    ],
)
def test_what_cannot_be_a_row(text):
    with pytest.raises(BadSetting):
        parse_subjects([text])


def test_unknown_names_carry_the_nearest():
    for text, nearest in {"gama": "gamma", "gamma:gama=2": "gamma"}.items():
        with pytest.raises(UnknownName) as caught:
            parse_subjects([text])
        assert nearest in caught.value.nearest


def test_a_setting_cannot_pass_for_an_option():
    for text in ("gamma:strength=0.5", "cascade:device=openvino"):
        with pytest.raises(UnknownName, match="no setting of"):
            parse_subjects([text])


def test_a_folder_may_have_a_comma_in_its_name_and_must_be_there(tmp_path):
    folder = tmp_path / "theirs, final"
    folder.mkdir()
    (folder / "1.png").touch()
    assert names(f"folder:{folder}") == [f"folder:{folder}"]
    with pytest.raises(DataError):
        parse_subjects(["folder:/nowhere"])


@pytest.fixture
def told(monkeypatch):
    """A method that makes α its result, under the name of paper 3's network, whether that ships or not."""
    card = Card("alpha-residual", "a test", "", "pretrained", AlphaSettings)
    method = Method(card, lambda pixels, settings: np.full_like(pixels, settings.alpha / 4))
    for module in ("evaluation.subjects", "enhancing.enhancer"):
        monkeypatch.setattr(f"daybreak.{module}.get_method", lambda _: method)


def dark(path, text):
    path.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(path), np.full((8, 8, 3), 128, np.uint8))
    (sample,) = get_dataset(text).samples(path.parent.parent)
    return sample


@pytest.mark.parametrize("given", ["", "?alpha=1&gamma=0.5"])
def test_a_known_alpha_is_that_of_the_darkening(tmp_path, told, given):
    sample = dark(tmp_path / "clean" / "a.png", f"synthetic:clean{given}")
    (subject,) = parse_subjects(["alpha-residual:alpha=known"])
    assert subject.name == "alpha-residual alpha=known"
    made = subject.produce(load(sample)).pixels
    assert np.allclose(made, sample.input.darkening.alpha / 4, atol=1e-6)
    assert sample.input.darkening.alpha == 1 or not given


def test_an_alpha_that_is_not_known_is_asked_for(tmp_path, told):
    (subject,) = parse_subjects(["alpha-residual:alpha=known"])
    for picture in (
        Picture("photo", np.full((8, 8, 3), 0.5, np.float32), None),
        load(dark(tmp_path / "clean" / "a.png", "synthetic:clean?alpha=0")),
    ):
        with pytest.raises(DataError, match="no α is known of this picture"):
            subject.produce(picture)


def test_only_a_network_that_takes_alpha_can_be_told_it():
    with pytest.raises(BadSetting):
        parse_subjects(["lime:alpha=known"])


@pytest.mark.parametrize(
    ("name", "stems", "found"),
    [
        ("1", ["1", "11", "1_a"], "1"),
        ("1", ["11", "1_a"], "1_a"),
        ("1", ["11", "21"], None),
        ("1", ["1_a", "1_b"], None),
        ("00690", ["normal00690", "normal00691"], "normal00690"),
        ("Huawei/2001", ["2001", "2002"], "2001"),
        ("r01t", ["x-r01t.out", "r01tt"], "x-r01t.out"),
        ("a.b", ["aXb", "a.b_c"], "a.b_c"),
    ],
)
def test_names_of_files(name, stems, found):
    assert match(name, {stem: Path(stem) for stem in stems}) == (Path(found) if found else None)
