"""Each data set finds its own layout, whatever the case, the extension and the folder it came wrapped in."""

from __future__ import annotations

import pytest

from daybreak.data.base import NothingThere
from daybreak.data.folders import shuffled_partners
from daybreak.data.lol import EVAL15, validation_stems
from daybreak.data.registry import DATASETS, get_dataset, list_datasets, parse_dataset
from daybreak.data.sample import Sample
from daybreak.errors import DataError, UnknownName

LOL_V2 = [f"{number:05}" for number in range(690, 790)]
LSRW = {"Huawei": 30, "Nikon": 20}
FIVEK = [f"a{number}" for number in range(4501, 5001)]

SETS = [dataset for dataset in DATASETS if dataset.card.name not in ("pack", "synthetic:FOLDER")]

# data set and split -> (files, expected "name: input < reference"), relative to the root
LAYOUTS = {
    "lol-v1:test": (
        [f"eval15/{side}/{stem}.png" for side in ("low", "high") for stem in EVAL15],
        [f"{stem}: eval15/low/{stem}.png < eval15/high/{stem}.png" for stem in EVAL15],
    ),
    "lol-v1:our485": (
        ["our485/low/2.webp", "our485/high/2.jpg", "our485/low/10.webp", "our485/high/10.JPG"],
        ["2: our485/low/2.webp < our485/high/2.jpg", "10: our485/low/10.webp < our485/high/10.JPG"],
    ),
    "lol-v2-real:test": (
        [f"Real_captured/Test/{s.title()}/{s}{stem}.png" for s in ("low", "normal") for stem in LOL_V2],
        [
            f"{stem}: Real_captured/Test/Low/low{stem}.png < Real_captured/Test/Normal/normal{stem}.png"
            for stem in LOL_V2
        ],
    ),
    "lol-v2-real:train": (
        ["Real_captured/Train/Low/00001.png", "Real_captured/Train/Normal/00001.png"],
        ["00001: Real_captured/Train/Low/00001.png < Real_captured/Train/Normal/00001.png"],
    ),
    "lol-v2-synthetic:train": (
        ["Synthetic/Train/Low/r1t.png", "Synthetic/Train/Normal/r1t.png"],
        ["r1t: Synthetic/Train/Low/r1t.png < Synthetic/Train/Normal/r1t.png"],
    ),
    "lsrw:test": (
        [f"Eval/{c}/{side}/{n}.jpg" for c in LSRW for side in ("low", "high") for n in range(LSRW[c])],
        [f"{c}/{n}: Eval/{c}/low/{n}.jpg < Eval/{c}/high/{n}.jpg" for c in LSRW for n in range(LSRW[c])],
    ),
    "lsrw:train-nikon": (
        ["Training data/Nikon/low/7.jpg", "Training data/Nikon/high/7.jpg"],
        ["Nikon/7: Training data/Nikon/low/7.jpg < Training data/Nikon/high/7.jpg"],
    ),
    "brightening:train": (
        ["BrighteningTrain/low/r1.png", "BrighteningTrain/high/r1.png"],
        ["r1: BrighteningTrain/low/r1.png < BrighteningTrain/high/r1.png"],
    ),
    "fivek:all": (
        ["input/a0001.png", "expertC/a0001.tif"],
        ["a0001: input/a0001.png < expertC/a0001.tif"],
    ),
    "fivek-e:test": (
        [
            f"{place}.{suffix}"
            for n in FIVEK
            for place, suffix in ((f"input/{n}", "png"), (f"expertE/{n}", "tif"))
        ],
        [f"{name}: input/{name}.png < expertE/{name}.tif" for name in FIVEK],
    ),
    "sice:part1": (
        ["Dataset_Part1/12/1.JPG", "Dataset_Part1/12/2.JPG", "Dataset_Part1/Label/12.JPG"],
        [f"1/12/{k}: Dataset_Part1/12/{k}.JPG < Dataset_Part1/Label/12.JPG" for k in (1, 2)],
    ),
    "sice:all": (
        [f"Dataset_Part{n}/{n}/1.JPG" for n in (1, 2)] + ["Label/1.JPG", "Label/2.JPG"],
        [f"{n}/{n}/1: Dataset_Part{n}/{n}/1.JPG < Label/{n}.JPG" for n in (1, 2)],
    ),
    "lime:test": (["LIME/1.bmp", "LIME/2.jpg"], ["1: LIME/1.bmp", "2: LIME/2.jpg"]),
    "npe:test": (["NPE/bird.jpg"], ["bird: NPE/bird.jpg"]),
    "dicm:test": (["DICM/01.jpg"], ["01: DICM/01.jpg"]),
    "mef:test": (["MEF/A.png"], ["A: MEF/A.png"]),
    "vv:test": (["VV/P1.jpg"], ["P1: VV/P1.jpg"]),
    "raise-1k:all": (["RAISE-1k/r0.TIF"], ["r0: RAISE-1k/r0.TIF"]),
    "euvp:train": (
        [f"Paired/underwater_{s}/train{t}/1.jpg" for s in ("dark", "imagenet", "scenes") for t in "AB"],
        [
            f"{s}/1: Paired/underwater_{s}/trainA/1.jpg < Paired/underwater_{s}/trainB/1.jpg"
            for s in ("dark", "imagenet", "scenes")
        ],
    ),
    "euvp:test": (
        ["test_samples/Inp/1.jpg", "test_samples/GTr/1.jpg"],
        ["1: test_samples/Inp/1.jpg < test_samples/GTr/1.jpg"],
    ),
    "euvp:unpaired-good": (["Unpaired/trainB/9.jpg"], ["9: Unpaired/trainB/9.jpg"]),
    "reside-beta:train": (
        ["clear/0001.jpg", "clear/0002.jpg", "hazy/0001_0.8_0.04.jpg", "hazy/part2/0001_1_0.2.jpg"],
        [
            "0001_0.8_0.04: hazy/0001_0.8_0.04.jpg < clear/0001.jpg",
            "0001_1_0.2: hazy/part2/0001_1_0.2.jpg < clear/0001.jpg",
        ],
    ),
    "paired:all": (["dark/a.png", "bright/a.jpg"], ["a: dark/a.png < bright/a.jpg"]),
    "unpaired:b": (["trainA/1.png", "trainB/x.png"], ["x: trainB/x.png"]),
}


