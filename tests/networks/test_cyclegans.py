"""Papers 0 and 1 and the plain CycleGAN: sizes (methods.md F.1), laws (H), the game, and export."""

from __future__ import annotations

import io

import pytest
import torch
from torch import nn

from daybreak.errors import BadSetting
from daybreak.layers.norm import InstanceNorm
from daybreak.layers.shrinkage import Shrink
from daybreak.losses.color import lit, luma, tint
from daybreak.networks import build, get_network
from daybreak.networks.base import Batch
from daybreak.networks.cycle import Brighten
from daybreak.networks.registry import parse_settings
from daybreak.training.graph import SIZES, check_parity, make_onnx

SMALL = {
    "msdrs-cyclegan": {"width": 8, "deep_blocks": 2, "side_blocks": 1},
    "ema-aspp-cyclegan": {"width": 4, "blocks": 2, "groups": 4, "aspp_width": 8},
    "cyclegan": {"width": 4, "blocks": 2},
}
EVERY = pytest.mark.parametrize("name", SMALL)


def small(name, **more):
    torch.manual_seed(0)
    return build(name, discriminator_width=4, **SMALL[name], **more)


def game(name, **more):
    network, spec = small(name, **more).train(), get_network(name)
    values = {"discriminator_width": 4, **SMALL[name], **more}
    return network, spec.objective(network, parse_settings(spec, values), None)


def pictures(*size, seed=0):
    return torch.rand(size, generator=torch.Generator().manual_seed(seed))


def pair(seed=0, side=32, batch=2):
    return Batch(
        pictures(batch, 3, side, side, seed=seed) * 0.3, pictures(batch, 3, side, side, seed=seed + 99)
    )


@pytest.mark.parametrize(
    ("name", "settings", "generator", "critic"),
    [
        ("msdrs-cyclegan", {}, 1_217_251, 5_874_946),
        ("msdrs-cyclegan", {"resolution": "full"}, 1_180_323, 5_874_946),
        ("ema-aspp-cyclegan", {}, 13_613_987, 2_764_737),
        ("ema-aspp-cyclegan", {"attention": "outer_add"}, 13_613_987, 2_764_737),
        ("ema-aspp-cyclegan", {"aspp": False}, 11_378_179 + 9 * 672, 2_764_737),
        ("ema-aspp-cyclegan", {"attention": "none"}, 11_378_179 + 2_229_760, 2_764_737),
        ("ema-aspp-cyclegan", {"attention": "none", "aspp": False}, 11_378_179, 2_764_737),
        ("cyclegan", {}, 11_378_179, 2_764_737),
        ("cyclegan", {"blocks": 6}, 7_837_699, 2_764_737),
    ],
)
def test_parameter_counts(name, settings, generator, critic):
    with torch.device("meta"):
        network = build(name, **settings)
    assert network.inference_parameters() == generator
    for part in (network.brighten, network.darken):
        assert sum(p.numel() for p in part.parameters()) == generator
    for part in (network.critic_high, network.critic_low):
        assert sum(p.numel() for p in part.parameters()) == critic


