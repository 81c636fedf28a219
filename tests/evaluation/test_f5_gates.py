"""The whole way from file to table against independent figures on LOL v1 eval15 (methods.md F.5).

Also held by tests/methods/test_eval15_gates.py, method by method and with scikit-image's metrics; here it is
`evaluate` itself: reading, rounding, our metrics, the GT-mean protocol. For reporting only: nothing is chosen
by these pictures.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from daybreak.evaluation.lists import open_list
from daybreak.evaluation.protocol import Protocol
from daybreak.evaluation.run import Options, Run
from daybreak.evaluation.subjects import parse_subjects

DATA = Path(os.environ.get("DAYBREAK_DATA", Path(__file__).parents[3] / "shared" / "data"))
ROOT = DATA / "LOL"

pytestmark = pytest.mark.skipif(
    not (ROOT / "eval15").is_dir(), reason=f"no LOL eval15 under {ROOT}; set DAYBREAK_DATA"
)

# row: PSNR, SSIM, PSNR with GT-mean, as printed in F.5; None where F.5 gates only the PSNR, whose tolerance
# is the last number (NPE and MF are ours from the papers and must exceed 15 dB)
GATES = {
    "input": (7.773, 0.1952, 18.79, 0.05),
    "he mode=rgb": (14.541, 0.3766, 17.54, 0.05),
    "gamma": (13.280, 0.5935, 22.93, 0.05),
    "bimef": (13.875, 0.5935, 22.96, 0.05),
    "crm": (17.205, 0.6184, 22.92, 0.05),
    "dong": (16.716, 0.4722, 19.61, 0.05),
    "lime": (16.701, None, 19.10, 0.2),
    "msr": (12.466, None, 18.73, 1.0),
    "npe": (15.478, None, 17.06, 0.478),
    "mf": (16.509, None, 19.61, 1.509),
}
METHODS = "input,he:mode=rgb,gamma,bimef,crm,dong,lime,msr,npe,mf"


def evaluated(methods: str, rounding: str = "round") -> dict[str, dict[str, float]]:
    """Row -> column's title -> mean over the 15 pictures."""
    options = Options(("psnr", "ssim"), "both", Protocol("", channel="", rounding=rounding))
    run = Run(open_list("lol-v1:eval15", ROOT), parse_subjects([methods]), options)
    assert len(list(run)) == 15
    results = run.results()
    assert results.problems == ()
    assert all(score.n == 15 for row in results.rows for score in row.scores)
    return {row.name: {score.column.title: score.mean for score in row.scores} for row in results.rows}


@pytest.fixture(scope="module")
def means():
    return evaluated(METHODS)


@pytest.mark.parametrize("name", GATES)
def test_f5(name, means):
    psnr, ssim, psnr_gt_mean, tolerance = GATES[name]
    assert means[name]["psnr"] == pytest.approx(psnr, abs=tolerance)
    assert means[name]["psnr GT-mean"] == pytest.approx(psnr_gt_mean, abs=max(0.05, tolerance / 2))
    if ssim is not None:
        assert means[name]["ssim"] == pytest.approx(ssim, abs=0.003)


def test_truncation_costs_what_f5_says():
    assert evaluated("bimef", "truncate")["bimef"]["psnr truncated"] == pytest.approx(13.81, abs=0.01)