def lay(root, files):
    for file in files:
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def told(root, samples):
    def relative(path):
        return path.relative_to(root).as_posix()

    return [
        f"{s.name}: {relative(s.input)}" + (f" < {relative(s.reference)}" if s.reference else "")
        for s in samples
    ]


@pytest.mark.parametrize("text", LAYOUTS)
@pytest.mark.parametrize("wrapper", ["", "my data/LOLdataset"], ids=["bare", "wrapped"])
def test_the_layout_is_found(text, wrapper, tmp_path):
    files, wanted = LAYOUTS[text]
    base = tmp_path / wrapper
    lay(base, files)
    dataset, split = parse_dataset(text)
    assert told(base, dataset.samples(tmp_path, split)) == wanted


@pytest.mark.parametrize("text", LAYOUTS)
def test_case_and_hyphens_of_folders_do_not_count(text, tmp_path):
    files, wanted = LAYOUTS[text]

    def changed(path):
        *folders, name = path.split("/")
        stem, _, suffix = name.rpartition(".")
        return "/".join([*(f.lower().replace("_", "-") for f in folders), f"{stem}.{suffix.swapcase()}"])

    lay(tmp_path, map(changed, files))
    dataset, split = parse_dataset(text)
    assert len(dataset.samples(tmp_path, split)) == len(wanted)


def test_every_data_set_has_a_layout_here():
    assert {text.partition(":")[0] for text in LAYOUTS} >= {d.card.name for d in SETS} - {
        "fivek-a",
        "fivek-b",
        "fivek-d",
    }


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.card.name)
def test_every_card_says_all_there_is_to_know(dataset, tmp_path):
    card = dataset.card
    for told in (card.title, card.get, card.size, card.terms, card.layout):
        assert told
    assert card.summary.endswith(".") or "daybreak" in card.summary
    assert card.default_split in card.splits
    assert all(leak.split in card.splits for leak in card.leaks)
    if card.home:
        assert card.home.startswith(("http://", "https://"))
        assert card.paper
    with pytest.raises(DataError, match="no ") as raised:
        dataset.find(tmp_path, card.default_split)
    assert str(tmp_path) in str(raised.value)


def test_the_other_layout_of_lol_v1(tmp_path):
    lay(tmp_path, [f"Test/{side}/{stem}.png" for side in ("input", "target") for stem in EVAL15])
    assert len(get_dataset("lol-v1").samples(tmp_path)) == 15


def test_lol_v1_is_found_when_its_part_is_given(tmp_path):
    lay(tmp_path, LAYOUTS["lol-v1:test"][0])
    assert len(get_dataset("lol-v1").samples(tmp_path / "eval15")) == 15


def test_train_and_val_of_lol_v1_share_nothing_and_leave_648_out(tmp_path):
    stems = sorted(validation_stems() | {"648", "777", "5"})
    lay(tmp_path, [f"our485/{side}/{stem}.png" for side in ("low", "high") for stem in stems])
    lol = get_dataset("lol-v1")
    assert [sample.name for sample in lol.samples(tmp_path, "train")] == ["5", "777"]
    assert {sample.name for sample in lol.samples(tmp_path, "val")} == validation_stems()
    assert "648" in {sample.name for sample in lol.samples(tmp_path, "our485")}


