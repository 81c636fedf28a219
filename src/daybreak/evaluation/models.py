"""Which metrics a run computes, and the parameters that some need: found, or the reason why they are not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from daybreak.errors import AssetError, MissingExtra
from daybreak.metrics import PristineModel, get_metric, list_metrics, load_pristine

USUAL = {True: ("psnr", "ssim", "lpips-alex", "niqe"), False: ("niqe", "loe")}
"""What is computed where nothing is said: with references, and without."""


def metric_names(text: str, paired: bool) -> tuple[str, ...]:
    """Names of metrics from a list with commas; a shell pattern stands for all that match, "all" for all.

    Args:
        text: as typed; "" for the usual ones.
        paired: whether there are references to compare with.

    Raises:
        UnknownName: a name or a pattern that no metric has.

    >>> metric_names("ssim, p*", paired=True)
    ('ssim', 'psnr', 'pcqi')
    """
    if not text.strip():
        return USUAL[paired]
    names: dict[str, None] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        pattern = "*" if part == "all" else part
        names.update(dict.fromkeys(list_metrics(pattern) or [get_metric(part).name]))
    return tuple(names)


def pristine_name(models: Mapping[str, Any]) -> str:
    """The name that stands beside NIQE's scores; "" where NIQE is not computed."""
    model = models.get("niqe")
    return model.name if isinstance(model, PristineModel) else ""


def load_models(
    names: Iterable[str], niqe_model: Path | None, paired: bool
) -> tuple[dict[str, Any], dict[str, str]]:
    """Load what the metrics need.

    Args:
        names: of metrics.
        niqe_model: a pristine model of one's own for NIQE, or None.
        paired: whether there are references to compare with.

    Returns:
        Metric -> its parameters, for those that need any; and metric -> why it cannot be computed and what to
        type, for those whose parameters, optional part or references are not here.

    Raises:
        UnknownName: no such metric.
        MetricError: `niqe_model` is no pristine model.
    """
    models: dict[str, Any] = {}
    unavailable: dict[str, str] = {}
    for name in names:
        metric = get_metric(name)
        if metric.reference == "truth" and not paired:
            unavailable[name] = "it compares with a reference, and these pictures have none"
        elif name == "niqe" and niqe_model:
            models[name] = load_pristine(niqe_model, niqe_model.stem)
        elif metric.load:
            try:
                models[name] = metric.load()
            except (AssetError, MissingExtra) as error:
                unavailable[name] = str(error)
    return models, unavailable
