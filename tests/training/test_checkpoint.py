"""What is refused as a checkpoint, and what an older one may lack."""

from __future__ import annotations

import pytest
import torch

from daybreak.errors import TrainingError
from daybreak.training import checkpoint as checkpoints
from daybreak.training.fit import fit
from daybreak.training.lesson import OURS, Lesson
from daybreak.training.stop import Stop

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*LeafSpec"),
]


@pytest.fixture
def begun(tmp_path, tiny, material):
    """A run of NEID with averaged weights, stopped after its first step."""
    fit(tiny("neid"), material, tmp_path, stop=Stop(0.0))
    return tmp_path / checkpoints.LAST


def change(path, edit):
    kept = checkpoints.load(path)
    edit(kept)
    torch.save(kept, path)


def test_what_is_no_checkpoint_is_refused(tmp_path):
    with pytest.raises(TrainingError, match=r"there is no checkpoint .*x\.ckpt"):
        checkpoints.load(tmp_path / "x.ckpt")
    for content in (b"", b"PK\x03\x04 cut short", b"hello", b"RIFF\x10\0\0\0WEBP", b"0", b"."):
        (tmp_path / "x.ckpt").write_bytes(content)
        with pytest.raises(TrainingError, match=r"x\.ckpt is no checkpoint of a daybreak run"):
            checkpoints.load(tmp_path / "x.ckpt")
    with pytest.raises(TrainingError, match=r"no checkpoint .*y\.ckpt\. There is .*x\.ckpt"):
        checkpoints.load(tmp_path / "y.ckpt")
    torch.save({"state_dict": {}}, tmp_path / "x.ckpt")
    with pytest.raises(TrainingError, match="is no checkpoint of a daybreak run"):
        checkpoints.load(tmp_path / "x.ckpt")


def test_a_checkpoint_from_before_a_key_goes_on_while_the_key_holds_its_default(begun, tiny, material):
    def forget(kept):
        del kept[OURS]["recipe"]["seed"]
        del kept[OURS]["recipe"]["optimiser"]["warmup"]
        del kept[OURS]["recipe"]["settings"]["detail_target"]

    change(begun, forget)
    with pytest.raises(TrainingError, match="another recipe: seed was 0 and is 5"):
        fit(tiny("neid", seed=5), material, begun.parent, resume=True)
    assert fit(tiny("neid", steps=12), material, begun.parent, resume=True).ended == "finished"


def test_how_often_things_are_written_down_may_change_on_the_way(begun, tiny):
    checkpoints.check_same(tiny("neid", panels_every=5, save_every=7), checkpoints.load(begun), begun)


def test_but_not_what_the_best_is_chosen_by(begun, tiny):
    with pytest.raises(TrainingError, match="another recipe: score_pairs was 20 and is 3"):
        checkpoints.check_same(tiny("neid", score_pairs=3), checkpoints.load(begun), begun)


@pytest.mark.parametrize(
    ("before", "now", "sentence"),
    [
        ("", "vgg16", "begun without VGG16 for the perceptual loss, which is here now.*DAYBREAK_CACHE"),
        ("vgg16", "", "begun with VGG16 for the perceptual loss, which is not here now.*assets fetch vgg16"),
    ],
)
def test_a_perceptual_loss_that_comes_or_goes_on_the_way_is_refused(begun, tiny, before, now, sentence):
    began = checkpoints.load(begun)
    began[OURS]["about"]["perceptual"] = before
    lesson = Lesson(tiny("neid"), None, began[OURS]["about"] | {"perceptual": now})
    with pytest.raises(TrainingError, match=sentence):
        checkpoints.check(lesson, began, begun)
    del began[OURS]["about"]["perceptual"]  # of a version before the key
    checkpoints.check(lesson, began, begun)


def test_a_key_that_is_gone_is_a_difference(begun, tiny):
    change(begun, lambda kept: kept[OURS]["recipe"].update(magic=3))
    with pytest.raises(TrainingError, match="another recipe: magic was 3 and is None"):
        checkpoints.check_same(tiny("neid"), checkpoints.load(begun), begun)


def test_another_version_of_the_network_is_refused(begun, tiny, material):
    def grow(kept):
        kept["state_dict"]["network.head.close.weight"] = torch.zeros(3, 5, 3, 3)
        kept["state_dict"]["average.head.close.weight"] = torch.zeros(3, 5, 3, 3)

    change(begun, grow)
    sentence = (
        r"another version of the network neid: .*close\.weight is \(3, 5, 3, 3\) there; expected \(3, 4"
    )
    with pytest.raises(TrainingError, match=sentence):
        fit(tiny("neid"), material, begun.parent, resume=True)
    with pytest.raises(TrainingError, match=sentence):
        checkpoints.network_of(checkpoints.load(begun), begun)


def test_the_network_of_a_checkpoint_is_the_averaged_one(begun):
    kept = checkpoints.load(begun)
    state = checkpoints.network_of(kept, begun).state_dict()
    for name, value in state.items():
        assert torch.equal(value, kept["state_dict"][f"average.{name}"])
