"""Which files of a folder are the programme: those in their place, under a name that is an id."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from trueup.declare.ids import is_id
from trueup.declare.programme import PROGRAMME_FILE
from trueup.declare.reading.problems import problem
from trueup.kernel.errors import NotFoundError
from trueup.kernel.finding import Finding, Span
from trueup.kernel.text import did_you_mean

FOLDERS = ("use-cases", "workflows", "registrations", "scenarios")
_YAML = {".yaml", ".yml"}


def require_programme(root: Path) -> None:
    """Raise NotFoundError, code `not-a-programme`, with the way out, unless the folder holds a programme.yaml."""
    try:
        _require(root)
    except OSError as error:
        message = f"{str(root)!r} cannot be opened: {error.strerror or error}."
        hint = "Make the folder readable, or give another:\n    trueup check DIR"
        raise NotFoundError("not-a-programme", message, hint) from None


def _require(root: Path) -> None:
    if (root / PROGRAMME_FILE).exists() or (root / PROGRAMME_FILE).is_symlink():
        return
    start = f"Start one, in a folder that does not exist yet or is empty:\n    trueup new {shlex.quote(str(root))}"
    if not root.exists():
        raise NotFoundError("not-a-programme", f"There is no folder {str(root)!r}.", start)
    if not root.is_dir():
        hint = f"Give the folder that holds programme.yaml:\n    trueup check {shlex.quote(str(root.parent))}"
        raise NotFoundError("not-a-programme", f"{str(root)!r} is a file; a programme is a folder.", hint)
    names = sorted(path.name for path in root.iterdir() if not path.name.startswith("."))
    if not names:
        raise NotFoundError("not-a-programme", f"The folder {str(root)!r} is empty.", start)
    alike = next((name for name in names if did_you_mean(name, [PROGRAMME_FILE])), None)
    if alike is not None:
        rename = shlex.join(["mv", str(root / alike), str(root / PROGRAMME_FILE)])
        hint = f"If it is the programme, rename it:\n    {rename}"
        message = f"{str(root)!r} is not a programme: it has {alike!r} and no {PROGRAMME_FILE}."
        raise NotFoundError("not-a-programme", message, hint)
    hint = "Give the folder that holds programme.yaml, or start one:\n    trueup new DIR"
    raise NotFoundError("not-a-programme", f"{str(root)!r} is not a programme: it has no {PROGRAMME_FILE}.", hint)


def declared_files(root: Path, folder: str) -> list[str]:
    """Return the files `FOLDER/ID.yaml`, relative, sorted; hidden ones are nobody's declaration."""
    return [f"{folder}/{path.name}" for path in _entries(root / folder) if path.suffix == ".yaml" and _speakable(path)]


def misplaced(root: Path) -> Iterator[Finding]:
    """Yield the YAML files that somebody may take for declarations and that are not read as such."""
    for folder in FOLDERS:
        for path in _entries(root / folder):
            if not _speakable(path):
                detail = f"The name {path.name!a} holds characters that cannot be shown, so the file is not read."
                yield problem("FILE02", Span(folder), detail, "Rename it; an id is small letters, digits and dashes.")
                continue
            yield from _in_folder(f"{folder}/{path.name}", path)
    for path in _entries(root):
        yield from _beside(path)


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:
        # No such folder is no such declarations; one that cannot be listed is found by `_beside`.
        return []


def _in_folder(file: str, path: Path) -> Iterator[Finding]:
    if path.suffix == ".yaml":
        if not is_id(path.stem):
            detail = f"{path.stem!r} is the id of what stands in it; an id is small letters, digits and dashes."
            yield problem("FILE02", Span(file), detail, f"Rename it, such as to {_slug(path.stem)}.yaml.")
    elif path.suffix.lower() in _YAML:
        yield problem("FILE02", Span(file), f"{file} is not read: its name does not end in .yaml.", "Rename it.")
    elif path.is_dir() and any(inner.suffix in _YAML for inner in _entries(path)):
        detail = f"{file} is a folder with YAML files; only files directly in {path.parent.name}/ are read."
        yield problem("FILE02", Span(file), detail, f"Move them up into {path.parent.name}/.")


def _beside(path: Path) -> Iterator[Finding]:
    name = path.name
    if name in FOLDERS:
        if not path.is_dir() or not _readable(path):
            yield problem("FILE01", Span(name), f"{name} cannot be listed as a folder.", "Make it a readable folder.")
    elif path.is_dir() and (meant := _meant(name, FOLDERS)) and any(p.suffix in _YAML for p in _entries(path)):
        detail = f"{name}/ is not read.{meant}"
        yield problem("FILE02", Span(name), detail, f"Rename the folder to one of {', '.join(FOLDERS)}.")
    elif path.is_file() and name != PROGRAMME_FILE and path.suffix.lower() in _YAML and _meant(name, [PROGRAMME_FILE]):
        yield problem("FILE02", Span(name), f"{name} is not read; {PROGRAMME_FILE} is.", "Delete or rename it.")


def _speakable(path: Path) -> bool:
    """Tell whether a name can stand in a finding: control characters and broken encodings cannot."""
    return path.name.isprintable()


def _readable(folder: Path) -> bool:
    try:
        next(folder.iterdir(), None)
    except OSError:
        return False
    return True


def _meant(name: str, known: tuple[str, ...] | list[str]) -> str:
    return did_you_mean(name.lower().replace("_", "-"), known)


def _slug(stem: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-") or "name"
