"""The loop over a watched folder: wait, enhance what has arrived, write down that it was done.

The order of the steps for each picture is what makes a kill harmless: its result appears whole, then its
evidence, then a line in the journal, then its original is moved. Whatever was not reached is made up for at
the next start, where a result that lies there says what it was made of and is not made again.
"""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Literal

from daybreak.enhancing.batch import Output, Result, run_batch
from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.finding import Refusal
from daybreak.enhancing.manifest import Entry, append_entry, placed, read_manifests
from daybreak.enhancing.plan import Job, result_name
from daybreak.enhancing.watching.arrivals import Arrivals
from daybreak.enhancing.watching.journal import Journal
from daybreak.enhancing.watching.wakes import wakes
from daybreak.errors import BadSetting, OutputExists, UnreadablePicture, UnwritablePicture
from daybreak.files import make_folder, move_file, name_for, one_process, remove_leftovers, write_whole
from daybreak.image.paths import shown
from daybreak.version import __version__

LOCK = ".daybreak-watch.lock"
FAILED = "failed"
AT_ONCE = 64  # pictures of one batch: those that arrive meanwhile wait until it is through
_LONGEST_WAIT = 60.0  # s between two attempts


@dataclass(frozen=True)
class Watched:
    """What is watched and how.

    Attributes:
        folder: where pictures arrive.
        output: where results go, with the tree of `folder`; set-aside pictures to `failed` in it.
        recursive: with all folders below.
        suffix: put between the name and the extension of each result.
        move_to: where originals go once they are done; None leaves them.
        settle: seconds for which a file must not change before it counts as written.
        poll: seconds between two looks; None to be told by the system.
        attempts: after as many failures a picture is set aside. The waits between them double: 1 s, 2 s …
        evidence: a `.jsonl` that gets a line for each picture; None for none.
        jobs: pictures at the same time; None as `run_batch` does.
    """

    folder: Path
    output: Path
    recursive: bool = False
    suffix: str = "_daybreak"
    move_to: Path | None = None
    settle: float = 2.0
    poll: float | None = None
    attempts: int = 6
    evidence: Path | None = None
    jobs: int | None = None


@dataclass(frozen=True)
class News:
    """Something that happened.

    Attributes:
        what: "done"; "set aside" for good; "waits" for another attempt; "blocked" where the fault lies with
            the place of the result or with a folder: nothing is given up for that.
        text: one clause; "" where the result says all.
        result: of the picture; None where it is about none.
    """

    what: Literal["done", "set aside", "waits", "blocked"]
    text: str = ""
    result: Result | None = None


def watch(watched: Watched, enhancer: Enhancer, output: Output, asked: Event) -> Iterator[News]:
    """Enhance each picture that is in the folder or arrives there, once, for ever.

    Args:
        watched: what and how.
        enhancer, output: as for `run_batch`.
        asked: set to have it end, which it does when the pictures that are being worked on are done.

    Raises:
        KeyboardInterrupt: the end that was asked for.
        BadSetting: folders that lie in each other's way.
        OutputExists: another process watches into the same output.
        MissingExtra, UnreadablePicture: the folder cannot be watched, see `wakes`.
        UnwritablePicture: the output folder cannot be made or the journal not be written.
    """
    check_watched(watched)
    make_folder(watched.output)
    with one_process(watched.output / LOCK, f"watching into {shown(watched.output)}"):
        remove_leftovers(watched.output)
        yield from _Watch(watched, enhancer, output, asked).run()


def check_watched(watched: Watched) -> None:
    """Refuse what would make results of results, or none at all.

    Raises:
        BadSetting: the folder is none, or folders lie in each other's way.
    """
    folder = watched.folder.resolve()
    if not folder.is_dir():
        raise BadSetting(f"{shown(watched.folder)} is no folder", "the folder that pictures arrive in")
    for option, other in (("-o", watched.output), ("--move-to", watched.move_to)):
        if other is not None and other.resolve() == folder:
            raise BadSetting(f"{option} {shown(other)} is the watched folder itself", "another folder")
    if watched.move_to is not None and watched.move_to.resolve() == watched.output.resolve():
        raise BadSetting("-o and --move-to are the same folder", "two folders")


