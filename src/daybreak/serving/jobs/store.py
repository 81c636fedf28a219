"""Jobs on the disk: a row each in SQLite, a folder each for what came and what was made of it.

The folder is named by an id that this server drew; nothing of a request becomes a path.
"""

from __future__ import annotations

import json
import secrets
import shutil
import sqlite3
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from daybreak.files import make_folder

JobState = Literal["queued", "running", "done", "failed"]

_TABLE = """
create table if not exists jobs (
    id text primary key, kind text not null, asked text not null, names text not null,
    state text not null, done integer not null, failed integer not null, total integer not null,
    error text not null, created real not null, ended real, expires real
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

    @property
    def over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in ("done", "failed")

    def told(self) -> dict[str, Any]:
        """What a client learns of it."""
        hidden = ("asked", "names")
        return {name: value for name, value in vars(self).items() if name not in hidden}


class JobStore:
    """All jobs of a state folder; safe to use from several threads.

    Args:
        folder: made if it is missing, for this user alone.
    """

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        folder.chmod(0o700)  # other people's pictures lie in it
        self.folder = folder / "jobs"
        make_folder(self.folder)
        self._lock = threading.Lock()
        self._rows = sqlite3.connect(folder / "jobs.sqlite", check_same_thread=False, isolation_level=None)
        self._rows.row_factory = sqlite3.Row
        self._rows.execute("pragma journal_mode = wal")
        self._rows.execute(_TABLE)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._rows.close()

    def _do(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._rows.execute(statement, values).fetchall()

    def new_id(self) -> str:
        """An id that nobody can guess, with its folders made."""
        id = secrets.token_hex(16)
        for folder in (self.inputs(id), self.outputs(id)):
            make_folder(folder)
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
        """Queue a job whose files lie in `inputs(id)`."""
        self._do(
            "insert into jobs values (?, ?, ?, ?, 'queued', 0, 0, ?, '', ?, null, null)",
            id, kind, json.dumps(asked), json.dumps(list(names)), len(names), time.time(),
        )  # fmt: skip
        job = self.find(id)
        assert job is not None
        return job

    def find(self, id: str) -> Job | None:
        """The job of that id."""
        rows = self._do("select * from jobs where id = ?", id)
        return _job(rows[0]) if rows else None

    def next_queued(self) -> Job | None:
        """The oldest that waits."""
        rows = self._do("select * from jobs where state = 'queued' order by created limit 1")
        return _job(rows[0]) if rows else None

    def count(self, state: JobState) -> int:
        """How many are in a state."""
        return int(self._do("select count(*) from jobs where state = ?", state)[0][0])

    def start(self, id: str) -> None:
        """It is being worked on."""
        self._do("update jobs set state = 'running' where id = ?", id)

    def progress(self, id: str, done: int, failed: int, total: int) -> None:
        """How far it is."""
        self._do("update jobs set done = ?, failed = ?, total = ? where id = ?", done, failed, total, id)

    def finish(self, id: str, error: str, keep_seconds: float) -> None:
        """It is over: done, or failed where there is an error."""
        now = time.time()
        self._do(
            "update jobs set state = ?, error = ?, ended = ?, expires = ? where id = ?",
            "failed" if error else "done", error, now, now + keep_seconds, id,
        )  # fmt: skip

    def drop(self, id: str) -> bool:
        """Forget a job and remove its files; False where there is none."""
        found = self._do("delete from jobs where id = ? returning id", id)
        shutil.rmtree(self.folder / id, ignore_errors=True)
        return bool(found)

    def requeue(self) -> int:
        """Let jobs that a stopped server was at work on wait again; what they made so far stays."""
        return len(self._do("update jobs set state = 'queued' where state = 'running' returning id"))

    def sweep(self, now: float) -> int:
        """Drop the jobs whose time has come; gives how many."""
        old = self._do("select id from jobs where expires is not null and expires <= ?", now)
        return sum(self.drop(row["id"]) for row in old)

    def clear_strays(self) -> None:
        """Remove the folders of requests that never became a job; only while no request is received."""
        known = {row["id"] for row in self._do("select id from jobs")}
        for folder in self.folder.iterdir():
            if folder.name not in known:
                shutil.rmtree(folder, ignore_errors=True)


def _job(row: sqlite3.Row) -> Job:
    values = dict(row)
    values["asked"], values["names"] = json.loads(values["asked"]), json.loads(values["names"])
    return Job(**values)
