"""Bringing a published file into the cache, by its URL or from a folder; it arrives whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from daybreak.assets.registry import Asset, get_asset
from daybreak.assets.store import cache_folder, is_right
from daybreak.errors import AssetError

Watch = Callable[[int], None]
"""Told how many bytes have arrived so far."""


def fetch(name: str, from_folder: Path | None = None, watch: Watch = lambda _: None) -> Path:
    """Bring an asset into the cache, unless it is there; a damaged file there is replaced.

    Args:
        name: of the asset.
        from_folder: a folder that holds it under its published file name, for a machine without a
            network; None downloads it.
        watch: told of a download's progress.

    Returns:
        Its path in the cache.

    Raises:
        UnknownName: no asset of that name.
        AssetError: it cannot be had, is not the published file, or cannot be written. What lay in the
            cache before is as it was.
    """
    return bring(get_asset(name), cache_folder(), from_folder, watch)


def bring(asset: Asset, folder: Path, from_folder: Path | None = None, watch: Watch = lambda _: None) -> Path:
    """Bring any asset into any folder; see `fetch`."""
    path = folder / asset.file
    try:
        if is_right(asset, path):
            return path
    except AssetError:
        pass  # a damaged file is what fetching is for
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{asset.file}.", suffix=".part", dir=folder)
        os.close(handle)
        part = Path(name)
        try:
            _obtain(asset, part, from_folder, watch)
            part.chmod(0o644)  # a temporary file is its owner's alone; a cache may be shared
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise AssetError(
            f"{path} cannot be written ({error.strerror or error})",
            hint="Make room for it, or set DAYBREAK_CACHE to another folder",
        ) from None
    return path


def _obtain(asset: Asset, part: Path, from_folder: Path | None, watch: Watch) -> None:
    """Fill `part`, and see that what came is the asset."""
    origin: Path | str = asset.url if from_folder is None else from_folder / asset.file
    if isinstance(origin, Path):
        _copy(asset, origin, part)
    else:
        _download(asset, part, watch)
    try:
        is_right(asset, part)
    except AssetError as error:
        hint = f"It is published at {asset.url}" if from_folder else by_hand(asset)
        raise AssetError(error.came.replace(str(part), str(origin), 1), error.expected, hint) from None


def _copy(asset: Asset, source: Path, part: Path) -> None:
    if not source.is_file():
        raise AssetError(f"{source.parent} holds no file {source.name}", f"the one of {asset.url}")
    try:
        source.open("rb").close()
    except OSError as error:
        raise AssetError(f"{source} cannot be read ({error.strerror or error})") from None
    shutil.copyfile(source, part)


def _download(asset: Asset, part: Path, watch: Watch) -> None:
    from pooch import HTTPDownloader
    from requests import RequestException, Response

    answers: list[Response] = []

    def keep(answer: Response, **_: object) -> None:
        answers.append(answer)

    # pooch leaves the connection of a download that broke off to the garbage collector
    bar = _Bar(asset.size, watch)
    get = HTTPDownloader(progressbar=bar, chunk_size=1 << 20, hooks={"response": keep})
    try:
        get(asset.url, str(part), None)
    except RequestException as error:
        raise AssetError(
            f"{asset.url} cannot be downloaded ({_reason(error)})", hint=by_hand(asset)
        ) from None
    finally:
        for answer in answers:
            answer.close()


def by_hand(asset: Asset) -> str:
    """What to type where this machine cannot download."""
    return f"Download it on another machine and type: daybreak assets fetch {asset.name} --from FOLDER"


def _reason(error: Exception) -> str:
    """What went wrong, without the object addresses that nested library errors show."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"the server says {response.status_code} {response.reason}"
    causes: list[object] = [error]
    while isinstance(cause := causes[-1], BaseException):
        causes.append(getattr(cause, "reason", None) or (cause.args[-1] if cause.args else None))
    innermost = causes[-2]
    return str(innermost).rpartition(": ")[2] or type(innermost).__name__


class _Bar:
    """What pooch tells of its progress, in the form that it asks for (that of tqdm)."""

    def __init__(self, size: int, watch: Watch) -> None:
        self.total = size
        self._size = size
        self._watch = watch
        self._arrived = 0

    def update(self, more: int) -> None:
        self._arrived = min(self._arrived + more, self._size)
        self._watch(self._arrived)

    def reset(self) -> None:
        """Pooch starts anew only to fill the bar at the end."""

    def close(self) -> None:
        """Nothing to close."""
