"""`Enhancer`: a method, its settings and its amount, made once and run on many pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral
from typing import Any

import cv2
import numpy as np

from daybreak.engines.runtime import PrecisionAsked, Runtime
from daybreak.enhancing.amount import Amount, amount_for, check_amount, enlarged, short_of
from daybreak.enhancing.arrays import adapt
from daybreak.enhancing.bands import enhance_levels
from daybreak.enhancing.cutout import put_back, without
from daybreak.enhancing.memory import UNMEASURED, Room, bytes_per_pixel, out_of_memory, parse_memory
from daybreak.enhancing.parts import SMALL
from daybreak.enhancing.record import asked, done
from daybreak.enhancing.tiling import enhance_fitting
from daybreak.errors import BadSetting
from daybreak.image.photo import Photo, clear
from daybreak.image.rows import Levels, Rows
from daybreak.methods import get_method
from daybreak.methods.base import FILM, Method, Settings, check_pixels, parse_settings
from daybreak.types import Array, Pixels


@dataclass(frozen=True)
class Outcome:
    """One picture's result and what was done to get it.

    Attributes:
        rows: the result, H×W×3 float32 sRGB in [0, 1] or `Levels`; the input itself where nothing was done.
        method: the method that ran ("" where the picture was left as it is).
        settings: of the method that ran, as JSON values.
        note: what an automatic method decided ("" for the others).
        strength: the strength that was applied (the user's times the automatic share).
        weights_sha256: of the network that ran ("" for classical methods).
        engine: that ran it, device and precision: "ONNX Runtime cpu fp32" ("" for classical methods).
        reduced: what was made at a reduced size because the picture did not fit into memory ("" as a rule).
        missed: how far the result came where the exposure asked for was not reached ("" as a rule).
    """

    rows: Rows
    method: str
    settings: dict[str, Any]
    note: str
    strength: float
    weights_sha256: str
    engine: str = ""
    reduced: str = ""
    missed: str = ""

    @property
    def pixels(self) -> Pixels:
        """The result as H×W×3 float32 sRGB in [0, 1]."""
        return self.rows[:]

    @property
    def unchanged(self) -> bool:
        """Whether the picture was left as it is."""
        return not self.method


@dataclass(frozen=True)
class Decision:
    """What is to be done to one picture.

    Attributes:
        method, settings: what runs.
        strength: that is told of.
        share: of the result that is mixed with the input; 1 where the settings have the strength in them.
        note: what an automatic method decided.
        nothing: the picture is left as it is.
    """

    method: Method[Any]
    settings: Settings
    strength: float
    share: float
    note: str
    nothing: bool

    def outcome(self, rows: Rows, reduced: str = "") -> Outcome:
        """It done."""
        if self.nothing:
            return Outcome(rows, "", {}, self.note, 0.0, "")
        card, told = self.method.card, self.settings.model_dump(mode="json")
        sha256, engine = card.weights_sha256, self.method.engine
        return Outcome(rows, card.name, told, self.note, self.strength, sha256, engine, reduced)


class Enhancer:
    """Enhance pictures with one method; load once, run many, from any number of threads.

    Args:
        method: a name from `daybreak.list_methods()`; "auto" looks at each picture and decides.
        strength: 0 gives the input back, 1 the method's own result, up to 1.5 goes beyond.
        exposure: brightness to reach instead of a strength: the result's mean linear light ends this many
            stops (EV) above the input's (below it, if negative).
        max_memory: bytes that this process may take, or an amount such as "1GB"; what does not fit is worked
            on in parts, and "auto" gives small pictures what it gives large ones. None: what is free.
        device: where a network runs: "cpu", another of `daybreak.engines.DEVICES`, or "auto" for the fastest.
        precision: that it is computed in: "fp32", "bf16", or "auto" for fp32.
        threads: that one picture may use. OpenCV has one such number, so it holds for the whole process from
            here on. None leaves it as it is.
        **settings: of the method, by name; see `daybreak methods NAME`.

    Raises:
        UnknownName: no such method or setting; carries the nearest names.
        BadSetting: a value out of its range, or strength and exposure together; a device or precision for a
            method that is no network.
        MissingExtra: the engine is not installed.
        EngineError: the device or the precision cannot be had on this machine.

    >>> import numpy as np
    >>> dark = np.full((4, 6, 3), 20, np.uint8)
    >>> Enhancer("gamma", gamma=2.0)(dark)[0, 0].tolist()
    [71, 71, 71]
    """

    def __init__(
        self,
        method: str = "auto",
        *,
        strength: float = 1.0,
        exposure: float | None = None,
        max_memory: int | str | None = None,
        device: str = "cpu",
        precision: PrecisionAsked = "auto",
        threads: int | None = None,
        **settings: Any,
    ) -> None:
        self.runtime, self.threads = Runtime(device, precision), threads
        if not isinstance(method, str):
            raise BadSetting(f"a method {method!r}", "a name from daybreak.list_methods()")
        if threads is not None:
            if not isinstance(threads, Integral) or threads < 1:
                raise BadSetting(f"{threads!r} threads", "a whole number from 1 on")
            cv2.setNumThreads(int(threads))
        self.method = get_method(method).placed(self.runtime)
        self.settings = parse_settings(self.method.card, settings)
        check_amount(strength, exposure)
        self.strength = strength
        self.exposure = exposure
        self.room = Room(parse_memory(max_memory) if isinstance(max_memory, str) else max_memory)

    def maker(self, share: int = 1) -> Callable[[], Enhancer]:
        """What makes such an enhancer anew, in another process too.

        Args:
            share: how many there will be, each with as much less memory.
        """
        return partial(
            Enhancer,
            self.method.card.name,
            strength=self.strength,
            exposure=self.exposure,
            max_memory=self.room.limit // share if self.room.limit else None,
            device=self.runtime.device,
            precision=self.runtime.precision,
            threads=self.threads,
            **self.settings.model_dump(),
        )

    def __reduce__(self) -> tuple[Callable[[], Enhancer], tuple[()]]:
        return self.maker(), ()

    def __call__(self, image: Any) -> Any:
        """Enhance one picture and give back the same kind of thing.

        Args:
            image: a path (gives a `Photo`), the bytes of a picture file (gives bytes of the same format), a
                `Photo`, a PIL image, an array H×W, H×W×1, H×W×3 or H×W×4 of uint8, uint16 or float in
                [0, 1], or a torch tensor 3×H×W or N×3×H×W (1 or 4 channels too). RGB, sRGB-encoded.

        Returns:
            The same kind, dtype and number of channels; alpha is kept as it was, and so are the colours below
            it where it is 0, which count for nothing. Of a file that is left as it is and whose format can be
            written, its own bytes.

        Raises:
            BadPixels: an array that is no picture, or NaN in it.
            UnreadablePicture: a file that cannot be read.
        """
        pictures, rebuild = adapt(image)
        outcomes = [self._seen(pixels, clear(alpha)) for pixels, alpha in pictures]
        results = [
            pixels if outcome.unchanged else outcome.pixels
            for (pixels, _), outcome in zip(pictures, outcomes, strict=True)
        ]
        return rebuild(results, asked(self) | done(outcomes[0]))

    def photo(self, photo: Photo) -> tuple[Photo, Outcome]:
        """Enhance a photo; what travels beside its pixels stays, and its record tells what was done.

        What is fully transparent counts for nothing and stays as it is.
        """
        outcome = self._seen(photo.stored, photo.hidden)
        made = photo if outcome.unchanged else photo.with_pixels(outcome.rows)
        return replace(made, record=asked(self) | done(outcome)), outcome

    def _seen(self, rows: Rows, hidden: Array | None) -> Outcome:
        """`run` on what can be seen of a picture."""
        if hidden is None:
            return self.run(rows)
        outcome = self.run(without(rows, hidden))
        return replace(outcome, rows=rows if outcome.unchanged else put_back(outcome.rows, rows, hidden))

    @property
    def picks_by_memory(self) -> bool:
        """Whether a limit of memory decides which method a small picture gets."""
        return self.method.pick is not None and self.room.limit is not None

    def picked(self, pixels: float) -> Method[Any]:
        """What runs on a picture of so many pixels, or on a `FILM`'s frames, where it is needed.

        With a limit of memory an automatic method gives every picture what it gives a film.
        """
        if self.method.pick is None:
            return self.method
        return self.method.pick(FILM if self.picks_by_memory else pixels)

    def run(self, rows: Rows, size: float | None = None) -> Outcome:
        """Enhance one picture and say what was done; the input stays as it is.

        Args:
            rows: H×W×3, sRGB: float32 in [0, 1], or `Levels`, which a method that can works through in bands
                and gives back as `Levels`.
            size: as for `decide`.

        Raises:
            BadPixels: another shape or dtype, values outside [0, 1] or NaN.
        """
        if not isinstance(rows, Levels):
            rows = check_pixels(rows)
        decision = self.decide(rows, size)
        if decision.nothing:
            return decision.outcome(rows)
        made, reduced = self._enhanced(rows, decision.method, decision.settings, decision.share)
        outcome = decision.outcome(made, reduced)
        if self.exposure is None:
            return outcome
        return replace(outcome, missed=short_of(rows, made, self.exposure))

    def warm_up(self) -> None:
        """Load what the method needs, so that what is left of a limit is known."""
        if self.room.limit is not None and self.method.card.kind == "pretrained":
            self.method.run(np.zeros((1, 1, 3), np.float32), self.settings)

    def decide(self, rows: Rows, size: float | None = None) -> Decision:
        """Which method runs on a picture, with what settings and how much of it.

        Args:
            rows: the picture, or a reduced copy.
            size: how many pixels the picture has; `FILM` for a frame of one. None: as many as `rows`.
        """
        method, settings, strength, note = self.method, self.settings, self.strength, ""
        if method.choose is not None:
            choice = method.choose(rows, settings)
            method = self.picked(rows.shape[0] * rows.shape[1] if size is None else size)
            settings, strength = method.card.settings(), strength * choice.strength
            note = choice.reason
        nothing = strength == 0.0 and self.exposure is None
        if nothing:
            return Decision(method, settings, 0.0, 0.0, note or "strength 0", nothing)
        if method.settle is not None:
            settings = method.settle(rows, settings)
        share = strength
        if method.strengthen is not None and strength != 1.0 and self.exposure is None:
            settings, share = method.strengthen(settings, strength), 1.0
        return Decision(method, settings, strength, share, note, nothing)

    def _enhanced(
        self, rows: Rows, method: Method[Any], settings: Settings, strength: float
    ) -> tuple[Rows, str]:
        """The result, and what was reduced for it."""
        self.warm_up()
        height, width = rows.shape[:2]
        takes = height * width * (bytes_per_pixel(method, self.exposure) or UNMEASURED)
        left = self.room.left()
        local = method.card.context == "local" and method.prepare is None
        tiled = local and self.exposure is None and max(height, width) > SMALL
        if not tiled and (left is None or takes <= left):
            try:
                return self._in_one_piece(rows, method, settings, strength, left), ""
            except Exception as error:
                if not out_of_memory(error):
                    raise
            left = int(takes / 2)  # what was free on paper was not to be had
        return enhance_fitting(rows, method, settings, strength, self.exposure, left)

    def _in_one_piece(
        self, rows: Rows, method: Method[Any], settings: Settings, strength: float, left: int | None
    ) -> Rows:
        """The method run on all of the picture, or band by band where it can."""
        stops = self.exposure
        if stops is None and method.prepare is not None and isinstance(rows, Levels):
            return enhance_levels(rows, method.prepare(rows, settings, None), strength)
        pixels = rows[:]
        if method.card.context == "local" and max(rows.shape[:2]) > SMALL:
            made = enhance_fitting(pixels, method, settings, 1.0, None, left)[0][:]
        else:
            made = method.run(pixels, settings)
        before = enlarged(pixels, made.shape)
        amount = Amount(strength) if stops is None else amount_for(before, made, stops)
        return amount(before, made)
