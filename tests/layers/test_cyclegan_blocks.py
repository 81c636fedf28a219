"""The blocks of the CycleGANs: their laws (methods.md H) and published sizes (F.1)."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from daybreak.errors import BadSetting
from daybreak.layers.aspp import Pyramid
from daybreak.layers.attention import MultiScaleAttention
from daybreak.layers.norm import InstanceNorm, initialise
from daybreak.layers.patchgan import PatchGan
from daybreak.layers.reflected import Reflected
from daybreak.layers.resnet import Residual
from daybreak.layers.shrinkage import ResidualShrinkage, Shrink


def noise(*size, seed=0):
    return torch.randn(size, generator=torch.Generator().manual_seed(seed))


def count(module):
    return sum(p.numel() for p in module.parameters())


def published(features, attention):
    """EMA as its authors describe it: groups folded into the batch, group norm, matrix products."""
    (batch, _, height, width), groups = features.shape, attention.groups
    x = features.reshape(batch * groups, -1, height, width)
    lines = torch.cat([x.mean(3, keepdim=True), x.mean(2, keepdim=True).transpose(2, 3)], dim=2)
    along, around = attention.along, attention.around
    rows, columns = nn.functional.conv2d(lines, along.weight, along.bias).sigmoid().split([height, width], 2)
    crossed = x * rows * columns.transpose(2, 3)
    first = nn.functional.group_norm(crossed, x.shape[1], attention.scale, attention.shift)
    second = nn.functional.conv2d(x, around.weight, around.bias, padding=1)
    weights = [p.mean((2, 3)).softmax(1)[:, None] for p in (first, second)]  # N·G×1×c
    product = weights[0] @ second.flatten(2) + weights[1] @ first.flatten(2)
    return (x * product.view(-1, 1, height, width).sigmoid()).view_as(features)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_instance_norm_is_the_same_while_training(layout):
    norm, features = InstanceNorm(), (noise(3, 5, 6, 7) * 4 + 2).to(memory_format=layout)
    torch.testing.assert_close(norm.train()(features), norm.eval()(features), atol=1e-5, rtol=0)
    reference = (features - features.mean((2, 3), keepdim=True)) / (
        features.var((2, 3), keepdim=True, correction=0) + 1e-5
    ).sqrt()
    torch.testing.assert_close(norm.train()(features), reference, atol=1e-5, rtol=0)


def test_reflection_is_the_same_in_training_and_keeps_bfloat16():
    layer, features = Reflected(4, 4, 3, dilation=2), noise(1, 4, 9, 8)
    wide = nn.functional.pad(features, (2, 2, 2, 2), mode="reflect")
    wanted = nn.functional.conv2d(wide, layer.weight, layer.bias, dilation=2)
    torch.testing.assert_close(layer.train()(features), wanted)
    torch.testing.assert_close(layer.eval()(features), wanted)
    with torch.autocast("cpu", torch.bfloat16):
        assert layer.train()._wide(features.bfloat16()).dtype == torch.bfloat16


def test_initial_weights():
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(64, 64, 3), nn.Linear(300, 300))
    initialise(layers, "normal")
    assert layers[0].weight.std().item() == pytest.approx(0.02, rel=0.03)
    initialise(layers, "kaiming")
    assert layers[0].weight.std().item() == pytest.approx((2 / 576) ** 0.5, rel=0.03)
    assert layers[1].weight.std().item() == pytest.approx((2 / 300) ** 0.5, rel=0.03)
    assert all(layer.bias.abs().max() == 0 for layer in layers)


@pytest.mark.parametrize(
    ("channels", "kernel", "parameters"), [(64, 3, 82176), (64, 1, 16640), (32, 5, 53376)]
)
def test_shrinkage_sizes(channels, kernel, parameters):
    assert count(ResidualShrinkage(channels, kernel)) == parameters


@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 100))
@settings(max_examples=20, deadline=None)
def test_shrinkage_laws(seed, scale):
    torch.manual_seed(seed)
    block, features = ResidualShrinkage(6, 3), noise(2, 6, 7, 5, seed=seed) * scale
    with torch.no_grad():
        grown = block.branch(features)
        change = block.shrink(grown)
        torch.testing.assert_close(block(features), features + change)
    assert (change.abs() <= grown.abs()).all()
    assert (change * grown >= 0).all()
    lost = grown.abs().amax((2, 3)) - change.abs().amax((2, 3))  # τ, where a channel was not silenced
    assert (lost <= grown.abs().mean((2, 3)) * (1 + 1e-5)).all()


def test_shrinkage_with_a_closed_threshold_is_a_plain_residual_block():
    block, features = ResidualShrinkage(4, 3), noise(2, 4, 8, 8)
    nn.init.constant_(block.shrink.share[2].bias, -1e4)
    torch.testing.assert_close(block(features), features + block.branch(features))


def test_shrinkage_of_nothing_has_a_finite_gradient():
    features = torch.zeros(2, 4, 5, 5, requires_grad=True)
    shrink = Shrink(4)
    shrink(features).sum().backward()
    assert features.grad.isfinite().all()
    assert all(p.grad.isfinite().all() for p in shrink.parameters())


def test_shrinkage_equals_its_definition_and_that_of_its_gradient():
    torch.manual_seed(3)
    shrink = Shrink(4).double()
    features = noise(2, 4, 5, 5).double().requires_grad_()
    mean = features.abs().mean((2, 3))
    threshold = (shrink.share(mean) * mean)[..., None, None]
    wanted = features.sign() * (features.abs() - threshold).clamp(min=0)
    torch.testing.assert_close(shrink(features), wanted)
    (gradient,) = torch.autograd.grad(shrink(features).square().sum(), features)
    (expected,) = torch.autograd.grad(wanted.square().sum(), features)
    torch.testing.assert_close(gradient, expected)


@pytest.mark.parametrize(
    ("channels", "groups", "parameters"), [(256, 32, 672), (256, 16, 2624), (256, 8, 10368), (64, 8, 672)]
)
def test_attention_sizes(channels, groups, parameters):
    assert count(MultiScaleAttention(channels, groups)) == parameters


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_attention_equals_the_published_form(layout):
    torch.manual_seed(0)
    attention = MultiScaleAttention(12, 3)
    nn.init.normal_(attention.scale)
    nn.init.normal_(attention.shift)
    features = noise(2, 12, 9, 7).to(memory_format=layout)
    for mode in (True, False):
        torch.testing.assert_close(
            attention.train(mode)(features), published(features, attention), atol=1e-5, rtol=1e-4
        )


def test_attention_only_weakens_and_groups_share_a_map():
    attention, features = MultiScaleAttention(12, 3), noise(2, 12, 9, 7)
    with torch.no_grad():
        seen, given_map = attention(features), attention.map(features)
    assert seen.shape == features.shape
    assert given_map.shape == (2, 3, 1, 9, 7)
    assert (seen.abs() <= features.abs()).all()
    share = (seen / features).view(2, 3, 4, 9, 7)
    torch.testing.assert_close(share, share[:, :, :1].expand_as(share), atol=1e-4, rtol=0)


def test_attention_refuses_groups_that_do_not_divide():
    with pytest.raises(BadSetting, match="groups=5 of 12 channels"):
        MultiScaleAttention(12, 5)


def test_pyramid_sizes_and_small_maps():
    assert count(Pyramid(256, 256, (4, 8, 16))) == 2_229_760
    assert count(Pyramid(256, 64, (4, 8, 16))) == 557_632
    pyramid = Pyramid(8, 8, (4, 8, 16)).train()
    for side in (2, 24):
        assert pyramid(noise(1, 8, side, side)).shape == (1, 8, side, side)


def test_the_pooled_branch_of_a_pyramid_is_heard():
    """A norm after the fusion would leave its parameters without a gradient."""
    torch.manual_seed(0)
    pyramid = Pyramid(8, 8, (1, 2, 3))
    pyramid(noise(1, 8, 12, 12) + 1).square().sum().backward()
    assert pyramid.mean[0].weight.grad.abs().max() > 1e-3


def test_residual():
    features = noise(1, 2, 3, 3)
    torch.testing.assert_close(Residual(nn.Tanh())(features), features + features.tanh())


def test_patchgan_sizes_and_maps():
    critic = PatchGan((4,), 64)
    assert count(critic) == 2_764_737
    dual = PatchGan((3, 5), 64)
    assert [count(path) for path in dual.paths] == [1_555_585, 4_319_361]
    assert count(dual) == 5_874_946
    small, small_dual = PatchGan((4,), 2), PatchGan((3, 5), 2)
    for side, maps in ((256, 30), (96, 10)):
        assert [m.shape for m in small(noise(1, 3, side, side))] == [(1, 1, maps, maps)]
    assert [m.shape for m in small_dual(noise(2, 3, 96, 96))] == [(2, 1, 12, 12)] * 2


def test_a_patch_is_70_pixels_wide():
    critic = PatchGan((4,), 2)
    for path in critic.paths:
        layers = [m for m in path if not isinstance(m, InstanceNorm)]
    picture = noise(1, 3, 160, 160).requires_grad_()
    nn.Sequential(*layers)(picture)[..., 9, 9].sum().backward()
    rows = picture.grad.abs().sum((0, 1, 3)).nonzero()
    assert rows.max() - rows.min() + 1 == 70