class _Watch:
    """One run of the loop."""

    def __init__(self, watched: Watched, enhancer: Enhancer, output: Output, asked: Event) -> None:
        self.watched, self.enhancer, self.output, self.asked = watched, enhancer, output, asked
        self.journal = Journal(watched.output)
        self.arrivals = Arrivals(
            watched.folder,
            recursive=watched.recursive,
            settle=watched.settle,
            left_out=filter(None, (watched.output, watched.move_to)),
            known=self.journal.knows,
        )
        self.made_of: dict[Path, str] = {}  # the name of each result's original
        self.entered = _entered(watched.evidence)
        self.blocked, self.refusals = "", 0  # what was told last, and how often in a row
        self.unread: set[str] = set()  # what was told of folders inside

    def run(self) -> Iterator[News]:
        """Wait and work, for ever."""
        watched = self.watched
        tick = min(0.5, max(0.05, watched.settle / 4))
        for names in wakes(watched.folder, recursive=watched.recursive, poll=watched.poll, tick=tick):
            if self.asked.is_set():
                raise KeyboardInterrupt
            try:
                self.arrivals.look(names, time.monotonic())
            except UnreadablePicture as error:
                yield from self._blocked(str(error))
                continue
            yield from self._left_unread()
            while due := self.arrivals.due(time.monotonic())[:AT_ONCE]:
                jobs = self._jobs(due)
                for result in run_batch(
                    jobs, self.enhancer, self.output, watched.jobs, self.arrivals.read, self.asked
                ):
                    yield from self._after(self.arrivals.name(result.source), result)
                self.arrivals.look((), time.monotonic())

    def _jobs(self, names: list[str]) -> list[Job | Refusal]:
        """What to do now: of two originals of one result, the second when the first is through."""
        jobs: dict[Path, Job | Refusal] = {}
        for name in names:
            job = self._job(name)
            other = self.made_of.get(job.target, name)
            if other != name:
                came = f"{job.source}: its result would take the place of that of {other} ({job.target})"
                hint = "Rename one of them, or choose another --format"
                jobs[job.source] = Refusal(job.source, OutputExists(came, hint=hint))
            else:
                jobs.setdefault(job.target, job)
        return list(jobs.values())

    def _job(self, name: str) -> Job:
        source = self.watched.folder / name
        result = result_name(source, self.watched.suffix, self.output.format)
        return Job(source, self.watched.output / Path(name).parent / result)

    def _after(self, name: str, result: Result) -> Iterator[News]:
        """What follows from a result: the picture is done, tried again, or set aside."""
        if result.state != "failed":
            yield from self._done(name, result)
        elif self.arrivals.moved_on(name):
            pass  # it is gone, or was written to meanwhile: no failure, and seen at the next look
        elif result.elsewhere:
            yield from self._again(name, result.error, result)
        elif self.arrivals.waiting[name].attempts + 1 >= self.watched.attempts:
            yield from self._set_aside(name, result)
        else:
            delay = min(_LONGEST_WAIT, 2.0 ** self.arrivals.waiting[name].attempts)
            self.arrivals.postpone(name, time.monotonic(), delay, counts=True)
            yield News("waits", f"again in {delay:g} s", result)

    def _done(self, name: str, result: Result) -> Iterator[News]:
        """Enter the result, then move its original or write it down.

        What has its name by now may be another picture: that one is not moved, but seen at the next look.
        """
        try:
            self._enter(result)
            if self.watched.move_to is None:
                self.journal.add(name, self.arrivals.waiting[name].facts)
        except UnwritablePicture as error:  # the next attempt finds the result there
            yield from self._again(name, str(error), result)
            return
        if self.output.overwrite:  # else what lies there is looked at
            self.made_of[self._job(name).target] = name
        self.blocked, self.refusals = "", 0
        if self.watched.move_to is not None and self.arrivals.moved_on(name):
            yield News("done", f"{shown(result.source)} is another by now, or gone: not moved", result)
            return
        stays = "" if self.watched.move_to is None else self._move(name, self.watched.move_to)[1]
        self.arrivals.forget(name)
        yield News("done", stays, result)

    def _enter(self, result: Result) -> None:
        """Add a result to the evidence, once."""
        manifest = self.watched.evidence
        if manifest is None or result.evidence is None or result.target is None:
            return
        source, move_to = result.source, self.watched.move_to
        name = self.arrivals.name(source)
        if move_to is not None and not self.arrivals.moved_on(name):  # where it will lie
            source = name_for(source, move_to / name)
        entry = placed(result.evidence, source, result.target, manifest)
        key = _key(entry)
        if key not in self.entered:
            append_entry(manifest, entry)
            self.entered.add(key)

    def _set_aside(self, name: str, result: Result) -> Iterator[News]:
        """Move what cannot be done to `failed` in the output, its reason in a JSON beside it."""
        arrival = self.arrivals.waiting[name]
        told = {
            "file": name,
            "reason": result.error,
            "attempts": self.watched.attempts,
            "bytes": arrival.facts.size,
            "set_aside": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "daybreak": __version__,
        }
        try:
            lies, stays = self._move(name, self.watched.output / FAILED)
            reason = self.watched.output / FAILED / name if stays else lies
            make_folder(reason.parent)
            text = json.dumps(told, indent=2).encode("ascii") + b"\n"
            write_whole(reason.with_name(f"{reason.name}.json"), text, overwrite=True)
        except UnwritablePicture as error:
            yield from self._again(name, str(error), result)
            return
        self.arrivals.forget(name)
        yield News("set aside", stays or f"moved to {shown(lies)}, the reason beside it", result)

    def _move(self, name: str, folder: Path) -> tuple[Path, str]:
        """Move an original; where it must stay, it is written down as dealt with.

        Returns:
            Where it lies now, and "" or why it stays.

        Raises:
            UnwritablePicture: it stays and that cannot be written down.
        """
        source = self.watched.folder / name
        try:
            make_folder((folder / name).parent)
            return move_file(source, folder / name), ""
        except UnwritablePicture as error:
            self.journal.add(name, self.arrivals.waiting[name].facts)
            return source, f"the original stays: {error}"

    def _again(self, name: str, why: str, result: Result) -> Iterator[News]:
        """Try a picture again as often as it takes: it is not the picture's fault."""
        delay = min(_LONGEST_WAIT, 2.0 ** min(self.refusals, 6))
        self.refusals += 1
        self.arrivals.postpone(name, time.monotonic(), delay, counts=False)
        yield from self._blocked(why, result)

    def _left_unread(self) -> Iterator[News]:
        """Tell of each folder that cannot be looked into, once until it can be."""
        now = self.arrivals.left_unread
        yield from (News("blocked", why) for why in now if why not in self.unread)
        self.unread = set(now)

    def _blocked(self, why: str, result: Result | None = None) -> Iterator[News]:
        """Tell what everything waits for, once."""
        if why != self.blocked:
            self.blocked = why
            yield News("blocked", why, result)


def _entered(manifest: Path | None) -> set[tuple[str, ...]]:
    """What an earlier run entered: a kill before it was written down must not enter it twice.

    Raises:
        BadSetting: there is a file of that name that is no manifest.
    """
    if manifest is None or not manifest.exists():
        return set()
    return {_key(entry) for found in read_manifests(manifest) for entry in found.entries}


def _key(entry: Entry) -> tuple[str, ...]:
    return entry.input.path, entry.input.sha256, entry.output.path, entry.output.sha256
