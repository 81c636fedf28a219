"""Which metrics a run computes, and the parameters that some need: found, or the reason why they are not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from daybreak.errors import AssetError, BadSetting, MissingExtra
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
        BadSetting: a `niqe_model`, and NIQE is not among the metrics.
        MetricError: `niqe_model` is no pristine model.
    """
    names = tuple(names)
    if niqe_model and "niqe" not in names:
        raise BadSetting(f"--niqe-model {niqe_model} with the metrics {', '.join(names)}", "niqe among them")
    models: dict[str, Any] = {}
    unavailable: dict[str, str] = {}
    for name in names:
        metric = get_metric(name)
        if metric.reference == "truth" and not paired:
            unavailable[name] = "it compares with a reference, and these pictures have none"
        elif name == "niqe" and niqe_model:
            models[name] = _own_pristine(niqe_model)
        elif metric.load:
            try:
                models[name] = metric.load()
            except (AssetError, MissingExtra) as error:
                unavailable[name] = str(error)
    return models, unavailable


def _own_pristine(path: Path) -> PristineModel:
    """A model of one's own, with a name that no other model has, however their files are called."""
    model = load_pristine(path)
    digest = hashlib.sha256(model.mean.tobytes() + model.covariance.tobytes())
    return replace(model, name=f"{path.stem} {digest.hexdigest()[:8]}")
