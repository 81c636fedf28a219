"""Evidence: the same bits at any number of threads, and a manifest that tells what differs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from daybreak.enhancing.batch import Output, enhance_bytes, run_batch
from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.environment import COMPILED
from daybreak.enhancing.evidence import check_repeatable
from daybreak.enhancing.manifest import append_entry, placed, read_manifests
from daybreak.enhancing.plan import plan
from daybreak.enhancing.report import write_evidence
from daybreak.enhancing.verify import difference, verify_entry
from daybreak.errors import BadSetting, PictureTooLarge
from daybreak.image.photo import Photo
from daybreak.image.read import MAX_PIXELS, read_photo, read_record
from daybreak.image.write import encode_photo
from daybreak.methods import every_method
from daybreak.native import compiled, left_out, made_of

# Code that other settings than the defaults lead to, where it works in several threads.
VARIANTS = [("lime", {"solver": "exact"}), ("lime", {"denoise": "nlm"}), ("gamma", {"mode": "auto"})]


def dark(height: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    ramp = np.linspace(0.02, 0.35, height * width, dtype=np.float32).reshape(height, width, 1)
    noise = rng.normal(0, 0.01, (height, width, 3)).astype(np.float32)
    return np.clip(ramp * np.array([1.0, 0.8, 0.6], np.float32) + noise, 0, 1)


def png(height: int = 20, width: int = 30, bits: int = 8) -> bytes:
    return encode_photo(Photo.from_pixels(dark(height, width), bit_depth=bits), "png")


@pytest.fixture
def two_thread_counts():
    before = cv2.getNumThreads()
    yield (1, 3)
    cv2.setNumThreads(before)


def at_each(counts, data, enhancer):
    """The results at several thread counts: a set of one where they are equal bit for bit."""
    made = set()
    for threads in counts:
        cv2.setNumThreads(threads)
        made.add(enhance_bytes(data, enhancer, Output(), Path("a.png"), None)[0])
    return made


@pytest.mark.parametrize("name", [method.card.name for method in every_method()])
def test_every_method_gives_the_same_bits_at_any_number_of_threads(name, two_thread_counts):
    data = png(600, 40)  # higher than a tile and several bands
    for amount in ({}, {"strength": 0.7}):
        assert len(at_each(two_thread_counts, data, Enhancer(name, **amount))) == 1
    assert len(at_each(two_thread_counts, png(300, 40, bits=16), Enhancer(name, exposure=1.0))) == 1


@pytest.mark.parametrize(("name", "settings"), VARIANTS)
def test_other_settings_give_the_same_bits_too(name, settings, two_thread_counts):
    assert len(at_each(two_thread_counts, png(150, 40), Enhancer(name, **settings))) == 1


@pytest.mark.parametrize("format", ["avif", "heif"])
def test_formats_whose_bytes_depend_on_the_cores_are_refused(format):
    with pytest.raises(BadSetting, match="--format png"):
        check_repeatable(Enhancer("gamma"), format)


def test_a_package_from_elsewhere_is_refused():
    with pytest.raises(BadSetting, match="cannot vouch"):
        check_repeatable(Enhancer("lime", denoise="bm3d"), "png")
    check_repeatable(Enhancer("lime", denoise="nlm"), "png")


@pytest.fixture
def made(tmp_path):
    """A picture, its result and the manifest of both, as JSON that a test may change."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in/night.png").write_bytes(png())
    return Made(tmp_path, Enhancer("gamma", strength=0.9))


class Made:
    def __init__(self, folder: Path, enhancer: Enhancer) -> None:
        self.source, self.target = folder / "in/night.png", folder / "out/night_daybreak.png"
        self.manifest = folder / "out/evidence.json"
        jobs = plan([str(self.source)], output=folder / "out")
        results = list(run_batch(jobs, enhancer, Output(evidence=True)))
        assert [result.error for result in results] == [""]
        write_evidence(results, self.manifest, complete=True)
        self.entry = read_manifests(self.manifest)[0].entries[0]

    def changed(self, **changes):
        """The entry as it would read if somebody had changed it: section -> what differs there."""
        told = self.entry.model_dump()
        for section, values in changes.items():
            told[section] = {**told[section], **values}
        return type(self.entry)(**told)

    def findings(self, entry=None, **limit):
        return "; ".join(verify_entry(entry or self.entry, self.manifest.parent, **limit).findings)


def test_what_nobody_touched_is_confirmed(made):
    verdict = verify_entry(made.entry, made.manifest.parent)
    assert verdict.confirmed
    assert not verdict.remarks
    assert made.entry.input.path == "../in/night.png"
    assert [step["operation"] for step in made.entry.operations] == [
        *("read", "orient", "to sRGB", "method", "strength", "from sRGB", "quantise", "encode"),
    ]


