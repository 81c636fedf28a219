"""The explicit list of every trainable network, and the look-ups over it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from daybreak.errors import BadSetting, RegistryError, UnknownName
from daybreak.networks import (
    alpha_residual,
    cascade,
    cyclegan,
    ema_aspp_cyclegan,
    flagship,
    msdrs_cyclegan,
    neid,
    sci,
    unet,
)
from daybreak.networks.base import Network, NetworkSettings, NetworkSpec
from daybreak.weights import Weight

AnySpec = NetworkSpec[Any, Any]

NETWORKS: tuple[AnySpec, ...] = (
    cascade.SPEC,
    neid.SPEC,
    alpha_residual.SPEC,
    msdrs_cyclegan.SPEC,
    ema_aspp_cyclegan.SPEC,
    cyclegan.SPEC,
    unet.SPEC,
    sci.SPEC,
    flagship.SPEC,
)


def index(specs: Iterable[AnySpec]) -> dict[str, AnySpec]:
    """Name -> specification, in the order given.

    Raises:
        RegistryError: a name stands twice.
    """
    table: dict[str, AnySpec] = {}
    for spec in specs:
        if spec.name in table:
            raise RegistryError(f"two networks are named {spec.name!r}", "one name, one network")
        table[spec.name] = spec
    return table


_BY_NAME = index(NETWORKS)


def get_network(name: str) -> AnySpec:
    """The specification of that name.

    Raises:
        UnknownName: there is none; the error carries the nearest names.
    """
    try:
        return _BY_NAME[name]
    except KeyError:
        raise UnknownName("network", name, _BY_NAME) from None


def parse_settings(spec: AnySpec, values: dict[str, Any]) -> NetworkSettings:
    """Make a network's settings from names and values (text is converted).

    Raises:
        UnknownName: a hyper-parameter that the network does not have.
        BadSetting: a value of the wrong kind or out of its range.
    """
    for name in values:
        if name not in spec.settings.model_fields:
            raise UnknownName(f"hyper-parameter of {spec.name}", name, spec.settings.model_fields)
    try:
        return spec.settings(**values)  # type: ignore[no-any-return]
    except ValidationError as error:
        first = error.errors()[0]
        told = first["msg"].removeprefix("Input should be ")
        raise BadSetting(f"{first['loc'][0]}={first['input']!r} of network {spec.name}", told) from None


def build(name: str, **settings: Any) -> Network:
    """A freshly initialised network; seed torch before for the same weights.

    Raises:
        UnknownName: no such network, or no such hyper-parameter.
        BadSetting: a value of the wrong kind or out of its range.
    """
    spec = get_network(name)
    return spec.build(parse_settings(spec, settings))  # type: ignore[no-any-return]


def load(weight: Weight) -> Network:
    """A network with the parameters of a weight in the part that is exported, ready to run.

    Args:
        weight: from `daybreak.weights.find_weight`.

    Raises:
        WeightsError: a file is missing or is not what the card says.
    """
    from safetensors.torch import load_file

    weight.verify()
    network = build(weight.card.network, **weight.card.settings)
    network.inference().load_state_dict(load_file(weight.safetensors))
    return network.eval()
