"""What the CycleGANs share: two generators, two discriminators, and how they learn from each other.

Source: Zhu et al., "Unpaired image-to-image translation using cycle-consistent adversarial networks", ICCV
2017; methods.md A.0, "loop order". Low-light pictures are domain A, normally lit ones domain B. Inside, all
pictures are in [−1, 1].
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from daybreak.layers.norm import Init, initialise, plane_mean
from daybreak.losses.adversarial import Gan, judged
from daybreak.losses.color import cells, kept_colors, lit, luma, tint
from daybreak.losses.perceptual import Features
from daybreak.losses.pool import Pool
from daybreak.networks.base import Batch, Network, NetworkSettings, Objective, Phase, Terms, hyper

Tint = Literal["free", "kept"]
"""Whether the mean colour of a result is the generator's own, or follows from the dark picture's."""


class CycleSettings(NetworkSettings):
    """Hyper-parameters of the game; each network says where its own values come from."""

    gan: Gan = hyper(
        "lsgan",
        "Least squares, or binary cross-entropy of the discriminators' scores.",
        source="cited: CycleGAN, section 4, replaces the cross-entropy by least squares",
    )
    lambda_cycle: float = hyper(
        10.0,
        "Weight of the mean absolute difference between a picture and what comes back of it.",
        source="cited: CycleGAN, section 4, λ = 10",
        ge=0,
    )
    lambda_identity: float = hyper(
        5.0,
        "Weight of the mean absolute change that a generator makes to a picture of its target domain.",
        source="cited: CycleGAN, section 5.2, 0.5 λ where colours must be kept",
        ge=0,
    )
    pool: int = hyper(
        50,
        "How many generated pictures are kept for each discriminator to look back on.",
        source="cited: CycleGAN, section 4, 50 previously generated images",
        ge=0,
    )
    init: Init = hyper(
        "normal",
        "N(0, 0.02), or normal by the fan-in for ReLU; biases start at 0.",
        source="cited: CycleGAN, appendix 7.1, N(0, 0.02)",
    )
    discriminator_width: int = hyper(
        64,
        "Channels of the discriminators' first layer; their fourth has eight times as many.",
        source="cited: PatchGAN of pix2pix and CycleGAN, C64-C128-C256-C512",
        ge=1,
    )
    tint: Tint = hyper(
        "free",
        "Whose mean colour a result has, put on what is exported (the game does not see it): its own, or "
        "that of the dark picture, brought to the range of normally lit ones.",
        source="assumed: no source keeps it; instance norm takes it from what the generator sees",
    )
    colors: float = hyper(
        0.0,
        "Weight of the dark picture's colours where a learned generator is taught those; 0: the game.",
        source="assumed: no source has it; the game alone leaves what is dark without its colours",
        ge=0,
    )


class Brighten(nn.Module):
    """What is exported: the generator from low to normal light, between [0, 1] and [0, 1].

    Args:
        generator: B×3×H×W in [−1, 1] to the same.
        whose: "kept" gives the result the `tint` of the dark picture, but for what is clipped. To what begins
            with instance norm, a picture is one with its like under a gain and an offset for each colour: a
            brown wall with a gray one.
    """

    def __init__(self, generator: nn.Module, whose: Tint) -> None:
        super().__init__()
        self.generator = generator
        self.whose = whose

    def forward(self, low: Tensor) -> Tensor:
        """B×3×H×W in [0, 1], sides multiples of 8, to the enhanced picture, same shape and range."""
        painted = seen(self.generator(2.0 * low - 1.0))
        if self.whose == "free":
            return painted
        shown, had = (plane_mean(each, not self.training) + 1e-3 for each in (lit(low), painted))
        return (painted * (tint(shown) * (luma(had) / had))).clamp(0.0, 1.0)


def seen(picture: Tensor) -> Tensor:
    """From [−1, 1] to [0, 1]."""
    return ((picture + 1.0) / 2.0).clamp(0.0, 1.0)


class CycleNetwork(Network):
    """Two generators of one kind and two discriminators of one kind.

    Args:
        generator, discriminator: make one, anew at each call.
        settings: of all of them, for the first weights and the tint.
        halo: of the generator's convolutions.
    """

    context = "global"  # instance norm looks at whole planes
    multiple = 8  # the generators halve twice at most, but reflection and norm want more than one pixel left
    least_crop = 24  # the last norm of a 70×70 PatchGAN has 2×2 pixels then

    def __init__(
        self,
        generator: Callable[[], nn.Module],
        discriminator: Callable[[], nn.Module],
        settings: CycleSettings,
        halo: int,
    ) -> None:
        super().__init__()
        self.halo = halo
        self._tint = settings.tint
        self.brighten, self.darken = generator(), generator()
        self.critic_high, self.critic_low = discriminator(), discriminator()
        initialise(self, settings.init)

    def inference(self) -> nn.Module:
        """The generator from low to normal light."""
        return Brighten(self.brighten, self._tint)


class CycleObjective(Objective[CycleNetwork]):
    """Adversarial + cycle + identity for the generators, then adversarial for the discriminators."""

    def __init__(self, network: CycleNetwork, settings: CycleSettings) -> None:
        super().__init__(network)
        self.settings = settings
        self.pool_high, self.pool_low = Pool(settings.pool), Pool(settings.pool)
        self._fakes: tuple[Tensor, Tensor] | None = None

    def phases(self) -> tuple[Phase, ...]:
        """Generators first; the discriminators then judge what that step made, or older pictures."""
        net = self.network
        return (
            Phase("generators", (net.brighten, net.darken), self.generators),
            Phase("discriminators", (net.critic_high, net.critic_low), self.discriminators),
        )

    def generators(self, batch: Batch) -> Terms:
        """Terms of both generators.

        What a generator can do in one go it does: many small operations cost more than their arithmetic, and
        instance norm keeps the pictures apart.
        """
        net, weight = self.network, self.settings
        low, high = _domains(batch)
        fake_high, same_high = net.brighten(torch.cat([low, high])).chunk(2)
        fake_low, same_low, again_low = net.darken(torch.cat([high, low, fake_high])).chunk(3)
        again_high = net.brighten(fake_low)
        self._fakes = fake_high.detach(), fake_low.detach()
        return {
            "fool_high": judged(net.critic_high(fake_high), True, weight.gan),
            "fool_low": judged(net.critic_low(fake_low), True, weight.gan),
            "cycle": weight.lambda_cycle * (_apart(again_low, low) + _apart(again_high, high)),
            "identity": weight.lambda_identity * (_apart(same_high, high) + _apart(same_low, low)),
        }

    def discriminators(self, batch: Batch) -> Terms:
        """Terms of both discriminators, halved so that they learn more slowly than the generators.

        Raises:
            ValueError: the generators' phase has not run on this batch.
        """
        if self._fakes is None:
            raise ValueError(
                "the discriminators judge what the generators made in the same step; run those first"
            )
        (low, high), (fake_high, fake_low) = _domains(batch), self._fakes
        self._fakes = None
        return {
            "critic_high": self._judge(self.network.critic_high, high, self.pool_high.swap(fake_high)),
            "critic_low": self._judge(self.network.critic_low, low, self.pool_low.swap(fake_low)),
        }

    def _judge(self, critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        maps = [scores.chunk(2) for scores in critic(torch.cat([real, fake]))]
        gan = self.settings.gan
        wrong = judged([of_real for of_real, _ in maps], True, gan)
        return 0.5 * (wrong + judged([of_fake for _, of_fake in maps], False, gan))

    def panels(self, batch: Batch) -> dict[str, Tensor]:
        """The dark picture, brightened and darkened again; then the other way round, where there is one."""
        net = self.network
        panels = _cycle(batch.low, net.brighten, net.darken, ("input", "output", "input again"))
        if batch.high is not None:
            names = ("reference", "darkened", "reference again")
            panels |= _cycle(batch.high, net.darken, net.brighten, names)
        return panels

    def state(self) -> dict[str, Any]:
        """Both pools."""
        return {"pool_high": self.pool_high.state(), "pool_low": self.pool_low.state()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up what `state` gave."""
        self.pool_high.load_state(state["pool_high"])
        self.pool_low.load_state(state["pool_low"])


