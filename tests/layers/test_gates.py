"""What the gates of the local part let through; at a slope of 1 there is no curve besides."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import avg_pool2d, interpolate

from daybreak.layers.local import COLOR, KEPT, RICHEST, Gates

LOW = 0.2 + 0.6 * torch.rand((1, 3, 64, 96), generator=torch.Generator().manual_seed(0))


def through(*shut: int) -> torch.Tensor:
    """The picture with some of the gates shut: 0 and 1 what is finer than 4 px and its colour, and so on."""
    gates = Gates(4, 2)
    with torch.no_grad():
        for number in shut:
            gates.close.bias[1 + number] = -1.0
        return gates(LOW, torch.zeros(1), torch.zeros((1, 2)))


def means(side: int) -> torch.Tensor:
    """Means of side×side pixels, each size brought up from the one before, as the gates part them."""
    made = avg_pool2d(LOW, side)
    while made.shape[3] < LOW.shape[3]:
        times = 4 if made.shape[3] == LOW.shape[3] // 4 else 2
        made = interpolate(made, scale_factor=times, mode="bilinear", align_corners=False)
    return made


def test_open_gates_let_all_of_it_through():
    torch.testing.assert_close(through(), LOW, atol=1e-6, rtol=0)


def test_gates_that_are_shut_leave_means_and_what_always_passes():
    grain = (LOW - means(4)).mean(1, keepdim=True)
    between = means(4) - means(16)
    colour = between - between.mean(1, keepdim=True)
    left = means(16) + KEPT * grain + COLOR * colour
    torch.testing.assert_close(through(*range(6)), left, atol=1e-6, rtol=0)


@pytest.mark.parametrize("middle", [2, 4])
def test_shut_for_its_colour_a_part_keeps_its_gray(middle):
    made, part = through(middle + 1), means(2 * middle) - means(4 * middle)
    torch.testing.assert_close(made.mean(1), LOW.mean(1), atol=1e-6, rtol=0)
    taken = (1.0 - COLOR) * (part - part.mean(1, keepdim=True))
    torch.testing.assert_close(LOW - made, taken, atol=1e-6, rtol=0)


@pytest.mark.parametrize(("told", "times"), [(-2.0, 0.0), (0.25, 1.25), (5.0, RICHEST)])
def test_a_tone_says_how_colourful_all_of_it_becomes(told, times):
    gates, gray = Gates(4, 2), LOW.mean(1, keepdim=True)
    with torch.no_grad():
        gates.tone.bias[0] = told
        made = gates(LOW, torch.zeros(1), torch.zeros((1, 2)))
    torch.testing.assert_close(made, (gray + times * (LOW - gray)).clamp(0.0, 1.0), atol=1e-6, rtol=0)


def test_with_no_share_of_it_nothing_local_is_left():
    gates, random = Gates(4, 2), torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in gates.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=random))
        made = gates(LOW, torch.zeros(1), torch.ones((1, 2)), torch.zeros(1))
    torch.testing.assert_close(made, LOW, atol=1e-6, rtol=0)


def test_tones_go_by_how_bright_and_how_colourful_a_place_is():
    gates = Gates(4, 2)
    bright, rich = torch.tensor([0.2, 0.5, 0.5]), torch.tensor([0.1, 0.1, 0.3])
    level = (bright + rich * torch.tensor([[0.5], [0.0], [-0.5]]))[None, :, :, None]
    with torch.no_grad():
        gates.tone.bias.copy_(torch.tensor([0.1, 0.2, 0.3, -0.4, 0.5]))
        tone = gates.parts(level, torch.zeros((1, 1, 3, 1)), torch.zeros(1), torch.zeros((1, 2)))[2]
    expected = 0.1 + 0.2 * bright + 0.3 * bright**2 - 0.4 * rich + 0.5 * rich**2
    torch.testing.assert_close(tone.flatten(), expected)
