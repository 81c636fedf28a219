"""Score every method on LOL v1 eval15 and write the tables of docs/results.md and README.md.

    python benchmarks/eval15.py [--data FOLDER]    # FOLDER holds LOL/eval15; default: $DAYBREAK_DATA
    python benchmarks/eval15.py --tables           # only rewrite the tables from the last results

Writes benchmarks/results/eval15.json with the scores of every picture. eval15 is for reporting: 14 of its 15
scenes have a near-identical view in the training part, so nothing is chosen by these numbers.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from daybreak import metrics
from daybreak.data.lol import lol_v1
from daybreak.data.pairs import Pair
from daybreak.enhancing.enhancer import Enhancer
from daybreak.image.read import read_photo
from daybreak.methods import every_method, get_method
from machine import RESULTS, save

ROOT = Path(__file__).parents[1]
PROTOCOL = (
    "PSNR over RGB and all pixels, no border cut; SSIM with an 11×11 Gaussian window of σ = 1.5, mean of R, "
    "G and B; outputs clipped and rounded to 8 bits; each picture scored, then the arithmetic mean; no "
    "GT-mean scaling (the last column has it, beside the others and never instead of them); strength 1."
)
EXTRA: tuple[tuple[str, dict[str, Any]], ...] = (
    ("gamma", {"mode": "auto"}),
    ("he", {"mode": "rgb"}),
    ("he", {"mode": "y"}),
    ("lime", {"solver": "exact"}),
)
"""Settings, other than the defaults, that published tables use."""


def load(path: Path) -> np.ndarray:
    """H×W×3 float32 in [0, 1]."""
    return read_photo(path).pixels


def content_hash(pairs: list[Pair]) -> str:
    """sha256 over the names and decoded 8-bit pixels of the list, whatever the container."""
    digest = hashlib.sha256()
    for pair in pairs:
        digest.update(pair.stem.encode())
        for path in (pair.low, pair.high):
            digest.update(to_8_bits(load(path)).tobytes())
    return digest.hexdigest()


def to_8_bits(pixels: np.ndarray) -> np.ndarray:
    """Clip and round, as an 8-bit file would hold it."""
    return np.rint(np.clip(pixels, 0.0, 1.0) * 255.0).astype(np.uint8)


def score(method: str, settings: dict[str, Any], pairs: list[Pair]) -> dict[str, Any]:
    """One row: the scores of each picture, their means and a bootstrap interval. "input" runs nothing."""
    run = Enhancer(method, **settings).run if method != "input" else None
    each: dict[str, dict[str, float]] = {}
    for pair in pairs:
        low, high = load(pair.low), to_8_bits(load(pair.high))
        output = to_8_bits(run(low).pixels if run else low)
        each[pair.stem] = {
            "psnr": round(metrics.psnr(output, high), 5),
            "ssim": round(metrics.ssim(output, high), 7),
            "psnr_gt_mean": round(metrics.psnr(metrics.gt_mean(output, high), high), 5),
        }
    names = ("psnr", "ssim", "psnr_gt_mean")
    mean = {name: float(np.mean([row[name] for row in each.values()])) for name in names}
    interval = {name: bootstrap([row[name] for row in each.values()]) for name in names}
    sha256 = get_method(method).card.weights_sha256 if run else ""
    return {
        "method": method,
        "settings": settings,
        "weights_sha256": sha256,
        "mean": mean,
        "interval_95": interval,
        "each": each,
    }


def bootstrap(values: list[float], draws: int = 10_000) -> tuple[float, float]:
    """95 % interval of the mean over pictures, percentile bootstrap with seed 0."""
    sample = np.random.default_rng(0).choice(values, (draws, len(values))).mean(axis=1)
    low, high = np.percentile(sample, (2.5, 97.5))
    return float(low), float(high)


def title(row: dict[str, Any]) -> str:
    """`he mode=rgb`"""
    return " ".join([row["method"], *(f"{key}={value}" for key, value in row["settings"].items())])


def results_table(results: dict[str, Any]) -> str:
    """The table of docs/results.md with its protocol."""
    images = ", ".join(results["images"])
    lines = [
        f"LOL v1 eval15, {len(results['images'])} pictures of 600×400, {results['machine']['date']}. "
        f"Images: {images}; sha256 of names and pixels `{results['images_sha256'][:16]}`.",
        "",
        f"Protocol: {results['protocol']}",
        "",
        "Methods at their defaults unless the row says otherwise; sorted by PSNR. In brackets the 95 % "
        "interval of the mean over pictures (percentile bootstrap, 10,000 draws). Written by "
        "`benchmarks/eval15.py`; every picture's scores are in "
        "[eval15.json](../benchmarks/results/eval15.json).",
        "",
        "| method | PSNR, dB | SSIM | with GT-mean: PSNR, dB |",
        "|---|---|---|---|",
    ]
    for row in sorted(results["rows"], key=lambda row: -row["mean"]["psnr"]):
        mean, (low, high) = row["mean"], row["interval_95"]["psnr"]
        (worst, best) = row["interval_95"]["ssim"]
        lines.append(
            f"| {title(row)} | {mean['psnr']:.2f} [{low:.2f}, {high:.2f}] "
            f"| {mean['ssim']:.4f} [{worst:.3f}, {best:.3f}] | {mean['psnr_gt_mean']:.2f} |"
        )
    return "\n".join(lines)


def readme_table(results: dict[str, Any]) -> str:
    """The methods with one line each and their scores, for README.md."""
    lines = ["| method | what it does | PSNR, dB | SSIM |", "|---|---|---|---|"]
    for row in sorted(results["rows"], key=lambda row: -row["mean"]["psnr"]):
        if row["method"] == "input":
            summary = "No enhancement."
        elif row["settings"]:
            continue
        else:
            summary = get_method(row["method"]).card.summary
        name = f"**{row['method']}**" if row["method"] == "auto" else row["method"]
        lines.append(f"| {name} | {summary} | {row['mean']['psnr']:.2f} | {row['mean']['ssim']:.3f} |")
    return "\n".join(lines)


def write_between(path: Path, start: str, end: str, text: str) -> None:
    """Replace what stands between two marker lines of a file.

    Raises:
        ValueError: a marker is not there.
    """
    before, _, rest = path.read_text(encoding="utf-8").partition(start)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"{path.name} lacks the lines {start} and {end}")
    path.write_text(f"{before}{start}\n{text}\n{end}{after}", encoding="utf-8")


def main() -> None:
    """Score, save, write the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = Path(os.environ.get("DAYBREAK_DATA", ROOT / ".." / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=default)
    parser.add_argument("--tables", action="store_true", help="score nothing, rewrite the tables")
    options = parser.parse_args()
    if not options.tables:
        pairs = lol_v1(options.data / "LOL", "test")
        rows = [("input", {}), *((method.card.name, {}) for method in every_method()), *EXTRA]
        scored = []
        for name, settings in rows:
            scored.append(score(name, settings, pairs))
            print(f"{title(scored[-1]):24s} {scored[-1]['mean']['psnr']:.3f}", flush=True)
        save(
            "eval15",
            {
                "protocol": PROTOCOL,
                "images": [pair.stem for pair in pairs],
                "images_sha256": content_hash(pairs),
                "rows": scored,
            },
        )
    results = json.loads((RESULTS / "eval15.json").read_text(encoding="utf-8"))
    write_between(ROOT / "docs" / "results.md", "<!-- eval15 -->", "<!-- /eval15 -->", results_table(results))
    start = "<!-- methods: written by benchmarks/eval15.py -->"
    write_between(ROOT / "README.md", start, "<!-- /methods -->", readme_table(results))


if __name__ == "__main__":
    main()
