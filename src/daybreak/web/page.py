"""The page itself: its parts, and which button does what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import gradio as gr

from daybreak.errors import DaybreakError
from daybreak.image.formats import FORMATS
from daybreak.methods.registry import every_method, get_method, list_methods
from daybreak.serving.asking import Wish
from daybreak.stopping import Stopped
from daybreak.web.actions import PREVIEW_SECONDS, Actions
from daybreak.web.controls import Setting, bounds, chosen, controls_of
from daybreak.web.show import EMPTY, comparison, histogram, side_by_side
from daybreak.web.visits import Overtaken, Visits

_WISH = Wish.model_json_schema()["properties"]
_SUFFIXES = [suffix for format in FORMATS.values() for suffix in format.suffixes]
SHARED = "pictures"  # one queue for work on pixels: as many at the same time as the server has workers
WHOLE = "films"  # one for work that takes hours, one film at a time: no picture waits for one to end
_PROGRESS = gr.Progress()  # as a default it tells Gradio to hand over the progress of a call
_FILMS = [".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mts", ".mpg"]


@dataclass(frozen=True)
class Asking:
    """The controls that say what to do, in the order in which their values come.

    Attributes:
        method, strength, exposed, exposure, format, quality, depth: see `Wish`; `exposed` chooses exposure
            instead of strength.
        settings: those of every method; only those of the chosen one are seen.
    """

    method: gr.Dropdown
    strength: gr.Slider
    exposed: gr.Checkbox
    exposure: gr.Slider
    format: gr.Dropdown
    quality: gr.Textbox
    depth: gr.Dropdown
    settings: list[Setting]

    @property
    def controls(self) -> list[Any]:
        """All of them."""
        own = [self.method, self.strength, self.exposed, self.exposure, self.format, self.quality, self.depth]
        return [*own, *(setting.control for setting in self.settings)]

    def words(self, *values: Any) -> dict[str, str]:
        """What the controls show as the words of a request."""
        method, strength, exposed, exposure, format, quality, depth, *rest = values
        words = {"method": method, "format": format, "bit_depth": depth}
        words |= {"exposure": str(exposure)} if exposed else {"strength": str(strength)}
        if (quality or "").strip():
            words["quality"] = quality.strip()
        return words | chosen(self.settings, tuple(rest), method)


def build(actions: Actions) -> gr.Blocks:
    """The page.

    Args:
        actions: what its buttons do.
    """
    page = gr.Blocks(title="daybreak", analytics_enabled=False, delete_cache=(600, 3600))
    visits = Visits()

    def leave(visit: gr.Request) -> None:
        visits.leave(str(visit.session_hash))

    with page:
        gr.Markdown("# daybreak\nTurns dark pictures into clear ones. They stay on this server.")
        with gr.Row():
            with gr.Column(scale=1, min_width=300, elem_id="asking"):
                asking = _asking()
            with gr.Column(scale=2, min_width=300):
                with gr.Tab("Pictures"):
                    files = _pictures(asking, actions, visits)
                with gr.Tab("Compare methods"):
                    _compare(files, actions, visits)
                if find_spec("av"):
                    with gr.Tab("Video"):
                        _video(asking, actions, visits)
        page.unload(leave)
    return page


def _asking() -> Asking:
    """Method, amount, its settings, and how results are written."""
    method = gr.Dropdown(list_methods(), value="auto", label="Method", info=get_method("auto").card.summary)
    rule = _WISH["strength"]
    strength = gr.Slider(*_range(rule), value=1.0, step=0.05, label="Strength", info=rule["description"])
    exposed = gr.Checkbox(False, label="Reach an exposure instead")
    rule = _WISH["exposure"]["anyOf"][0]
    exposure = gr.Slider(*_range(rule), value=1.0, step=0.1, label="Exposure (EV)", visible=False,
                         info="Stops brighter (or darker) than the picture.")  # fmt: skip
    settings: list[Setting] = []
    groups: list[gr.Column] = []
    there = every_method()  # weights of one's own may come and go
    with _closed("Settings of the method"):
        for known in there:
            with gr.Column(visible=known.card.name == "auto") as group:
                own = controls_of(known.card)
                if not own:
                    gr.Markdown(f"{known.card.name} has nothing to set.")
            settings += own
            groups.append(group)
    with _closed("Result"):
        format = gr.Dropdown(_WISH["format"]["enum"], value="keep", label="Format")
        quality = gr.Textbox(  # an empty Number turns into 0 as it is shown
            "", label="Quality, 1 to 100", info="For JPEG, WebP and AVIF; empty: the usual one.", max_lines=1
        )
        depth = gr.Dropdown(_WISH["bit_depth"]["enum"], value="keep", label="Bits a channel")

    def show(name: str) -> list[Any]:
        return [
            gr.Dropdown(info=get_method(name).card.summary),
            *(gr.Column(visible=known.card.name == name) for known in there),
        ]

    method.change(show, method, [method, *groups], show_progress="hidden", api_visibility="private")
    exposed.change(
        lambda on: (gr.Slider(visible=not on), gr.Slider(visible=on)),
        exposed, [strength, exposure], show_progress="hidden", api_visibility="private",
    )  # fmt: skip
    return Asking(method, strength, exposed, exposure, format, quality, depth, settings)


def _closed(label: str) -> gr.Accordion:
    """A part of the page that is closed at first, with its controls made at once.

    With `open=False` they are made when it is opened, and a frame later Gradio puts their first values into
    them once more: over what was typed until then.
    """
    return gr.Accordion(label, open=0)  # type: ignore[arg-type]  # closed, and not the False that puts it off


def _range(rule: dict[str, Any]) -> tuple[float, float]:
    low, high = bounds(rule)
    assert low is not None
    assert high is not None
    return low, high


def _pictures(asking: Asking, actions: Actions, visits: Visits) -> gr.File:
    """Upload, enhance, look, download."""
    files = gr.File(
        file_count="multiple", file_types=["image", *_SUFFIXES], elem_id="pictures", height=140,
        label="Pictures: drop, paste or choose one or many",
    )  # fmt: skip
    button = gr.Button("Enhance", variant="primary", elem_id="enhance")
    download = gr.DownloadButton("Download", interactive=False, elem_id="download")
    told = gr.Textbox(label="What was done", lines=2, max_lines=8, interactive=False)
    shown = gr.HTML(EMPTY, apply_default_css=False, js_on_load=None)
    curves = gr.HTML("", apply_default_css=False, js_on_load=None)

    def enhance(
        visit: gr.Request,
        chosen_files: list[str] | None,
        *values: Any,
        progress: gr.Progress = _PROGRESS,
    ) -> Any:
        def work() -> Any:
            done = actions.enhance(chosen_files or [], asking.words(*values), progress)
            return (
                gr.DownloadButton(f"Download {done.file.name}", value=str(done.file), interactive=True),
                done.words,
                comparison(done.pictures, "-enhanced") if done.pictures else EMPTY,
                histogram(done.pictures),
            )

        return _told(visits, visit, work, "pictures")

    def again(visit: gr.Request, chosen_files: list[str] | None, *values: Any) -> Any:
        alone = len(chosen_files or []) == 1  # none is no fault, and many take long
        return enhance(visit, chosen_files, *values) if alone else gr.skip()

    released = [asking.strength.release, asking.exposure.release]
    for triggers, work in (([button.click], enhance), (released, again)):
        gr.on(
            triggers, work, [files, *asking.controls], [download, told, shown, curves],
            show_progress_on=told, trigger_mode="always_last", api_visibility="private",
            concurrency_id=SHARED,
        )  # fmt: skip
    return files


def _compare(files: gr.File, actions: Actions, visits: Visits) -> None:
    """The first picture through several methods."""
    names = gr.CheckboxGroup(
        list_methods(), value=["auto", "crm", "daybreak"], label="Methods, each with its defaults"
    )
    button = gr.Button("Compare on the first picture", variant="primary", elem_id="compare")
    shown = gr.HTML(EMPTY, apply_default_css=False, js_on_load=None)
    curves = gr.HTML("", apply_default_css=False, js_on_load=None)

    def compare(visit: gr.Request, chosen_files: list[str] | None, methods: list[str]) -> tuple[str, str]:
        pictures = _told(visits, visit, lambda: actions.compare(chosen_files or [], methods))
        return comparison(pictures, "-compared") + side_by_side(pictures), histogram(pictures)

    button.click(compare, [files, names], [shown, curves], api_visibility="private", concurrency_id=SHARED)


def _video(asking: Asking, actions: Actions, visits: Visits) -> None:
    """A film: ten seconds to look at, then all of it."""
    film = gr.File(
        file_types=["video", *_FILMS], elem_id="film", height=140, label="Video: drop or choose one"
    )
    with gr.Row():
        short = gr.Button(f"Preview {PREVIEW_SECONDS:g} seconds", elem_id="preview")
        whole = gr.Button("Enhance all of it", variant="primary", elem_id="whole")
    download = gr.DownloadButton("Download", interactive=False, elem_id="download-film")
    shown = gr.Video(label="Result", interactive=False, elem_id="result", buttons=[])

    def run(all_of_it: bool) -> Callable[..., Any]:
        def work(
            visit: gr.Request,
            file: str | None,
            *values: Any,
            progress: gr.Progress = _PROGRESS,
        ) -> Any:
            words = asking.words(*values)
            words |= {"format": "keep", "bit_depth": "keep"}
            made = _told(visits, visit, lambda: actions.video(file, words, progress, whole=all_of_it))
            button = gr.DownloadButton(f"Download {made.name}", value=str(made), interactive=True)
            long = all_of_it and made.suffix != ".mp4"  # Gradio would make an MP4 of it first, to show it
            return button, None if long else str(made)

        return work

    for button, all_of_it in ((short, False), (whole, True)):
        button.click(
            run(all_of_it), [film, *asking.controls], [download, shown],
            show_progress_on=shown, api_visibility="private",
            concurrency_id=WHOLE if all_of_it else SHARED, concurrency_limit=1 if all_of_it else "default",
        )  # fmt: skip


def _told(visits: Visits, visit: gr.Request, work: Callable[[], Any], place: str = "") -> Any:
    """What the work gives, and no change where newer work for that place has begun.

    What is wrong is told on the page, in the library's own words.
    """
    try:
        with visits.work(str(visit.session_hash), place):
            return work()
    except Overtaken:
        return gr.skip()
    except Stopped:
        told = "Stopped, for the page was closed, loaded anew or its connection was lost."
        raise gr.Error(told, print_exception=False) from None
    except DaybreakError as error:
        raise gr.Error(str(error), duration=None, print_exception=False) from None
    except MemoryError:
        raise gr.Error("There is not enough memory for this picture now.", print_exception=False) from None
