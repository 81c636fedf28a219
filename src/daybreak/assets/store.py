"""The folder where fetched files lie, and finding them there: whole and right, or not at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeAlias

from daybreak.assets.registry import ASSETS, Asset, get_asset
from daybreak.errors import AssetError, MissingAsset

State: TypeAlias = Literal["here", "absent", "damaged"]


def cache_folder(part: str = "assets") -> Path:
    """Where fetched files lie: `assets` in DAYBREAK_CACHE, or else in the system's cache of this user.

    The folder need not exist. Another part is beside it: "engines" is what `daybreak.engines` has measured.
    """
    told = os.environ.get("DAYBREAK_CACHE")
    if told:
        return Path(told).expanduser() / part
    import platformdirs  # 10 ms that a run without a cache does not need

    return Path(platformdirs.user_cache_dir("daybreak")) / part


def find(name: str) -> Path | None:
    """The path of an asset in the cache, or None where it was not fetched.

    A file is hashed when it is first asked for, and again once its size or its time has changed.

    Raises:
        UnknownName: no asset of that name.
        AssetError: the file that is there is not the published one, or cannot be read.
    """
    asset = get_asset(name)
    path = cache_folder() / asset.file
    return path if is_right(asset, path) else None


def require(name: str) -> Path:
    """The path of an asset in the cache.

    Raises:
        MissingAsset: it was not fetched; the hint is the line to type.
        UnknownName: no asset of that name.
        AssetError: the file that is there is not the published one, or cannot be read.
    """
    path = find(name)
    if path is None:
        raise MissingAsset(name)
    return path


def verify(names: Iterable[str] = (), *, quick: bool = False) -> dict[str, State]:
    """Look at the files in the cache; each is read and hashed anew.

    Args:
        names: of assets; none for all.
        quick: compare the sizes alone, which is no proof.

    Returns:
        Name -> "here", "absent" or "damaged" (which is also said of a file that cannot be read).

    Raises:
        UnknownName: no asset of one of the names; nothing was read.
    """
    if not quick:
        _digest.cache_clear()
    chosen = [get_asset(name) for name in names] or ASSETS
    return {asset.name: _state(asset, quick) for asset in chosen}


def _state(asset: Asset, quick: bool) -> State:
    path = cache_folder() / asset.file
    try:
        there = is_right(asset, path, quick=quick)
    except AssetError:
        return "damaged"
    return "here" if there else "absent"


def is_right(asset: Asset, path: Path, *, quick: bool = False) -> bool:
    """Whether a file is there; a file that is not the asset raises.

    Args:
        asset: what it should be.
        path: where it should be.
        quick: compare the size alone.

    Raises:
        AssetError: another size or another SHA-256 than the asset's, or no way to read it.
    """
    hint = f"Type: daybreak assets fetch {asset.name}"
    try:
        status = path.stat()
        if status.st_size != asset.size:
            raise AssetError(f"{path} has {status.st_size:,} bytes", f"{asset.size:,}", hint)
        if not quick:
            digest = _digest(path, status.st_size, status.st_mtime_ns)
            if digest != asset.sha256:
                raise AssetError(
                    f"{path} has SHA-256 {digest[:12]}…", f"{asset.sha256[:12]}… as published", hint
                )
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise AssetError(f"{path} cannot be read ({error.strerror or error})") from None
    return True


@lru_cache(maxsize=32)
def _digest(path: Path, size: int, time: int) -> str:  # noqa: ARG001 - a change of either hashes again
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
