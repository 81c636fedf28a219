"""Jobs on the disk: a row each in SQLite, a folder each for what came and what was made of it.

The folder is named by an id that this server drew; nothing of a request becomes a path.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sqlite3
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from daybreak.errors import UnwritablePicture
from daybreak.files import make_folder, one_process, writing
from daybreak.text import printable

JobState = Literal["queued", "running", "done", "failed"]

_TABLE = """
create table if not exists jobs (
    id text primary key, kind text not null, asked text not null, names text not null,
    state text not null, done integer not null, failed integer not null, total integer not null,
    error text not null, created real not null, ended real, expires real, starts integer not null
)
"""


@dataclass(frozen=True)
class Job:
    """One job.

    Attributes:
        id: 32 hexadecimal digits.
        kind: a name of `daybreak.serving.jobs.kinds`.
        asked: the request's words, as `asking.understand` takes them.
        names: what the files were called, for people and archives.
        state: "done" where the result is there (single files may have failed), "failed" where there is none.
        done: files (of a film: frames) that were worked on, those that failed among them.
        failed, total: of the same.
        error: why there is no result.
        created, ended, expires: seconds since 1970; None where that has not come.
        starts: how often it was begun since it last got on: more than a few times where it ends the server.
    """

    id: str
    kind: str
    asked: dict[str, str]
    names: list[str]
    state: JobState
    done: int
    failed: int
    total: int
    error: str
    created: float
    ended: float | None
    expires: float | None
    starts: int

    @property
    def over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in ("done", "failed")

    def told(self) -> dict[str, Any]:
        """What a client learns of it."""
        hidden = ("asked", "names", "starts")
        return {name: value for name, value in vars(self).items() if name not in hidden}


class JobStore:
    """All jobs of a state folder; safe to use from several threads.

    Args:
        folder: made if it is missing, for this user alone; for one server at a time.

    Raises:
        UnwritablePicture: it cannot be made, or what lies in it is no store.
        OutputExists: another server uses it.
    """

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        self.folder = folder / "jobs"
        self._lock = threading.Lock()
        with ExitStack() as opened, writing(folder):
            folder.chmod(0o700)  # other people's pictures lie in it
            make_folder(self.folder)
            # a second server would take the jobs of the first for ones that were broken off
            opened.enter_context(one_process(folder / "lock", f"serving from {printable(str(folder))}"))
            self._rows = _open(folder / "jobs.sqlite")
            self._opened = opened.pop_all()

    def close(self) -> None:
        """Close the file, and let another server have the folder."""
        with self._lock:
            self._rows.close()
            self._opened.close()

    def _do(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._rows.execute(statement, values).fetchall()

    def new_id(self) -> str:
        """An id that nobody can guess, with its folders made.

        Raises:
            OSError: they cannot be made; none of them is left.
        """
        id = secrets.token_hex(16)
        try:
            for folder in (self.inputs(id), self.outputs(id)):
                folder.mkdir(parents=True)
        except OSError:
            self._remove(id)
            raise
        return id

    def inputs(self, id: str) -> Path:
        """The folder of what came: files named by their number."""
        return self.folder / id / "in"

    def outputs(self, id: str) -> Path:
        """The folder of what was made of them."""
        return self.folder / id / "out"

    def result(self, id: str) -> Path:
        """The file that is handed out; there once the job is done."""
        return self.folder / id / "result"

    def add(self, id: str, kind: str, asked: dict[str, str], names: Sequence[str]) -> Job:
        """Queue a job whose files lie in `inputs(id)`.

        Raises:
            sqlite3.OperationalError: the disk is full, say; it is not queued.
        """
        self._do(
            "insert into jobs values (?, ?, ?, ?, 'queued', 0, 0, ?, '', ?, null, null, 0)",
            id, kind, json.dumps(asked), json.dumps(list(names)), len(names), time.time(),
        )  # fmt: skip
        job = self.find(id)
        assert job is not None
        return job

    def find(self, id: str) -> Job | None:
        """The job of that id; None once its time is over, even where it was not removed yet."""
        rows = self._do("select * from jobs where id = ? and coalesce(expires > ?, true)", id, time.time())
        return _job(rows[0]) if rows else None

    def next(self) -> Job | None:
        """What is to be done now: the one that a server was stopped at, else the oldest that waits."""
        rows = self._do(
            "select * from jobs where state in ('running', 'queued') order by state desc, created limit 1"
        )
        return _job(rows[0]) if rows else None

    def count(self, state: JobState) -> int:
        """How many are in a state."""
        return int(self._do("select count(*) from jobs where state = ?", state)[0][0])

    def start(self, id: str) -> None:
        """It is being worked on."""
        self._do("update jobs set state = 'running', starts = starts + 1 where id = ?", id)

    def put_back(self, id: str) -> None:
        """It waits again; what was made of it so far stays."""
        self._do("update jobs set state = 'queued', starts = 0 where id = ?", id)

    def progress(self, id: str, done: int, failed: int, total: int) -> None:
        """How far it is; what a job that was begun again has done once more is no getting on."""
        self._do(
            "update jobs set starts = iif(? > done, 0, starts), done = max(done, ?),"
            " failed = max(failed, ?), total = ? where id = ?",
            done, done, failed, total, id,
        )  # fmt: skip

    def finish(self, id: str, error: str, keep_seconds: float) -> None:
        """It is over: done, or failed where there is an error; the result alone stays."""
        if error:  # a full disk may take the change of a row only when the files are gone
            self._clear(id)
        now = time.time()
        self._do(
            "update jobs set state = ?, error = ?, ended = ?, expires = ? where id = ?",
            "failed" if error else "done", error, now, now + keep_seconds, id,
        )  # fmt: skip
        if self.find(id) is None:  # cancelled in the last moment
            self.drop(id)
        self._clear(id)

    def drop(self, id: str) -> bool:
        """Forget a job and remove its files; False where there is none."""
        forget = "delete from jobs where id = ? returning id"
        try:
            found = self._do(forget, id)
        except sqlite3.OperationalError:  # a full disk may take the change of a row only when files are gone
            self._remove(id)
            found = self._do(forget, id)
        self._remove(id)
        return bool(found)

    def _remove(self, id: str) -> None:
        shutil.rmtree(self.folder / id, ignore_errors=True)

    def _clear(self, id: str) -> None:
        """Remove what came and what was kept on the way: nobody asks for it once the result is there."""
        for folder in (self.inputs(id), self.outputs(id)):
            shutil.rmtree(folder, ignore_errors=True)

    def size(self) -> int:
        """Bytes that the files of all jobs take."""
        return _size_below(self.folder)

    def size_with(self, id: str) -> int:
        """Bytes of what was made for all jobs, and of what came for one; what came for others waits."""
        came = sum(_size_below(folder) for folder in self.folder.glob("*/in") if folder != self.inputs(id))
        return self.size() - came

    def sweep(self, now: float) -> int:
        """Drop the jobs whose time has come; gives how many."""
        old = self._do("select id from jobs where expires is not null and expires <= ?", now)
        return sum(self.drop(row["id"]) for row in old)

    def clear_strays(self) -> None:
        """Remove what a killed server left of requests that never became a job, and of jobs that are over.

        Only while no request is received.
        """
        known = {row["id"]: row["state"] for row in self._do("select id, state from jobs")}
        for folder in self.folder.iterdir():
            if folder.name not in known:
                shutil.rmtree(folder, ignore_errors=True)
            elif known[folder.name] in ("done", "failed"):
                self._clear(folder.name)


def _open(path: Path) -> sqlite3.Connection:
    """The rows.

    Raises:
        UnwritablePicture: it is no database of ours.
    """
    rows = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    try:
        rows.row_factory = sqlite3.Row
        rows.execute("pragma journal_mode = wal")
        rows.execute(_TABLE)
        rows.execute("select starts from jobs limit 1")
    except sqlite3.Error as error:
        rows.close()
        came = f"{printable(str(path))} cannot be used ({error})"
        raise UnwritablePicture(came, hint="Move it away, or choose another folder with --state") from None
    return rows


def _size_below(top: Path) -> int:
    """Bytes of all files in a folder and below."""
    return sum(_size(Path(folder, name)) for folder, _, names in os.walk(top) for name in names)


def _size(path: Path) -> int:
    """Bytes of a file; 0 where it has gone meanwhile."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _job(row: sqlite3.Row) -> Job:
    values = dict(row)
    values["asked"], values["names"] = json.loads(values["asked"]), json.loads(values["names"])
    return Job(**values)
