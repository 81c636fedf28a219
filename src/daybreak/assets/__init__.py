"""Files that daybreak uses and does not ship: fetched once by URL, known by their SHA-256, kept in a cache.

>>> from daybreak import assets
>>> [asset.name for asset in assets.ASSETS]
['niqe-pristine', 'lpips-alex', 'lpips-vgg', 'alexnet', 'vgg16']
"""

from daybreak.assets.fetching import fetch
from daybreak.assets.registry import ASSETS, Asset, get_asset
from daybreak.assets.store import State, cache_folder, find, require, verify

__all__ = ["ASSETS", "Asset", "State", "cache_folder", "fetch", "find", "get_asset", "require", "verify"]
