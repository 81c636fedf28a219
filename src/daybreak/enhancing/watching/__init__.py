"""A folder that is watched: each picture that arrives is enhanced once."""

from daybreak.enhancing.watching.loop import News, Watched, check_watched, watch

__all__ = ["News", "Watched", "check_watched", "watch"]