def test_what_is_missing_of_lol_v1_is_told_and_the_rest_can_be_used(tmp_path):
    lay(tmp_path, LAYOUTS["lol-v1:test"][0])
    (tmp_path / "eval15" / "high" / "780.png").unlink()
    lay(tmp_path, ["eval15/low/9.png", "eval15/high/9.png"])
    found = get_dataset("lol-v1").find(tmp_path)
    assert [sample.name for sample in found.samples] == list(EVAL15[:-1])
    unpaired, counted = found.problems
    assert "780.png" in str(unpaired)
    assert "without a partner" in str(unpaired)
    assert "holds 14 of the 15 pairs of LOL v1 and 1 others" in str(counted)
    with pytest.raises(DataError, match=r"780\.png"):
        get_dataset("lol-v1").samples(tmp_path)


def test_a_camera_that_is_missing_is_told(tmp_path):
    lay(tmp_path, ["Eval/Huawei/low/1.jpg", "Eval/Huawei/high/1.jpg", "Eval/Nikon/low/1.jpg"])
    found = get_dataset("lsrw").find(tmp_path, "test")
    assert [sample.name for sample in found.samples] == ["Huawei/1"]
    assert "no Eval/Nikon/high" in str(found.problems[0])


def split_names(root, split):
    return [sample.name for sample in get_dataset("fivek").find(root, split).samples]


def problems_of(text, root):
    dataset, split = parse_dataset(text)
    return [str(problem) for problem in dataset.find(root, split).problems]


def test_fivek_is_cut_by_number_so_a_missing_picture_moves_no_other(tmp_path):
    train, test = [f"a{n:04}-jmac_{n}" for n in (1, 20, 4500)], [f"a{n}-kme_{n}" for n in range(4501, 5001)]
    lay(tmp_path, [f"{side}/{name}.png" for side in ("input", "expertC") for name in (*train, *test)])
    assert (split_names(tmp_path, "train"), split_names(tmp_path, "test")) == (train, test)
    assert problems_of("fivek:test", tmp_path) == []
    for side in ("input", "expertC"):
        (tmp_path / side / f"{test[7]}.png").unlink()
    assert (split_names(tmp_path, "train"), split_names(tmp_path, "test")) == (train, test[:7] + test[8:])
    (told,) = problems_of("fivek:test", tmp_path)
    assert told == f"the test part in {tmp_path} holds 499 pairs; expected the 500 of MIT-Adobe FiveK"


def test_fivek_under_other_names_is_cut_by_count_and_has_to_be_whole(tmp_path):
    names = [f"{n:04}" for n in range(1, 521)]
    lay(tmp_path, [f"{side}/{name}.png" for side in ("input", "expertC") for name in names])
    assert (split_names(tmp_path, "train"), split_names(tmp_path, "test")) == (names[:20], names[20:])
    (told,) = problems_of("fivek:test", tmp_path)
    assert "holds 520 pairs; expected the 5000 of MIT-Adobe FiveK" in told
    assert problems_of("fivek:train", tmp_path) == []


def test_fivek_in_folders_of_its_own_is_not_cut(tmp_path):
    files = [f"{split}/{side}/{split}.png" for split in ("train", "test") for side in ("input", "target")]
    lay(tmp_path, files)
    for split in ("train", "test"):
        assert split_names(tmp_path, split) == [split]
    assert "holds 1 pairs; expected the 500 of" in problems_of("fivek:test", tmp_path)[0]
    assert problems_of("fivek:train", tmp_path) == []


@pytest.mark.parametrize("text", ["lol-v2-real:test", "lsrw:test", "fivek-e:test"])
def test_a_published_test_part_that_is_not_whole_is_told(text, tmp_path):
    files, wanted = LAYOUTS[text]
    lay(tmp_path, files)
    assert problems_of(text, tmp_path) == []
    (tmp_path / files[0]).unlink()
    lonely, counted = problems_of(text, tmp_path)
    assert "without a partner" in lonely
    assert f"holds {len(wanted) - 1} pairs; expected the {len(wanted)} of " in counted


def test_the_synthetic_part_of_lol_v2_is_counted_too(tmp_path):
    lay(tmp_path, ["Synthetic/Test/Low/r1t.png", "Synthetic/Test/Normal/r1t.png"])
    (told,) = problems_of("lol-v2-synthetic:test", tmp_path)
    assert told.endswith("holds 1 pairs; expected the 100 of LOL version 2")