@pytest.mark.parametrize(
    ("resolution", "sizes"), [("half", [(96, 96), (98, 102)]), ("full", [(96, 96), (97, 101)])]
)
def test_three_paths_and_no_transposed_convolution(resolution, sizes):
    generator = small("msdrs-cyclegan", resolution=resolution).brighten
    assert not any(isinstance(m, nn.ConvTranspose2d) for m in generator.modules())
    step = 2 if resolution == "half" else 1
    for height, width in sizes:
        picture = pictures(1, 3, height, width) * 2 - 1
        with torch.no_grad():
            features, painted = generator.features(picture), generator(picture)
        assert features.shape == (1, 3 * 8, height // step, width // step)  # 192 at width 64
        assert painted.shape == picture.shape
        assert painted.abs().max() <= 1


def test_the_concatenation_holds_192_channels():
    generator = build("msdrs-cyclegan", deep_blocks=1, side_blocks=1).brighten
    with torch.no_grad():
        assert generator.features(pictures(1, 3, 16, 16)).shape == (1, 192, 8, 8)


def test_groups_that_do_not_divide_are_refused():
    with pytest.raises(BadSetting, match="groups=7 of 256"):
        build("ema-aspp-cyclegan", groups=7)


@EVERY
def test_the_smallest_picture(name):
    network = small(name).eval()
    with torch.no_grad():
        assert network.inference()(pictures(1, 3, network.multiple, network.multiple)).isfinite().all()


CONVOLUTIONS_ALONE = [
    ("msdrs-cyclegan", {}),
    ("msdrs-cyclegan", {"resolution": "full"}),
    ("cyclegan", {}),
    ("ema-aspp-cyclegan", {"attention": "none", "aspp_rate": 1}),
    ("ema-aspp-cyclegan", {"attention": "none", "aspp": False, "upsampling": "smooth"}),
]


@pytest.mark.parametrize(("name", "settings"), CONVOLUTIONS_ALONE)
def test_the_halo_is_that_of_the_convolutions(name, settings):
    """With all that looks at whole planes taken out, nothing beyond the halo has a gradient."""
    network = small(name, **settings).eval()
    for module in list(network.modules()):
        for key, child in module.named_children():
            if isinstance(child, InstanceNorm | Shrink | nn.ReLU):  # ReLUs only for their writing in place
                setattr(module, key, nn.Identity())
            if key == "mean":  # the pooled branch of the pyramid
                nn.init.zeros_(child[0].weight)
    halo, middle, far = network.halo, 120, 0
    for place in range(middle, middle + 4):
        picture = (pictures(1, 3, 240, 240) * 2 - 1).requires_grad_()
        network.brighten(picture)[..., place, place].sum().backward()
        rows = picture.grad.abs().sum((0, 1, 3)).nonzero()
        far = max(far, int(place - rows.min()), int(rows.max() - place))
    assert halo - 4 <= far <= halo


@EVERY
@pytest.mark.parametrize("gan", ["lsgan", "vanilla"])
def test_each_phase_leaves_the_other_alone(name, gan):
    network, objective = game(name, gan=gan)
    batch = pair()
    assert [phase.name for phase in objective.phases()] == ["generators", "discriminators"]
    for phase in objective.phases():
        mine = {id(p) for module in phase.modules for p in module.parameters()}
        for parameter in network.parameters():
            parameter.requires_grad_(id(parameter) in mine)
            parameter.grad = None
        terms = phase.terms(batch)
        assert all(t.dtype == torch.float32 and t.ndim == 0 for t in terms.values())
        sum(terms.values()).backward()
        assert all((p.grad is not None) is (id(p) in mine) for p in network.parameters())


def test_terms_are_what_they_say():
    network, objective = game("cyclegan", lambda_cycle=7.0, lambda_identity=3.0)
    batch, net = pair(), network
    terms = objective.generators(batch)
    low, high = 2 * batch.low - 1, 2 * batch.high - 1
    cycle = (net.darken(net.brighten(low)) - low).abs().mean() + (
        net.brighten(net.darken(high)) - high
    ).abs().mean()
    identity = (net.brighten(high) - high).abs().mean() + (net.darken(low) - low).abs().mean()
    (scores,) = net.critic_high(net.brighten(low))
    torch.testing.assert_close(terms["cycle"], 7 * cycle, rtol=1e-4, atol=0)
    torch.testing.assert_close(terms["identity"], 3 * identity, rtol=1e-4, atol=0)
    torch.testing.assert_close(terms["fool_high"], (scores - 1).square().mean(), rtol=1e-4, atol=0)
    (real,), (fake,) = net.critic_low(low), net.critic_low(net.darken(high))
    wanted = 0.5 * ((real - 1).square().mean() + fake.square().mean())
    torch.testing.assert_close(objective.discriminators(batch)["critic_low"], wanted, rtol=1e-4, atol=0)


def test_discriminators_judge_the_step_that_was_made():
    _, objective = game("cyclegan")
    with pytest.raises(ValueError, match="in the same step"):
        objective.discriminators(pair())
    objective.generators(pair())
    objective.discriminators(pair())
    with pytest.raises(ValueError, match="in the same step"):
        objective.discriminators(pair())


def test_the_pools_survive_a_stop():
    _, objective = game("cyclegan", pool=3)
    for seed in range(4):
        objective.generators(pair(seed))
        objective.discriminators(pair(seed))
    file = io.BytesIO()
    torch.save(objective.state(), file)
    file.seek(0)
    _, resumed = game("cyclegan", pool=3)
    resumed.load_state(torch.load(file, weights_only=True))
    for seed in range(4, 9):
        losses = []
        for each in (objective, resumed):
            each.generators(pair(seed))
            losses.append(each.discriminators(pair(seed)))
        assert all(torch.equal(losses[0][key], losses[1][key]) for key in losses[0])


def test_panels_show_both_cycles():
    _, objective = game("cyclegan")
    with torch.no_grad():
        panels = objective.panels(pair())
        alone = objective.panels(Batch(pair().low))
    one_way, other_way = ["input", "output", "input again"], ["reference", "darkened", "reference again"]
    assert list(panels) == one_way + other_way
    assert list(alone) == one_way


def test_a_tint_that_is_kept_is_the_dark_pictures():
    """What begins with instance norm makes one of a picture and its like in coloured light."""

    class Painter(nn.Module):
        def forward(self, picture):
            return 0.3 * InstanceNorm()(picture).tanh()

    low = pictures(1, 3, 32, 32) * 0.2 + 0.1
    other = low * torch.tensor([1.5, 1.0, 0.6]).view(1, 3, 1, 1)
    free, kept = ([Brighten(Painter(), whose)(each) for each in (low, other)] for whose in ("free", "kept"))
    torch.testing.assert_close(*free, rtol=0, atol=2e-3)
    for made, dark in zip(kept, (low, other), strict=True):
        mean = made.mean((0, 2, 3), keepdim=True)
        wanted = tint(lit(dark).mean((0, 2, 3), keepdim=True))
        torch.testing.assert_close(mean / luma(mean), wanted, rtol=0.005, atol=0)
        torch.testing.assert_close(luma(made).mean(), luma(free[0]).mean(), rtol=0.01, atol=0)
    red, _, blue = (kept[1] - kept[0]).mean((0, 2, 3))
    assert red > 0.05
    assert blue < -0.05


@pytest.mark.parametrize("rgb", [(0.0, 0.0, 0.0), (0.2, 0.0, 0.0), (1.0, 1.0, 1.0), (0.01, 0.01, 1.0)])
@pytest.mark.parametrize("painted", [-1.0, 0.0, 1.0])
def test_a_tint_of_what_has_no_colour_or_one_alone_stays_a_picture(rgb, painted):
    class Painter(nn.Module):
        def forward(self, picture):
            return torch.full_like(picture, painted)

    low = torch.tensor(rgb).view(1, 3, 1, 1).expand(1, 3, 16, 16)
    made = Brighten(Painter(), "kept")(low)
    assert made.isfinite().all()
    assert 0 <= made.min() <= made.max() <= 1
    if len(set(rgb)) == 1:
        gray = torch.full_like(made, (painted + 1) / 2)
        assert torch.allclose(made, gray, atol=0.02), "gray stays nearly gray"


def test_a_learned_generator_can_be_taught_colors_alone():
    network, objective = game("msdrs-cyclegan", colors=4.0)
    (phase,), batch = objective.phases(), pair(side=48)
    assert phase.modules == (network.brighten,), "the others of the game stay out of it"
    terms = phase.terms(batch)
    assert terms["light"] == terms["detail"] == 0, "it begins as it was"
    learning = torch.optim.Adam(network.brighten.parameters(), 1e-3)
    for _ in range(15):
        learning.zero_grad()
        sum(phase.terms(batch).values()).backward()
        learning.step()
    after = phase.terms(batch)
    assert after["color"] < 0.7 * terms["color"]
    assert after["light"] < 0.1
    panels = objective.panels(batch)
    assert list(panels) == ["input", "before", "output"]
    assert not torch.equal(panels["before"], panels["output"])


def test_what_is_taught_colors_also_loses_its_black_spots():
    network, objective = game("msdrs-cyclegan", colors=4.0)
    batch, before = pair(side=48), network.inference()

    def light(change):
        with torch.no_grad():
            network.brighten.close.bias.add_(change)
            objective.load_state({"before": before.state_dict()})
            return before(batch.low).mean(), objective.terms(batch)["light"]

    shown = lit(batch.low).mean()
    bright, nothing = light(+3.0)
    assert bright > shown
    assert nothing == 0
    black, asked = light(-8.0)
    assert black < 0.01
    assert asked == pytest.approx(shown.item(), abs=0.02), "as light as the dark picture, lit"


def test_what_colors_are_taught_beside_survives_a_stop():
    network, objective = game("msdrs-cyclegan", colors=4.0)
    with torch.no_grad():
        for parameter in network.brighten.parameters():
            parameter.mul_(1.1)
    _, resumed = game("msdrs-cyclegan", colors=4.0)
    resumed.network.load_state_dict(network.state_dict())
    other = {key: value + 0.1 for key, value in objective.state()["before"].items()}
    resumed.load_state({"before": other})
    assert resumed.terms(pair())["light"] != objective.terms(pair())["light"]
    file = io.BytesIO()
    torch.save(objective.state(), file)
    file.seek(0)
    resumed.load_state(torch.load(file, weights_only=True))
    ours, theirs = objective.terms(pair()), resumed.terms(pair())
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


@pytest.mark.parametrize(("upsampling", "grid"), [("plain", True), ("smooth", False)])
def test_two_even_halves_come_out_without_a_grid_where_doublings_are_smooth(upsampling, grid):
    """One even field would not do: instance norm makes it 0, grid and all."""
    generator = small("ema-aspp-cyclegan", upsampling=upsampling).eval().brighten
    halves = pictures(1, 16, 1, 2).repeat_interleave(40, 2).repeat_interleave(40, 3)
    with torch.no_grad():
        painted = generator.settle(generator.decoder(halves))
    apart = painted[..., 60:100, 60:100].flatten(2).std(2).max()  # inside the left one
    assert apart > 1e-3 if grid else apart < 1e-5


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore:.*LeafSpec")
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("msdrs-cyclegan", {}),
        ("msdrs-cyclegan", {"resolution": "full"}),
        ("ema-aspp-cyclegan", {"upsampling": "smooth"}),
        ("cyclegan", {}),
        ("cyclegan", {"tint": "kept"}),
    ],
)
def test_exported_graph_equals_torch(name, settings, tmp_path):
    network = small(name, **settings).eval()
    path = tmp_path / "graph.onnx"
    path.write_bytes(make_onnx(network).SerializeToString())
    assert check_parity(network, path, sizes=SIZES[:2]) <= 1e-4
