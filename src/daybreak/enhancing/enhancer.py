"""`Enhancer`: a method, its settings and its amount, made once and run on many pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from daybreak.enhancing.amount import blend, check_amount, enlarged, expose
from daybreak.enhancing.arrays import adapt
from daybreak.enhancing.bands import enhance_levels
from daybreak.enhancing.record import asked, done
from daybreak.image.photo import Photo
from daybreak.image.rows import Levels, Rows
from daybreak.methods import get_method
from daybreak.methods.base import check_pixels, parse_settings
from daybreak.types import Pixels


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
    """

    rows: Rows
    method: str
    settings: dict[str, Any]
    note: str
    strength: float
    weights_sha256: str

    @property
    def pixels(self) -> Pixels:
        """The result as H×W×3 float32 sRGB in [0, 1]."""
        return self.rows[:]

    @property
    def unchanged(self) -> bool:
        """Whether the picture was left as it is."""
        return not self.method


class Enhancer:
    """Enhance pictures with one method; load once, run many, from any number of threads.

    Args:
        method: a name from `daybreak.list_methods()`; "auto" looks at each picture and decides.
        strength: 0 gives the input back, 1 the method's own result, up to 1.5 goes beyond.
        exposure: brightness to reach instead of a strength: the result's mean linear light ends this many
            stops (EV) above the input's (below it, if negative).
        **settings: of the method, by name; see `daybreak methods NAME`.

    Raises:
        UnknownName: no such method or setting; carries the nearest names.
        BadSetting: a value out of its range, or strength and exposure together.

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
        **settings: Any,
    ) -> None:
        self.method = get_method(method)
        self.settings = parse_settings(self.method.card, settings)
        check_amount(strength, exposure)
        self.strength = strength
        self.exposure = exposure

    def __call__(self, image: Any) -> Any:
        """Enhance one picture and give back the same kind of thing.

        Args:
            image: a path (gives a `Photo`), the bytes of a picture file (gives bytes of the same format), a
                `Photo`, a PIL image, an array H×W, H×W×1, H×W×3 or H×W×4 of uint8, uint16 or float in
                [0, 1], or a torch tensor 3×H×W or N×3×H×W (1 or 4 channels too). RGB, sRGB-encoded.

        Returns:
            The same kind, dtype and number of channels; alpha is kept as it was.

        Raises:
            BadPixels: an array that is no picture, or NaN in it.
            UnreadablePicture: a file that cannot be read.
        """
        pictures, rebuild = adapt(image)
        outcomes = [self.run(pixels) for pixels in pictures]
        return rebuild([outcome.pixels for outcome in outcomes], asked(self) | done(outcomes[0]))

    def photo(self, photo: Photo) -> tuple[Photo, Outcome]:
        """Enhance a photo; what travels beside its pixels stays, and its record tells what was done."""
        outcome = self.run(photo.stored)
        made = photo if outcome.unchanged else photo.with_pixels(outcome.rows)
        return replace(made, record=asked(self) | done(outcome)), outcome

    def run(self, rows: Rows) -> Outcome:
        """Enhance one picture and say what was done; the input stays as it is.

        Args:
            rows: H×W×3, sRGB: float32 in [0, 1], or `Levels`, which a method that can works through in bands
                and gives back as `Levels`.

        Raises:
            BadPixels: another shape or dtype, values outside [0, 1] or NaN.
        """
        if not isinstance(rows, Levels):
            rows = check_pixels(rows)
        method, settings, strength, note = self.method, self.settings, self.strength, ""
        if method.choose is not None:
            choice = method.choose(rows, settings)
            method, note = choice.method, choice.reason
            settings, strength = choice.settings, strength * choice.strength
        if strength == 0.0 and self.exposure is None:
            return Outcome(rows, "", {}, note or "strength 0", 0.0, "")
        result: Rows
        if self.exposure is None and method.prepare is not None and isinstance(rows, Levels):
            result = enhance_levels(rows, method.prepare(rows, settings), strength)
        else:
            pixels, share = rows[:], strength
            if method.strengthen is not None and strength != 1.0:
                settings, share = method.strengthen(pixels, settings, strength), 1.0
            made = method.run(pixels, settings)
            before = enlarged(pixels, made.shape)
            result = (
                blend(before, made, share) if self.exposure is None else expose(before, made, self.exposure)
            )
        card = method.card
        return Outcome(
            result, card.name, settings.model_dump(mode="json"), note, strength, card.weights_sha256
        )