@pytest.fixture
def low_limit(monkeypatch):
    """100 pixels where nobody says how many may be read: a picture over the usual limit takes gigabytes."""
    *others, most = Output.__init__.__defaults__
    assert most == MAX_PIXELS
    monkeypatch.setattr(Output.__init__, "__defaults__", (*others, 100))
    monkeypatch.setitem(read_photo.__kwdefaults__, "max_pixels", 100)
    monkeypatch.setattr(verify_entry, "__defaults__", (100,))


def test_what_was_made_of_more_pixels_than_usual_is_read_when_allowed(made, low_limit):
    with pytest.raises(PictureTooLarge):
        read_photo(made.source)
    told = made.findings()
    assert "cannot be made again: " in told
    assert "claims 30x20 pixels" in told
    assert "Type --max-pixels MILLIONS if you trust" in told
    assert made.findings(max_pixels=600) == ""
    made.target.write_bytes(encode_photo(Photo.from_pixels(dark(20, 30), bit_depth=8), "png"))
    assert "in 600 of 600 pixels" in made.findings(max_pixels=600)
    made.target.write_bytes(png(40, 30))
    assert "it is no readable picture any more" in made.findings(max_pixels=600)


def test_a_rerun_shows_what_was_made_of_more_pixels_than_usual(made, low_limit):
    job = plan([str(made.source)], output=made.target.parent)
    (again,) = run_batch(job, Enhancer("gamma", strength=0.9), Output(preview=8, max_pixels=600))
    assert (again.error, again.state) == ("", "done before")
    assert again.before.shape == again.after.shape == (5, 8, 3)


def test_a_moved_folder_is_confirmed(made, tmp_path):
    tmp_path.joinpath("in").rename(tmp_path / "moved")
    tmp_path.joinpath("moved").rename(tmp_path / "in")
    elsewhere = tmp_path.with_name(tmp_path.name + "-elsewhere")
    tmp_path.rename(elsewhere)
    assert verify_entry(made.entry, elsewhere / "out").confirmed


@pytest.mark.parametrize("name", [b"two\nlines.png", b"no \xff utf-8.png", "夜.png".encode()])
def test_odd_names_are_confirmed(name, made, tmp_path):
    odd = tmp_path / "in" / os.fsdecode(name)
    made.source.rename(odd)
    (tmp_path / "in/bad.png").write_bytes(b"")
    jobs = plan([str(tmp_path / "in")], output=tmp_path / "odd")
    results = list(run_batch(jobs, Enhancer("gamma"), Output(evidence=True)))
    write_evidence(results, tmp_path / "odd.json", complete=True)
    (manifest,) = read_manifests(tmp_path / "odd.json")
    assert verify_entry(manifest.entries[0], tmp_path).confirmed
    assert manifest.failed[0].path == "in/bad.png"


def test_a_retouched_output_is_told_by_levels_and_pixels(made):
    photo = read_photo(made.target)
    levels = photo.stored.whole.copy()
    levels[3:5, 7:10] -= 9
    made.target.write_bytes(encode_photo(Photo.from_pixels(levels / np.float32(255), bit_depth=8), "png"))
    told = made.findings()
    assert "the output was changed: its SHA-256 was" in told
    assert "pixels differ by at most 9 levels of 255, in 6 of 600 pixels" in told


def test_other_metadata_with_the_same_pixels_is_told_as_that(made):
    photo = read_photo(made.target)
    made.target.write_bytes(encode_photo(Photo.from_pixels(photo.pixels, bit_depth=8), "png"))
    told = made.findings()
    assert "the output was changed" in told
    assert "every pixel is the same" in told


def test_a_changed_or_missing_input_is_told(made):
    made.source.write_bytes(png(21, 30))
    assert "the input was changed" in made.findings()
    assert "could not be made again" in made.findings()
    made.source.unlink()
    assert "the input cannot be read" in made.findings()


def test_a_missing_output_is_told(made):
    made.target.unlink()
    assert "the output cannot be read" in made.findings()


@pytest.mark.parametrize("path", ["/dev/zero", "."])
def test_a_manifest_cannot_make_it_read_for_ever(path, made):
    assert "the output cannot be read" in made.findings(made.changed(output={"path": path}))


def test_another_version_with_the_same_bits_is_a_remark(made):
    verdict = verify_entry(made.changed(environment={"numpy": "1.26.0"}), made.manifest.parent)
    assert verdict.confirmed
    assert verdict.remarks == (f"numpy was 1.26.0 and is {np.__version__}",)


