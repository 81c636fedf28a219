"""Bodies of requests: a picture as it is, or a form with files and words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from daybreak.serving.asking import once
from daybreak.serving.problems import Problem, busy
from daybreak.text import printable

MOST_FIELDS = 64
LARGEST_FIELD = 4096  # bytes


@dataclass(frozen=True)
class Received:
    """A form, read.

    Attributes:
        files: by the name of their field, as they came.
        values: the words of the query and of the form, each name once.
    """

    files: list[tuple[str, UploadFile]]
    values: dict[str, str]


def media_type(request: Request) -> str:
    """What the body says it is, in lower case and without parameters; "" where it says nothing."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


class _WholeForm(MultiPartParser):
    """Starlette's parser, which takes a form that is cut short for a shorter one and leaves its file open."""

    ended = False

    def on_end(self) -> None:
        """The closing boundary came."""
        self.ended = True

    async def parse(self) -> FormData:
        """The form.

        Raises:
            MultiPartException: it cannot be read, or is cut short.
        """
        try:
            form = await super().parse()
        except UnicodeError:  # of a charset that names no text, `undefined` for example
            raise MultiPartException("its words are in no charset that is known here") from None
        if not self.ended:
            for file in getattr(self, "_files_to_close_on_error", ()):
                file.close()
            raise MultiPartException("it ends before its last boundary")
        return form


async def gone(request: Request) -> None:
    """Return when the client has gone away; only for a request whose body is read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


@asynccontextmanager
async def received(request: Request, most_files: int) -> AsyncIterator[Received]:
    """Read a multipart form; its files are open while the block lasts.

    Raises:
        Problem: 400 for a body that is no form or ends too early, 413 for too many files, 503 where there
            is no room for them.
        BadSetting: a name that came twice.
    """
    parser = _WholeForm(
        request.headers,
        request.stream(),
        max_files=most_files + 1,
        max_fields=MOST_FIELDS,
        max_part_size=LARGEST_FIELD,
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise Problem(400, f"the form cannot be read: {error.message}") from None
    except ClientDisconnect:
        raise Problem(400, "the request ended before its body did") from None
    except OSError as error:  # large files of a form wait in the folder for temporary ones
        raise busy(f"there is no room for the request ({error.strerror or error})", 503) from None
    try:
        yield _split(request, form, most_files)
    finally:
        await form.close()


def _split(request: Request, form: FormData, most_files: int) -> Received:
    files: list[tuple[str, UploadFile]] = []
    words = list(request.query_params.multi_items())
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            files.append((name, value))
        else:
            words.append((name, value))
    if len(files) > most_files:
        raise Problem(413, f"{len(files)} files", f"Send at most {most_files}")
    return Received(files, once(words))


def shown_name(file: UploadFile, fallback: str) -> str:
    r"""A file's own name for messages and archives, without folders, safe to print; never used as a path.

    >>> shown_name(UploadFile(None, filename="..\\..\\a/night\n.jpg"), "picture")
    'night\\n.jpg'
    """
    name = printable((file.filename or "").replace("\\", "/").rpartition("/")[2]).strip()
    return name[:200] if name.strip(".") else fallback
