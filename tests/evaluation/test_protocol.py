"""A protocol belongs to a number, and two of them never share a column."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from daybreak.errors import BadSetting
from daybreak.evaluation.protocol import Column, MixedProtocols, Protocol, columns_for, require_one
from daybreak.evaluation.reproduce import TOLERANCE
from daybreak.metrics import METRICS, get_metric

BASE = Protocol("a" * 64, channel="", niqe="published")
OTHER = {
    "images": "b" * 64,
    "channel": "y",
    "gt_mean": True,
    "rounding": "truncate",
    "crop": 4,
    "ssim": "uniform 7×7",
    "lpips": "vgg",
    "niqe": "mine",
}


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Protocol)])
def test_a_difference_in_any_field_keeps_numbers_apart(field):
    column = Column("psnr", Protocol("a" * 64))
    other = Column("psnr", dataclasses.replace(column.protocol, **{field: OTHER[field]}))
    assert require_one([column, column]) == column
    with pytest.raises(MixedProtocols, match=field):
        require_one([column, other])


def test_numbers_of_two_metrics_and_no_numbers_are_refused_too():
    with pytest.raises(MixedProtocols, match="metric psnr / ssim"):
        require_one([Column("psnr", BASE), Column("ssim", BASE)])
    with pytest.raises(BadSetting):
        require_one([])


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_metric_has_its_columns_and_they_survive_json(metric):
    for gt_mean, switches in {"both": 2, "on": 1, "off": 1}.items():
        columns = columns_for(metric, BASE, gt_mean)
        scaled = metric.reference == "truth" and metric.name != "brightness"
        assert len(columns) == (switches if scaled else 1)
        for column in columns:
            assert column.protocol.channel == metric.channels[0]
            assert Column.from_json(column.to_json()) == column
            assert len({other.title for other in columns}) == len(columns)


def test_a_channel_is_taken_by_the_metrics_that_have_it():
    luma = dataclasses.replace(BASE, channel="y")
    assert columns_for(get_metric("psnr"), luma, "off")[0].title == "psnr y"
    assert columns_for(get_metric("niqe"), luma, "both")[0].title == "niqe y"
    assert columns_for(get_metric("loe"), luma, "both")[0].protocol.channel == "rgb"


def test_what_cannot_change_a_number_is_not_in_its_protocol():
    mine = dataclasses.replace(BASE, niqe="mine")
    assert columns_for(get_metric("psnr"), mine, "off") == columns_for(get_metric("psnr"), BASE, "off")
    assert columns_for(get_metric("niqe"), mine, "off") != columns_for(get_metric("niqe"), BASE, "off")


def test_the_words_say_what_the_fields_say():
    plain, odd = Protocol("").words(), Protocol("", "y", True, "truncate", 4, niqe="mine").words()
    assert plain == "rgb, GT-mean off, 8 bits, rounded, no border cut"
    for word in ("y,", "GT-mean on", "truncated", "4 px", "'mine'"):
        assert word in odd


def test_the_page_on_protocols_tells_of_every_field_and_tolerance():
    page = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
    for field in dataclasses.fields(Protocol):
        assert f"| `{field.name}` |" in page
    for metric, unit in {
        "psnr": " dB",
        "ssim": " of\nSSIM",
        "niqe": " of NIQE",
        "lpips-alex": " of LPIPS",
    }.items():
        assert f"{TOLERANCE[metric]:g}{unit}" in page
