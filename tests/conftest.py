"""Property tests draw the same examples on every run and have no deadline: machines differ and are shared."""

from hypothesis import settings

settings.register_profile("daybreak", deadline=None, derandomize=True)
settings.load_profile("daybreak")
