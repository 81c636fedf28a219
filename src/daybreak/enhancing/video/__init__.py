"""Running a method on films and live streams; needs the extra `video` (PyAV)."""

from daybreak.errors import MissingExtra

try:
    import av
except ImportError:
    raise MissingExtra("video", "video") from None

from daybreak.enhancing.video.options import Progress, Stopped, VideoOptions, VideoResult
from daybreak.enhancing.video.run import enhance_video

av.logging.set_level(None)  # what FFmpeg says on stderr is counted and told by ours instead

__all__ = ["Progress", "Stopped", "VideoOptions", "VideoResult", "enhance_video"]
