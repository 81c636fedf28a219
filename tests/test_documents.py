"""Documents take no other file's place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from daybreak.cli.main import run
from daybreak.documents import check_document
from daybreak.enhancing.gallery import write_gallery
from daybreak.enhancing.page import check_page_path
from daybreak.errors import BadSetting
from daybreak.evaluation.plots import check_plot_path, new_figure, save_figure


def test_a_new_name_an_empty_file_and_an_older_document_may_be_written(tmp_path):
    path = tmp_path / "new" / "d.json"
    check_document(path, (".json",), "mark")
    for text in ("", "mark", "mark" + 9000 * " ", 9000 * " " + "mark", 3000 * " " + "mark" + 3000 * " "):
        path.write_text(text)
        check_document(path, (".json",), "mark")
        assert path.read_text() == text


@pytest.mark.parametrize("text", ["kept", 9000 * " " + "mark" + 9000 * " "])
def test_another_file_is_not_replaced(tmp_path, text):
    path = tmp_path / "d.json"
    path.write_text(text)
    with pytest.raises(BadSetting, match=r"d\.json is another file, which would be lost"):
        check_document(path, (".json",), "mark")


def test_other_names_and_folders_are_refused(tmp_path):
    with pytest.raises(BadSetting, match=r"expected a name that ends in \.html, \.htm"):
        check_document(tmp_path / "photo.jpg", (".html", ".htm"), "mark")
    (tmp_path / "d.json").mkdir()
    with pytest.raises(BadSetting, match="is a folder"):
        check_document(tmp_path / "d.json", (".json",), "mark")


def test_a_page_is_replaced_by_a_page(tmp_path):
    page = tmp_path / "page.html"
    write_gallery([], page, "One")
    write_gallery([], page, "Two")
    assert "<h1>Two" in page.read_text()
    page.write_text("<!doctype html><title>My site</title>")
    with pytest.raises(BadSetting, match="another file"):
        check_page_path(page)


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_a_plot_is_replaced_by_a_plot_and_a_picture_by_none(tmp_path, ending):
    pytest.importorskip("matplotlib")
    path = tmp_path / f"plot.{ending}"
    figure = new_figure(2.0, 2.0)
    figure.subplots().plot(np.arange(3))
    save_figure(figure, path)
    check_plot_path(path)
    path.write_bytes(path.read_bytes().replace(b"plotted by daybreak", b"drawn by somebody.."))
    with pytest.raises(BadSetting, match="another file"):
        check_plot_path(path)


@pytest.mark.parametrize(
    "line",
    [
        ("enhance", "a.png", "-o", "out", "-m", "gamma", "--report", "notes.json"),
        ("evaluate", "-m", "gamma", "-d", "synthetic:x", "--root", ".", "--json", "notes.json"),
        ("data", "check", ".", "--json", "notes.json"),
        ("benchmark", "--json", "notes.json"),
    ],
    ids=lambda line: line[0],
)
def test_every_command_looks_before_it_works(tmp_path, monkeypatch, capsys, line):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save("a.png")
    Path("notes.json").write_text('{"mine": 1}')
    assert run(list(line)) == 2
    told = "notes.json is another file, which would be lost; expected a name of its own"
    assert told in capsys.readouterr().err
    assert Path("notes.json").read_text() == '{"mine": 1}'
    assert not Path("out").exists()
