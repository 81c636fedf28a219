"""The metrics on real pictures: two rows of LOL v1 eval15 by an independent program (methods.md F.5)."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from daybreak import metrics

DATA = Path(os.environ.get("DAYBREAK_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
EVAL15 = DATA / "LOL" / "eval15"
PARAMETERS = DATA / "numeric" / "niqe_pris_params.npz"

pytestmark = pytest.mark.skipif(
    not (EVAL15.is_dir() and PARAMETERS.is_file()), reason=f"no LOL eval15 and NIQE parameters under {DATA}"
)

# PSNR, SSIM rgb, SSIM gray, PSNR-Y, PSNR with GT-mean, NIQE, PCQI, as printed
ROWS = {
    "input": (7.773, 0.1952, 0.1933, 9.28, 18.79, 6.749, 0.252),
    "gamma 2.2": (13.280, 0.5935, 0.6747, 15.56, 22.93, 7.183, 0.386),
}
# half of the last printed digit, with a little for the mean of rounded numbers; NIQE as in test_niqe.py
TOLERANCE = (6e-4, 6e-5, 6e-5, 6e-3, 6e-3, 2e-3, 6e-4)


def load(path: Path) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


@pytest.mark.parametrize("name", ROWS)
def test_rows_of_the_specification(name):
    model = metrics.load_pristine(PARAMETERS)
    scores = []
    for path in sorted((EVAL15 / "low").iterdir()):
        truth, output = load(EVAL15 / "high" / path.name), load(path)
        if name != "input":
            output = np.rint((output / 255.0) ** (1 / 2.2) * 255).astype(np.uint8)
        scores.append(
            (
                metrics.psnr(output, truth),
                metrics.ssim(output, truth),
                metrics.ssim(output, truth, "gray"),
                metrics.psnr(output, truth, "y"),
                metrics.psnr(metrics.gt_mean(output, truth), truth),
                metrics.niqe(output, model),
                metrics.pcqi(truth, output),
            )
        )
    assert len(scores) == 15
    off = np.abs(np.mean(scores, axis=0) - ROWS[name])
    assert (off <= TOLERANCE).all(), dict(
        zip(("psnr", "rgb", "gray", "y", "gt", "niqe", "pcqi"), off, strict=True)
    )
