"""From the tallies of a run to the rows of a results file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from daybreak.evaluation.leaks import leaks
from daybreak.evaluation.pictures import PictureList
from daybreak.evaluation.protocol import Column
from daybreak.evaluation.results import Row, Score
from daybreak.evaluation.subjects import Subject
from daybreak.metrics import get_metric
from daybreak.weights import WeightCard, find_weight, list_weights


@dataclass
class Tally:
    """What was found of one subject so far.

    Attributes:
        scores: column, still without its list of pictures -> picture -> score.
        seconds: picture -> what its enhancement took.
        weights: SHA-256 of the networks that ran, as keys.
    """

    scores: dict[Column, dict[str, float]]
    seconds: dict[str, float] = field(default_factory=dict)
    weights: dict[str, None] = field(default_factory=dict)

    def forget(self, picture: str) -> None:
        """Take back all that was found of a picture."""
        for found in (self.seconds, *self.scores.values()):
            found.pop(picture, None)


def make_row(
    subject: Subject,
    tally: Tally,
    images: str,
    pictures: PictureList,
    recognised: Mapping[str, int] = MappingProxyType({}),
) -> Row:
    """The row of a results file.

    Args:
        subject, tally: what was scored and what was found.
        images: sha256 of the list, which was not known before its last picture.
        pictures: the list, whose card tells of known leaks.
        recognised: "DATASET:SPLIT" -> how many of the pictures are of it, whatever the list is called.
    """
    cards = [card for sha256 in tally.weights if (card := card_of(sha256)) is not None]
    alone = cards[0] if len(cards) == 1 else None
    warnings = [
        warning
        for card in cards
        for warning in leaks(card.training_data, pictures.card, pictures.split, recognised)
    ]
    scores = []
    for column, each in tally.scores.items():
        metric = get_metric(column.metric)
        placed = replace(column, protocol=replace(column.protocol, images=images))
        scores.append(Score(column=placed, better=metric.better, unit=metric.unit, each=each))
    return Row(
        name=subject.name,
        kind=subject.kind,
        method=subject.method,
        settings=dict(subject.settings),
        weights_sha256=tuple(tally.weights),
        parameters=alone.parameters if alone else None,
        macs_per_pixel=alone.macs_per_pixel if alone else None,
        leak="; ".join(dict.fromkeys(warnings)),
        seconds=tally.seconds,
        scores=tuple(scores),
    )


def card_of(weights_sha256: str) -> WeightCard | None:
    """The card of a shipped weight by its `WeightCard.sha256`, or None."""
    cards = (find_weight(name).card for name in list_weights())
    return next((card for card in cards if card.sha256 == weights_sha256), None)
