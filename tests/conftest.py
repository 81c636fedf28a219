"""Property tests draw the same examples on every run and have no deadline: machines differ and are shared."""

import signal

from hypothesis import settings

settings.register_profile("daybreak", deadline=None, derandomize=True)
settings.load_profile("daybreak")

# A script's background jobs ignore Ctrl-C; what tests start would inherit that, and not be interrupted.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
