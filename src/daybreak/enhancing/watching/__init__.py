"""A folder that is watched: each picture that arrives is enhanced once."""

from daybreak.enhancing.watching.loop import News, Watched, watch

__all__ = ["News", "Watched", "watch"]
