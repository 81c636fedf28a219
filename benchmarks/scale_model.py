"""The model of docs/scale.md: what N pictures take on W nodes, from what one picture takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

PICTURES = 10**7
NODES = (1, 10, 100)
CORES = 16  # of a node, one worker each
NETWORK = 12.5e9 / 8  # bytes/s of a node: what a 16-core machine of a cloud is usually given
REQUESTS = (
    4  # for a picture: HEAD and GET of the input, PUT and HEAD of the result (tests/cluster/test_run.py)
)
PUTS_A_SECOND = 3500  # of S3 and one prefix, by Amazon's page "Optimizing Amazon S3 performance"
GETS_A_SECOND = 5500  # GET and HEAD, likewise
DRIVER_BYTES = 16  # of memory for each key listed


@dataclass(frozen=True)
class Estimate:
    """One row of the table.

    Attributes:
        rate: pictures/s that the workers could do.
        limit: pictures/s that the tightest of the other parts lets through.
        first: that part.
    """

    rate: float
    limit: float
    first: str

    @property
    def real(self) -> float:
        """Pictures/s."""
        return min(self.rate, self.limit)

    @property
    def hours(self) -> float:
        """For all pictures."""
        return PICTURES / self.real / 3600


def driver_seconds(results: dict[str, Any]) -> float:
    """Of the driver's one core for each picture."""
    return float(sum(results["driver"][name] for name in ("plan_seconds", "note_seconds", "ray_seconds")))


def estimate(results: dict[str, Any], size: str, nodes: int) -> Estimate:
    """What a size of picture takes on so many nodes."""
    one = results["pictures"][size]
    rate = nodes * CORES / one["seconds"]
    limits = {
        "the driver's one core": 1 / driver_seconds(results),
        "a node's network": nodes * NETWORK / (one["bytes_in"] + one["bytes_out"]),
        "PUT requests on one prefix": float(PUTS_A_SECOND),
        "GET and HEAD requests on one prefix": GETS_A_SECOND / (REQUESTS - 1),
    }
    first = min(limits, key=lambda name: limits[name])
    return Estimate(rate, limits[first], first)


def tables(results: dict[str, Any]) -> dict[str, str]:
    """The two tables of the page, by their markers."""
    return {"measured": "\n".join(_measured(results)), "model": "\n".join(_model(results))}


def _measured(results: dict[str, Any]) -> list[str]:
    part, machine = results["driver"], results["machine"]
    lines = ["| what | measured |", "|---|---|"]
    for size, one in results["pictures"].items():
        took = f"{one['seconds']:.2f} s (spread {one['spread']:.2f})"
        moved = f"{one['bytes_in'] / 1e6:.1f} MB in, {one['bytes_out'] / 1e6:.1f} MB out"
        lines.append(f"| a picture of {size}, JPEG to JPEG, `auto`, one core | {took}, {moved} |")
    for name, told in (
        ("plan", "listing and planning a key"),
        ("note", "noting a row and merging it"),
        ("ray", "handing out and taking in through Ray"),
    ):
        lines.append(f"| driver: {told} | {1e6 * part[f'{name}_seconds']:.0f} µs |")
    lines.append(f"| a row of the manifest | {part['manifest_bytes']:.0f} bytes |")
    told = f"{machine['cpu']}, {machine['cores']} cores, {machine['date']}; the machine was busy."
    return [*lines, "", told]


def _model(results: dict[str, Any]) -> list[str]:
    columns = "size, nodes, workers alone (pictures/s), real (pictures/s), 10^7 pictures, network of a node"
    names = [*columns.split(", "), "tightest other part"]
    lines = [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    for size, one in results["pictures"].items():
        for nodes in NODES:
            guess = estimate(results, size, nodes)
            moved = guess.real * (one["bytes_in"] + one["bytes_out"]) / nodes * 8 / 1e9
            took = f"{guess.hours:,.1f} h" if guess.hours < 72 else f"{guess.hours / 24:,.1f} days"
            mark = "**" if guess.limit < guess.rate else ""
            cells = [size, f"{nodes}", f"{guess.rate:,.0f}", f"{guess.real:,.0f}", took]
            cells += [f"{moved:.2f} Gbit/s", f"{mark}{guess.first}: {guess.limit:,.0f}/s{mark}"]
            lines.append(f"| {' | '.join(cells)} |")
    big, row = results["pictures"]["12 MP"], results["driver"]["manifest_bytes"]
    came, went = (PICTURES * big[f"bytes_{way}"] / 1e12 for way in ("in", "out"))
    disk = f"{came:.0f} TB in, {went:.0f} TB out, {PICTURES * row / 1e9:.1f} GB of manifest"
    memory = f"{PICTURES * DRIVER_BYTES / 1e9:.2f} GB of digests"
    told = (
        f"Storage for 10^7 pictures of 12 MP: {disk}. The driver's memory: {memory}, and as much again and "
    )
    return [*lines, "", told + "the manifest itself while it is merged."]
