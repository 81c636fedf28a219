"""Score every method on what there is and write the tables of docs/results.md, docs/video.md and README.md.

    python benchmarks/tables.py --data FOLDER [NAME...]    # score (all lists, or those named), then write
    python benchmarks/tables.py --data FOLDER --only neid,neid.wild    # as they are now; the other rows stay
    python benchmarks/tables.py                            # only write the tables from the last results

FOLDER holds LOL, LIME and Kodak24, itself or in folders of it. The scores lie in benchmarks/results as
`daybreak evaluate --json` writes them, the speeds in benchmark.json as `daybreak benchmark --json` does.
eval15 is for reporting: 14 of its 15 scenes have a near-identical view in the training part, so nothing is
chosen by its numbers.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from tempfile import TemporaryDirectory

from daybreak.benchmark.results import read_benchmark
from daybreak.benchmark.show import markdown_table as markdown_table_of_speed
from daybreak.benchmark.show import plot_quality
from daybreak.cli.main import run
from daybreak.evaluation.documents import write_between
from daybreak.evaluation.results import Results, read_results, write_results
from daybreak.evaluation.tables import LEAK, in_order, markdown_table, number, sort_column
from daybreak.evaluation.verdicts import differences
from daybreak.methods import get_method, list_methods

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
ROWS = "input,*,gamma:mode=auto,he:mode=rgb,he:mode=y,lime:solver=exact"
"""Every method at its defaults, and the settings that published tables use."""

LISTS = {
    "eval15": ("lol-v1:test", "psnr,ssim,niqe,loe", ROWS),
    "lime": ("lime", "niqe,loe", ROWS),
    "kodak24": ("synthetic:Kodak24", "psnr,ssim,niqe", f"{ROWS},alpha-residual:alpha=known"),
}
"""Name of the results file and of the markers in docs/results.md -> data set, metrics and rows."""


def results_of(name: str) -> Results:
    """The committed results of a list."""
    return read_results(RESULTS / f"{name}.json")


def results_table(name: str) -> str:
    """A table of docs/results.md with its protocol below."""
    told = f"Every picture's scores are in [{name}.json](../benchmarks/results/{name}.json)."
    return "\n".join([*markdown_table(results_of(name)), told])


def readme_table() -> str:
    """The methods with one line each and their means on eval15, for README.md."""
    results = results_of("eval15")
    psnr, ssim = (sort_column(results.columns, metric) for metric in ("psnr", "ssim"))
    lines = ["| method | what it does | PSNR, dB | SSIM |", "|---|---|---|---|"]
    for row in in_order(results.rows, psnr):
        if row.settings:
            continue
        summary = "No enhancement." if row.kind == "input" else get_method(row.method).card.summary
        name = f"**{row.name}**" if row.name == "auto" else row.name
        shown = [number(row.score(column).mean, column.metric) for column in (psnr, ssim)]
        lines.append(f"| {name}{f' {LEAK}' if row.leak else ''} | {summary} | {' | '.join(shown)} |")
    leaks = [f"{LEAK} {row.leak}" for row in results.rows if row.leak]
    return "\n".join([*lines, *([""] if leaks else []), *dict.fromkeys(leaks)])


def speed_table() -> str:
    """What the methods take on 12 megapixels, for README.md."""
    return "\n".join(markdown_table_of_speed(read_benchmark(RESULTS / "benchmark.json"), width=4000))


def flicker_table() -> str:
    """What each method adds to a still dark scene, alone and held steady, for docs/video.md."""
    told = json.loads((RESULTS / "flicker.json").read_text())
    lines = ["| method | gain | alone | held steady | alone, by cells | held steady, by cells |"]
    lines += ["|---|---|---|---|---|---|"]
    keys = ("gain", "ratio_alone", "ratio", "local_ratio_alone", "local_ratio")
    for method in list_methods():
        lines.append(" | ".join([f"| {method}", *(f"{told[method][key]:.2f}" for key in keys)]) + " |")
    film = f"{told['frames']} frames of {told['size']}, noise of {told['sigma']:g} grey levels"
    return "\n".join([*lines, "", f"{film}; [flicker.json](../benchmarks/results/flicker.json)."])


def film_table() -> str:
    """What a dark film takes beside decoding and encoding alone, for docs/video.md."""
    told = json.loads((RESULTS / "video.json").read_text())
    rows = [name for name in told if isinstance(told[name], dict) and "frames_per_second" in told[name]]
    lines = ["| command | frames/s | × the floor | peak MB |", "|---|---|---|---|"]
    for name in rows:
        took = told[name]
        shown = {"floor": "decode and encode alone", "all_but_the_method": "`-s 0`: all but the method"}
        speed = f"{took['frames_per_second']:.1f} | {took['over_floor']:.2f} | {took['peak_rss_mb']:.0f}"
        lines.append(f"| {shown.get(name, f'`-m {name}`')} | {speed} |")
    frames, size = told["film"]["frames"], told["film"]["size"]
    film = f"{frames} frames of {size}, H.264 to H.264, `--speed {told['speed']}`"
    machine = f"{told['machine']['cpu']}, {told['machine']['cores']} cores, {told['machine']['date']}"
    runs = told["floor"]["runs"]
    said = (
        f"{film}; medians of {runs} runs in turn, {machine}; [video.json](../benchmarks/results/video.json)."
    )
    return "\n".join([*lines, "", said])


def score(name: str, data: Path, only: str | None) -> None:
    """Score a list with every method, or with some whose rows then take the place of theirs."""
    pictures, metrics, rows_of_it = LISTS[name]
    args = ["-m", only or rows_of_it, "-d", pictures, "--root", str(data), "--metrics", metrics]
    target = RESULTS / f"{name}.json"
    with TemporaryDirectory() as folder:
        made = Path(folder, "made.json") if only else target
        if run(["evaluate", *args, "--json", str(made)]):
            raise SystemExit(f"{name} could not be scored in full; its table stays as it was")
        if only:
            before, now = read_results(target), read_results(made)
            if (before.images_sha256, before.machine) != (now.images_sha256, now.machine):
                raise SystemExit(f"{target} is of other pictures or another machine: score all of it")
            rows = {row.name: row for row in (*before.rows, *now.rows)}
            notes = tuple(dict.fromkeys((*before.notes, *now.notes)))
            told = now.model_copy(update={"rows": tuple(rows.values()), "notes": notes})
            write_results(told, target, {"differences": differences(told)})


def main() -> None:
    """Score what is asked for, then write the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(LISTS)}; all by default")
    parser.add_argument("--data", type=Path, help="score; without it only the tables are written")
    parser.add_argument("--only", help="names of methods, with commas; the other rows stay as they were")
    options = parser.parse_args()
    if options.data:
        for name in options.names or LISTS:
            score(name, options.data, options.only)
    for name in LISTS:
        write_between(ROOT / "docs" / "results.md", name, results_table(name))
    write_between(ROOT / "README.md", "methods", readme_table())
    write_between(ROOT / "README.md", "speed", speed_table())
    write_between(ROOT / "docs" / "video.md", "flicker", flicker_table())
    write_between(ROOT / "docs" / "video.md", "film", film_table())
    plot_quality(
        read_benchmark(RESULTS / "benchmark.json"), results_of("eval15"), ROOT / "docs" / "speed.png"
    )


if __name__ == "__main__":
    main()
