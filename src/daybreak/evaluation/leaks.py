"""Whether a network has seen what it is scored on, as far as the cards of data set and weight tell."""

from __future__ import annotations

from collections.abc import Mapping

from daybreak.data.base import Card
from daybreak.data.registry import parse_dataset


def leak(training_data: str, card: Card, split: str) -> str:
    """Why the numbers of a weight on a split are too good, in a sentence; "" where nothing is known.

    A row that a leak touches is shown with the sentence and is never called the best.

    Args:
        training_data: as on the weight's card; names the splits that it was trained on.
        card, split: of the data set that it is scored on.
    """
    for known in card.leaks:
        dataset, _, part = known.source.partition(":")
        if part not in training_data:
            continue
        if split == known.split:
            return known.told
        if dataset == card.name and split in (part, "train"):
            return f"It was trained on pictures of {card.name}:{split}."
    return ""


def leaks(training_data: str, card: Card, split: str, recognised: Mapping[str, int]) -> list[str]:
    """Every such sentence, also where the pictures of a known set lie in a folder or a pack of another name.

    Args:
        training_data, card, split: as for `leak`.
        recognised: "DATASET:SPLIT" -> how many of the pictures are of it, from `daybreak.data.recognise`.
    """
    told = [leak(training_data, card, split)]
    for name, count in recognised.items():
        dataset, part = parse_dataset(name)
        if dataset.card.name != card.name:
            found = leak(training_data, dataset.card, part)
            told.append(found and f"{count} of these pictures are of {name}. {found}")
    return [sentence for sentence in told if sentence]
