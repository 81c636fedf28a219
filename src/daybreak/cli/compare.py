"""`daybreak compare`: one picture through several methods, side by side with zoomed crops."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from daybreak.cli.console import DONE
from daybreak.cli.options import complete_methods, parse_methods
from daybreak.enhancing.comparison import PAGE, make_comparison
from daybreak.enhancing.manifest import check_manifest_path, placed, write_manifest
from daybreak.enhancing.page import is_page
from daybreak.errors import BadSetting, OutputExists
from daybreak.files import make_folder, same_file, write_whole
from daybreak.image.formats import format_of
from daybreak.image.paths import read_bytes
from daybreak.text import printable


def compare(
    path: Annotated[Path, typer.Argument(help="The picture.", show_default=False)],
    methods: Annotated[
        str,
        typer.Option(
            "-m",
            "--methods",
            help="Names with commas between them; patterns such as 'ms*' too.",
            autocompletion=complete_methods,
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="A picture or an .html page. [default: NAME_compare.png]"),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an older comparison.")] = False,
    evidence: Annotated[
        Path | None,
        typer.Option("--evidence", help="Write a .json manifest that `daybreak verify` can do again."),
    ] = None,
) -> int:
    """Show one picture through several methods: labelled, side by side, with the same zoomed crops."""
    names = parse_methods(methods)
    target = choose_target(path, output, overwrite)
    if evidence:
        check_manifest_path(evidence, ".json", (path, target))
    named = format_of(target)
    format = named.name if named else PAGE
    made, entry = make_comparison(read_bytes(path), path, names, format, evidence=evidence is not None)
    make_folder(target.parent)
    write_whole(target, made, overwrite=overwrite)
    print(printable(f"{path} -> {target}: {', '.join(names)}"), file=sys.stderr)
    if evidence and entry:
        sealed = write_manifest(evidence, (), {}, comparisons=[placed(entry, path, target, evidence)])
        print(printable(f"evidence {evidence}: SHA-256 {sealed}"), file=sys.stderr)
    return DONE


def choose_target(path: Path, output: Path | None, overwrite: bool) -> Path:
    """Where the comparison goes: as told, or NAME_compare.png in the folder told or beside the picture.

    Raises:
        BadSetting: a name that is neither a page's nor a picture's that can be written.
        OutputExists: something is there and `overwrite` is False, or it is the picture itself.
    """
    default = f"{path.stem}_compare.png"
    target = path.parent / default if output is None else output / default if output.is_dir() else output
    format = format_of(target)
    if not (is_page(target) or (format and format.writable)):
        raise BadSetting(f"-o {str(target)!r}", "a name that ends in .png, .jpg, .webp or .html")
    if same_file(target, path):
        raise OutputExists(f"{str(target)!r} is the picture itself", hint="Give another name with -o")
    if target.exists() and not overwrite:
        raise OutputExists(f"{str(target)!r} is there already", hint="Type --overwrite to replace it")
    return target
