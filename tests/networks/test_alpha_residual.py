"""Paper 3's laws (methods.md A.3, F.1, H)."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from daybreak.data.synthetic import Darkening, difference, draw, synthesise
from daybreak.metrics.ssim import ssim
from daybreak.networks import build
from daybreak.networks.alpha_residual import ALPHA, Residual, given_alpha
from daybreak.networks.base import Batch
from daybreak.networks.registry import get_network


def pixels(height=24, width=30, seed=1):
    return np.random.default_rng(seed).random((height, width, 3), np.float32)


def planes(picture):
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None]


def terms(network, batch, **settings):
    spec = get_network("alpha-residual")
    return spec.objective(network, spec.settings(**settings), None).terms(batch)


@pytest.fixture
def network():
    """One whose last convolutions are not 0 any more."""
    torch.manual_seed(3)
    network = build("alpha-residual")
    for net in (network.estimate, network.enhance):
        torch.nn.init.normal_(net[-1].weight, std=0.002)
    return network.eval()


def test_parameter_counts(network):
    def count(module):
        return sum(p.numel() for p in module.parameters())

    assert count(Residual(64)) == 172_544
    assert count(network.estimate) == 521_155
    assert count(network.enhance) == 348_611
    assert network.inference_parameters() == count(network) == 869_766


def test_a_fresh_network_gives_back_what_it_is_given():
    low = planes(pixels())
    with torch.no_grad():
        assert torch.equal(build("alpha-residual").eval().inference()(low, torch.tensor([1.5])), low)


def test_the_graph_does_what_training_does_and_clamps(network):
    low, alpha = planes(pixels()) * 1.0, torch.tensor([1.3])
    with torch.no_grad():
        output, _ = network(low, alpha)
        assert output.amin() < 0 or output.amax() > 1
        assert torch.equal(network.inference()(low, alpha), output.clamp(0, 1))


def test_alpha_weighs_the_difference_map_of_each_picture(network):
    """With nothing to enhance, J = I' + α·Î^D is what comes out."""
    torch.nn.init.zeros_(network.enhance[-1].weight)
    low = torch.cat([planes(pixels(seed=n)) for n in (1, 2)]) * 0.3
    alpha = torch.tensor([0.5, 2.0])
    with torch.no_grad():
        output, found = network(low, alpha)
    torch.testing.assert_close(output, low + alpha.view(2, 1, 1, 1) * found)


def test_nothing_beyond_the_halo_matters_and_the_halo_is_needed(network):
    assert network.halo == 24
    low = torch.zeros(1, 3, 61, 61)
    changes = []
    for row in (60, 54 + 1, 54):  # looked at from row 30
        other = low.clone()
        other[..., row, :] = 1
        with torch.no_grad():
            a, b = (network.inference()(x, torch.ones(1)) for x in (low, other))
        changes.append((a - b)[..., 30, :].abs().max().item())
    assert changes[0] == changes[1] == 0 < changes[2]


def test_the_default_alpha_falls_with_the_brightness_and_stays_in_its_range():
    low = torch.linspace(0, 1, 101).view(-1, 1, 1, 1).expand(-1, 3, 4, 4)
    alpha = ALPHA.estimate(low)
    assert alpha.shape == (101,)
    assert (alpha.diff() <= 0).all()
    assert alpha.min() == 0.5
    assert alpha[0].item() == pytest.approx(1.6)
    assert ALPHA.estimate(low[5:6]).item() == pytest.approx(1.6 - 1.9 * 0.05)


def test_the_default_alpha_is_better_than_none_on_what_the_generator_makes():
    rng = np.random.default_rng(4)
    missed, spread = [], []
    for n in range(200):
        darkening = draw(rng)
        dark = synthesise(pixels(16, 16, n) ** rng.uniform(0.5, 2), darkening, rng)
        missed.append(ALPHA.estimate(planes(dark)).item() - darkening.alpha)
        spread.append(1.25 - darkening.alpha)
    assert np.square(missed).mean() < 0.9 * np.square(spread).mean()


def test_without_a_control_the_default_is_taken(network):
    low = torch.cat([planes(pixels(seed=n)) * gain for n, gain in ((1, 0.2), (2, 0.9))])
    with torch.no_grad():
        torch.testing.assert_close(network.inference()(low), network.inference()(low, ALPHA.estimate(low)))
    assert torch.equal(given_alpha(Batch(low)), ALPHA.estimate(low))


def test_lambda_diff_asks_for_the_difference_map_of_the_generator():
    """Without noise, rounding and clipping, (I − I') / α is I^D (eq. 7)."""
    clean, alpha = pixels(), 0.9
    dark = synthesise(clean, Darkening(alpha, 1.5), np.random.default_rng(0), quantise=False)
    batch = Batch(planes(dark), planes(clean), torch.tensor([alpha]))
    network = build("alpha-residual").eval()  # Î^D = 0
    told = terms(network, batch, lambda_diff=0.5)
    assert told["difference"].item() == pytest.approx(
        0.5 * np.square(difference(clean, 1.5)).mean(), rel=1e-4
    )
    assert told["restored"].item() == pytest.approx(np.square(clean - dark).mean(), rel=1e-4)
    assert terms(network, batch).keys() == {"restored"}


def test_the_loss_may_ask_for_structure_as_the_metric_sees_it():
    clean, dark = pixels(24, 20), pixels(24, 20) * np.float32(0.4)
    batch = Batch(planes(dark), planes(clean), torch.tensor([1.0]))
    told = terms(build("alpha-residual").eval(), batch, ssim=0.5)  # which gives back the dark picture
    assert told.keys() == {"restored", "ssim"}
    assert told["ssim"].item() == pytest.approx(0.5 * (1 - ssim(dark, clean)), abs=1e-5)


def test_training_makes_alpha_brighten():
    """A few steps on one picture: more α, a brighter result (methods.md A.3)."""
    torch.manual_seed(0)
    network = build("alpha-residual", width=4).train()
    spec = get_network("alpha-residual")
    objective = spec.objective(network, spec.settings(width=4), None)
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    rng, clean = np.random.default_rng(0), pixels(16, 16)
    for _ in range(30):
        draws = [Darkening(float(a), 1.0) for a in rng.uniform(0.5, 1.0, 4)]
        dark = torch.cat([planes(synthesise(clean, d, rng)) for d in draws])
        alpha = torch.tensor([d.alpha for d in draws])
        loss = sum(objective.terms(Batch(dark, planes(clean).expand(4, -1, -1, -1), alpha)).values())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    network.eval()
    low = planes(synthesise(clean, Darkening(0.8, 1.0), rng))
    with torch.no_grad():
        bright = [network.inference()(low, torch.tensor([a])).mean().item() for a in (0.5, 0.8, 1.2, 2.0)]
    assert bright == sorted(bright)
    assert bright[-1] > bright[0] + 0.05
