"""Property tests draw the same examples on every run and have no deadline: machines differ and are shared.

Two processes share the tests out by files (`-n2`), so what several tests of a file use is of its module's
scope, and Playwright, whose event loop stays open in its thread, ends with the file.
"""

import json
import os
import shutil
import signal
import subprocess
import threading
import time

import pytest
from hypothesis import settings

from daybreak.stopping import look

# Here and in what tests start: torch's threads wait for each other where cores are shared, and another number
# of them adds up in another order.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["DAYBREAK_WEIGHTS"] = "/nowhere"  # whoever runs the tests may have some of their own
for name in ("COLUMNS", "LINES"):  # readline tells the other processes those of the terminal
    os.environ.pop(name, None)

settings.register_profile("daybreak", deadline=None, derandomize=True)
settings.load_profile("daybreak")

# A script's background jobs ignore Ctrl-C; what tests start would inherit that, and not be interrupted.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def exiftool():
    """Path -> every field that ExifTool finds, as {"Group:Name": value}; numbers as they are stored."""
    program = shutil.which("exiftool")
    if program is None:
        pytest.skip("exiftool is not installed (Debian: libimage-exiftool-perl)")

    def read(path):
        told = subprocess.run(
            [program, "-json", "-G1", "-n", "-a", "-charset", "filename=utf8", str(path)],
            capture_output=True,
            check=True,
        )
        return json.loads(told.stdout)[0]

    def write(path, *fields):
        done = subprocess.run(
            [program, "-q", "-overwrite_original", *fields, str(path)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr

    read.write = write
    return read


@pytest.fixture
def endless():
    """Work that ends only where it is asked to; its `began` and `stopped` are events."""

    def work(*_, **__):
        go_on = look()
        work.began.set()
        try:
            while True:
                go_on()
                time.sleep(0.01)
        finally:
            work.stopped.set()

    work.began, work.stopped = threading.Event(), threading.Event()
    return work


@pytest.fixture(scope="module")
def browser():
    """Chromium, as it is on this machine."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs chromium on the PATH")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def small_disk(tmp_path):
    """small_disk(name, options of a tmpfs) gives a folder that is a disk; needs the right to mount one."""
    mounted = []

    def mount(name, options):
        folder = tmp_path / name
        folder.mkdir()
        try:
            command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no right to mount a small disk ({error})")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
