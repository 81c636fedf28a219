"""RTSP on loopback: a camera that is asked for its stream, one that restarts, and a server that takes ours.

The camera is a small RTSP server (RFC 2326, packets through the connection itself, as cameras send them when
asked for TCP); it sends the RTP packets of an ffmpeg that encodes in real time. The server that takes our
stream is ffmpeg's own.
"""

from __future__ import annotations

import socket
import socketserver
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest

from daybreak.enhancing.enhancer import Enhancer

pytest.importorskip("daybreak.enhancing.video", reason="the extra [video] is not installed")
from daybreak.enhancing.video.live import enhance_live

GAMMA = Enhancer("gamma")
SCENE = "testsrc2=s=160x120:r=25,eq=brightness=-0.3:contrast=0.4"
SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:track\r\n"
)


class Camera(socketserver.ThreadingTCPServer):
    """An RTSP server with one stream, sent to each client from an encoder of its own."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Client)
        self.address = f"rtsp://127.0.0.1:{self.server_address[1]}/dark"
        self.verbs: list[str] = []
        self.clients: list[Client] = []
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def restart(self) -> None:
        """Hang up on everyone, as a camera does that loses its power."""
        while self.clients:
            with suppress(OSError):  # it has hung up by itself
                self.clients.pop().connection.shutdown(socket.SHUT_RDWR)

    def __exit__(self, *_: object) -> None:
        self.restart()
        self.shutdown()
        self.server_close()


class Client(socketserver.StreamRequestHandler):
    """One connection: requests are answered in turn; after PLAY packets go out between the answers."""

    server: Camera

    def handle(self) -> None:
        self.lock, self.encoder = threading.Lock(), None
        try:
            while line := self.rfile.readline().decode().split():
                headers = {}
                while name := self.rfile.readline().decode().strip():
                    key, _, value = name.partition(":")
                    headers[key.lower()] = value.strip()
                self.server.verbs.append(line[0])
                self.answer(line[0], headers)
        except OSError:
            pass
        finally:
            if self.encoder is not None:
                self.encoder.kill()
                self.encoder.wait()

    def answer(self, verb: str, headers: dict[str, str]) -> None:
        more, body = ["Session: 1"], ""
        if verb == "OPTIONS":
            more = ["Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN"]
        elif verb == "DESCRIBE":
            body, more = SDP, ["Content-Type: application/sdp", f"Content-Length: {len(SDP)}"]
        elif verb == "SETUP":
            assert "RTP/AVP/TCP" in headers["transport"], "asked for UDP, of which packets get lost"
            more.append("Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
        head = "\r\n".join(["RTSP/1.0 200 OK", f"CSeq: {headers['cseq']}", *more])
        with self.lock:
            self.wfile.write(f"{head}\r\n\r\n{body}".encode())
        if verb == "PLAY":
            self.server.clients.append(self)
            threading.Thread(target=self.play, daemon=True).start()

    def play(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as packets:
            packets.bind(("127.0.0.1", 0))
            packets.settimeout(10.0)
            made = ["ffmpeg", "-v", "error", "-re", "-f", "lavfi", "-i", SCENE, "-an", "-c:v", "libx264"]
            made += ["-preset", "ultrafast", "-tune", "zerolatency", "-g", "10", "-payload_type", "96"]
            made += ["-f", "rtp", f"rtp://127.0.0.1:{packets.getsockname()[1]}?pkt_size=1200"]
            self.encoder = subprocess.Popen(made, stdout=subprocess.DEVNULL)
            try:
                while data := packets.recv(2048):
                    with self.lock:
                        self.wfile.write(b"$\0" + len(data).to_bytes(2, "big") + data)
            except OSError:  # the client has gone, or the encoder
                pass


class Kept:
    """A sink that keeps what it is given."""

    may_stall = True

    def __init__(self) -> None:
        self.frames: list[object] = []

    def write(self, rows: object, seconds: float) -> None:
        self.frames.append(rows)

    def close(self) -> None:
        """Nothing to end."""


@pytest.fixture
def camera(tools):
    with Camera() as one:
        yield one


def until(condition, seconds=40.0):
    """A `stop` that says so when a condition holds, or after a time."""
    end = time.monotonic() + seconds
    return lambda: condition() or time.monotonic() > end


def test_a_camera_is_asked_for_its_stream_and_the_delay_is_told(camera):
    sink = Kept()
    result = enhance_live(camera.address, sink, GAMMA, stop=until(lambda: len(sink.frames) >= 20))
    assert camera.verbs[:4] == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"]
    assert result.enhanced >= 20
    assert sink.frames[-1].shape == (120, 160, 3)
    assert 0.0 < result.latency_median <= result.latency_95 <= result.latency_most < 5.0


def test_a_camera_that_restarts_is_found_again(camera):
    sink, told = Kept(), []

    def restart():
        while len(sink.frames) < 5:
            time.sleep(0.02)
        camera.restart()
        camera.frames_before = len(sink.frames)

    camera.frames_before = 10**9
    threading.Thread(target=restart, daemon=True).start()
    stop = until(lambda: len(told) > 0 and len(sink.frames) > camera.frames_before + 8)
    result = enhance_live(camera.address, sink, GAMMA, stop=stop, tell=told.append)
    assert "trying again in 0.5 s" in told[0]
    assert camera.verbs.count("PLAY") >= 2
    assert result.reconnects >= 1
    assert len(sink.frames) > camera.frames_before + 8


def test_a_server_takes_our_stream(camera, tools, tmp_path):
    """From the camera through the command to an RTSP server, whose recording is looked at."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    out, address = tmp_path / "out.ts", f"rtsp://127.0.0.1:{port}/bright"
    take = ["ffmpeg", "-v", "error", "-rtsp_flags", "listen", "-i", address, "-c", "copy", str(out)]
    server = subprocess.Popen(take)
    try:
        command = [sys.executable, "-m", "daybreak", "stream", camera.address, "-m", "gamma", "-o", address]
        done = subprocess.run([*command, "--for", "5s"], capture_output=True, text=True, timeout=120)
        server.wait(timeout=30)
    finally:
        server.kill()
        server.wait()
    assert done.returncode == 0, done.stderr
    assert "were overtaken; delay" in done.stderr
    stream = tools.ffprobe(out)["streams"][0]
    assert (stream["codec_name"], stream["width"], stream["height"]) == ("h264", 160, 120)
    assert len(tools.times(out)) > 10