def test_what_was_made_without_the_compiled_part_is_made_again_without(tmp_path):
    source, folder = tmp_path / "night.png", tmp_path / "out"
    source.write_bytes(png(120, 160, bits=16))
    with left_out():
        jobs = plan([str(source)], output=folder)
        results = list(run_batch(jobs, Enhancer("daybreak"), Output(evidence=True)))
    write_evidence(results, tmp_path / "out.json", complete=True)
    (manifest,) = read_manifests(tmp_path / "out.json")
    told = manifest.entries[0].model_dump()
    told["environment"][COMPILED] = ""
    verdict = verify_entry(type(manifest.entries[0])(**told), tmp_path)
    assert verdict.confirmed
    if compiled():
        assert verdict.remarks == (f"{COMPILED} was not there and is {made_of()}",)


def test_another_version_is_named_among_the_reasons_where_something_differs(made):
    made.target.write_bytes(png())
    assert "opencv was 4.9.0 and is" in made.findings(made.changed(environment={"opencv": "4.9.0"}))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"asked": {"strength": 0.8}}, "made again, the result has other bytes than the manifest says"),
        ({"asked": {"method": "gama"}}, "there is no method named 'gama'. Did you mean gamma"),
        ({"asked": {"settings": {"gamma": 99}}}, "cannot be made again"),
        ({"asked": {"format": "avif"}}, "evidence in AVIF"),
        ({"ran": {"weights_sha256": "ab" * 32}}, "the weights differ"),
        ({"ran": {"note": "lit"}}, "another method, other settings or another choice"),
        ({"output": {"sha256": "ab" * 32}}, "the output was changed"),
    ],
)
def test_a_changed_manifest_is_told(made, changes, told):
    assert told in made.findings(made.changed(**changes))


def test_a_changed_list_of_operations_is_told(made):
    entry = made.changed()
    entry.operations[3]["settings"] = {"gamma": 1.0}
    assert "number 4 (method) differs in settings" in made.findings(entry)
    entry.operations.pop()
    assert "operations are not those of now" in made.findings(entry)


def test_of_a_well_lit_picture_the_copy_is_evidence(tmp_path):
    (tmp_path / "in").mkdir()
    lit = Photo.from_pixels(np.full((12, 16, 3), 0.7, np.float32), bit_depth=8)
    (tmp_path / "in/night.png").write_bytes(encode_photo(lit, "png"))
    made = Made(tmp_path, Enhancer())
    assert made.entry.operations[-1]["operation"] == "copy"
    assert not made.findings()


def test_evidence_takes_no_results_word_for_how_it_was_made(made):
    job = plan([str(made.source)], output=made.target.parent)
    (again,) = run_batch(job, Enhancer("gamma", strength=0.9), Output(evidence=True))
    assert again.state == "done before"
    assert again.evidence.output.sha256 == made.entry.output.sha256
    photo = read_photo(made.target)
    # the record of daybreak still fits, the pixels do not
    retouched = photo.with_pixels(np.clip(photo.pixels + np.float32(0.1), 0, 1))
    made.target.write_bytes(encode_photo(retouched, "png", record=read_record(made.target)))
    (plain,) = run_batch(job, Enhancer("gamma", strength=0.9), Output())
    assert plain.state == "done before"
    (strict,) = run_batch(job, Enhancer("gamma", strength=0.9), Output(evidence=True))
    assert "is not what was made now, bit for bit" in strict.error


def test_sizes_and_unreadable_files_have_words():
    assert difference(png(20, 30), png(10, 30)) == "30x20 pixels against 30x10"
    assert "no readable picture any more" in difference(b"nothing", png())


def test_lines_are_added_and_a_cut_one_spoils_none(made, tmp_path):
    lines = tmp_path / "watch.jsonl"
    entry = placed(made.entry, made.source, made.target, lines)
    append_entry(lines, entry)
    whole = lines.read_bytes()
    lines.write_bytes(whole + whole[: len(whole) // 2])
    append_entry(lines, entry)
    manifests = read_manifests(lines)
    assert [len(manifest.entries) for manifest in manifests] == [1, 0, 1]
    assert manifests[1].failed[0].path == "line 2"
    assert verify_entry(manifests[2].entries[0], tmp_path).confirmed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "milk",
        "[]",
        "{}",
        '{"entries": [], "kind": "another"}',
        '{"kind": "daybreak evidence", "version": 2}',
        '{"kind": "daybreak evidence", "more": 1}',
        '{"kind": "daybreak evidence", "entries": [{}]}',
        '{"kind": "daybreak evidence", "failed": [{"path": "\\u0000", "error": ""}]}',
        '{"kind": "daybreak evidence", "failed": [{"path": 1, "error": ""}]}',
        "[" * 10_000,
        '"\\ud800"',
    ],
)
def test_what_is_no_manifest_is_refused(text, tmp_path):
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(BadSetting, match="no manifest"):
        read_manifests(tmp_path / "m.json")


def test_the_manifest_is_plain_ascii_json(made):
    assert json.loads(made.manifest.read_bytes().decode("ascii"))["kind"] == "daybreak evidence"
