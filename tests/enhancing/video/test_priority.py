"""Encoders leave the machine to others too."""

from __future__ import annotations

import os
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.video.colors import Colors
from daybreak.enhancing.video.encoder import Encoder, Encoding
from daybreak.enhancing.video.options import VideoOptions
from daybreak.enhancing.video.priority import usual_priority
from daybreak.enhancing.video.run import enhance_video
from daybreak.enhancing.video.sink import EncodedSink
from daybreak.image.rows import Levels

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="not Linux")


def policies():
    tasks = [int(entry.name) for entry in Path("/proc/self/task").iterdir()]
    return {os.sched_getscheduler(task) for task in tasks}


@pytest.mark.parametrize("codec", ["h264", "av1"])
def test_no_thread_goes_before_all_others_once_an_encoder_is_open(codec):
    """SVT-AV1 wants it so where it may, which root does."""
    before = policies()
    colors, rate = Colors(1, 1, 1, 1, high=False, full=False, rows=64), Fraction(10)
    encoding = Encoding(codec, "yuv420p", 64, 64, colors, 1 / rate, rate, None, 70, "fast")
    encoder = Encoder(encoding)
    assert policies() == before
    packets = encoder.encode(Levels(np.full((64, 64, 3), 90, np.uint8), 255), 0)
    packets += list(encoder.finish())
    assert packets
    assert policies() == before


def test_neither_does_one_once_films_are_written(full, tmp_path):
    before = policies()
    enhance_video(full, tmp_path / "a.mp4", Enhancer("gamma"), VideoOptions(codec="av1"))
    assert policies() == before
    sink = EncodedSink(str(tmp_path / "b.mkv"), "av1")
    sink.write(Levels(np.full((64, 64, 3), 90, np.uint8), 255), 0.0)
    assert policies() == before
    sink.close()


def test_a_priority_that_was_there_stays():
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(3))
    except PermissionError:
        pytest.skip("may not ask for real-time priority")
    try:
        with usual_priority():
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(9))
        assert (os.sched_getscheduler(0), os.sched_getparam(0).sched_priority) == (os.SCHED_RR, 3)
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
