"""What is typed after -m, and the files of another program."""

from __future__ import annotations

from pathlib import Path

import pytest

from daybreak.errors import BadSetting, DataError, UnknownName
from daybreak.evaluation.subjects import match, parse_subjects


def names(*texts):
    return [subject.name for subject in parse_subjects(texts)]


@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        (["input,gamma"], ["input", "gamma"]),
        (["gamma", "input"], ["gamma", "input"]),
        (["ssr,ms*"], ["ssr", "msr", "msrcr"]),
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


def test_a_folder_may_have_a_comma_in_its_name_and_must_be_there(tmp_path):
    folder = tmp_path / "theirs, final"
    folder.mkdir()
    (folder / "1.png").touch()
    assert names(f"folder:{folder}") == [f"folder:{folder}"]
    with pytest.raises(DataError):
        parse_subjects(["folder:/nowhere"])


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