class ColorObjective(Objective[CycleNetwork]):
    """Teaches the generator of a weight the colours of its dark pictures, its light and detail held near.

    Neither references nor the other networks of the game are looked at, so a weight that was exported can
    learn on. Ours: the game does not reward a colour whose absence the discriminator does not notice. What is
    held to is what the generator gave when the run began, under this run's tint, and no darker than the dark
    picture `lit`, noise and all: nothing told the game that a black spot is not there.
    """

    continues = True

    def __init__(self, network: CycleNetwork, settings: CycleSettings) -> None:
        super().__init__(network)
        self.settings = settings
        self._before = copy.deepcopy(network.inference()).requires_grad_(False)

    def phases(self) -> tuple[Phase, ...]:
        """One: the generator that brightens."""
        return (Phase("generators", (self.network.brighten,), self.terms),)

    def terms(self, batch: Batch) -> Terms:
        """Away from the light and detail that were, and from the dark picture's colours."""
        with torch.no_grad():
            before = self._held(batch)
        now = self.network.inference()(batch.low)
        return {
            "light": _apart(luma(now), luma(before)),
            "detail": 0.5 * _apart(_fine(now), _fine(before)),
            "color": self.settings.colors * kept_colors(now, batch.low),
        }

    def panels(self, batch: Batch) -> dict[str, Tensor]:
        """The dark picture, what its light and detail are held to, and what it becomes."""
        self._before.train(self.network.training)
        output = self.network.inference()(batch.low)
        return {"input": batch.low, "before": self._held(batch), "output": output}

    def _held(self, batch: Batch) -> Tensor:
        return _raised(self._before.to(batch.low.device)(batch.low), batch.low)

    def state(self) -> dict[str, Any]:
        """The generator as it was when the run began."""
        return {"before": self._before.state_dict()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up what `state` gave."""
        self._before.load_state_dict(state["before"])


def cycle_objective(
    network: CycleNetwork,
    settings: CycleSettings,
    _: Features | None = None,
) -> Objective[CycleNetwork]:
    """The game, or what may follow it; neither looks at features."""
    return ColorObjective(network, settings) if settings.colors else CycleObjective(network, settings)


def _domains(batch: Batch) -> tuple[Tensor, Tensor]:
    return 2.0 * batch.low - 1.0, 2.0 * batch.reference() - 1.0


def _apart(first: Tensor, second: Tensor) -> Tensor:
    return nn.functional.l1_loss(first.float(), second.float())


def _fine(picture: Tensor) -> Tensor:
    return picture - nn.functional.interpolate(cells(picture), scale_factor=8.0)


def _raised(picture: Tensor, low: Tensor) -> Tensor:
    """The picture; where its 8×8 pixels are darker than the dark one's, `lit`, made up with that."""
    shown = lit(low)
    missing = (1.0 - luma(cells(picture)) / luma(cells(shown))).clamp(min=0.0)
    share = nn.functional.interpolate(missing, scale_factor=8.0, mode="bilinear")
    return (picture + share * shown).clamp(0.0, 1.0)


def _cycle(
    picture: Tensor, there: nn.Module, back: nn.Module, names: tuple[str, str, str]
) -> dict[str, Tensor]:
    other = there(2.0 * picture - 1.0)
    return dict(zip(names, (picture, seen(other), seen(back(other))), strict=True))