def test_a_set_that_is_not_there_is_told_from_one_that_cannot_be_used(tmp_path):
    for text in ("lol-v1", "lsrw", "synthetic:Kodak24", "sice", "reside-beta", "unpaired:b"):
        dataset, split = parse_dataset(text)
        with pytest.raises(NothingThere, match=f"See: daybreak data where {dataset.card.name}"):
            dataset.find(tmp_path, split)
    lay(tmp_path, ["eval15/low/1.png", "eval15/high/2.png"])
    with pytest.raises(DataError, match="nothing of lol-v1:test can be used") as raised:
        get_dataset("lol-v1").find(tmp_path)
    assert not isinstance(raised.value, NothingThere)


def test_hazy_pictures_and_sequences_without_reference_are_told(tmp_path):
    lay(tmp_path, ["hazy/0009_1_1.jpg", "hazy/0001_1_1.jpg", "clear/0001.jpg"])
    found = get_dataset("reside-beta").find(tmp_path)
    assert [sample.name for sample in found.samples] == ["0001_1_1"]
    assert "0009_1_1.jpg" in str(found.problems[0])
    sice = tmp_path / "sice"
    lay(sice, ["Dataset_Part1/1/1.JPG", "Dataset_Part1/2/1.JPG", "Dataset_Part1/Label/1.JPG"])
    found = get_dataset("sice").find(sice, "all")
    assert [sample.name for sample in found.samples] == ["1/1/1"]
    assert len(found.problems) == 2
    assert "no label" in str(found.problems[0])
    assert "no Dataset_Part2" in str(found.problems[1])


def test_two_folders_that_could_both_be_meant(tmp_path):
    for copy in ("one", "two"):
        lay(tmp_path, [f"{copy}/{file}" for file in LAYOUTS["lol-v1:test"][0]])
    with pytest.raises(DataError, match=r"both 'eval15/low'.*Name its folder"):
        get_dataset("lol-v1").find(tmp_path)


def test_several_pairs_of_folders_are_not_mixed_up(tmp_path):
    lay(tmp_path, ["x/low/1.png", "x/high/1.png", "y/low/1.png", "y/high/1.png"])
    with pytest.raises(DataError, match="holds 2 pairs of folders"):
        get_dataset("paired").find(tmp_path)
    assert len(get_dataset("paired").samples(tmp_path / "y")) == 1


def test_no_name_in_common(tmp_path):
    lay(tmp_path, ["low/1.png", "high/2.png"])
    with pytest.raises(DataError, match=r"nothing of paired:all can be used: 1\.png in .*without a partner"):
        get_dataset("paired").find(tmp_path)


def test_what_the_sides_add_to_their_names_is_taken_off_only_where_needed(tmp_path):
    lay(tmp_path, ["a/low/low1.png", "a/high/normal1.png", "b/low/low1.png", "b/high/low1.png"])
    assert [s.name for s in get_dataset("paired").samples(tmp_path / "a")] == ["1"]
    assert [s.name for s in get_dataset("paired").samples(tmp_path / "b")] == ["low1"]


def test_names_and_splits():
    assert get_dataset("lol-v1").card.name == "lol-v1"
    assert parse_dataset("lol-v1")[1] == "test"
    assert parse_dataset("brightening")[1] == "train"
    assert parse_dataset("synthetic:C:/photos")[0].card.name == "synthetic:C:/photos"
    assert list_datasets("fivek*")[0] == "fivek"
    with pytest.raises(UnknownName, match="Did you mean lol-v1"):
        get_dataset("lol-v")
    with pytest.raises(UnknownName, match="split of lol-v1 named 'tets'"):
        parse_dataset("lol-v1:tets")
    with pytest.raises(UnknownName, match="data set"):
        get_dataset("synthetic:")


@pytest.mark.parametrize(("first", "second"), [(7, 3), (3, 7), (1, 1), (6, 3)])
def test_partners_are_shuffled_by_the_seed_and_used_evenly(first, second):
    ours, others = (
        [Sample(f"{side}{i}", None) for i in range(n)] for side, n in (("a", first), ("b", second))
    )
    mixed = shuffled_partners(ours, others, seed=3)
    assert [one for one, _ in mixed] == ours
    assert mixed == shuffled_partners(ours, others, seed=3)
    used = [sum(other is sample for _, other in mixed) for sample in others]
    assert max(used) - min(used) <= 1
    if first > 5:
        assert any(shuffled_partners(ours, others, seed) != mixed for seed in range(5))


def test_nothing_to_shuffle():
    with pytest.raises(DataError, match="at least one of each"):
        shuffled_partners([Sample("a", None)], [], seed=0)
