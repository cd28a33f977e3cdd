"""Run the command line inside the test's own process, and read what it printed as a program would."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from trueup.cli.main import main

Argument = str | Path


@dataclass(frozen=True, slots=True)
class Ran:
    """What one call of `trueup` left behind."""

    exit_code: int
    out: str
    err: str

    @property
    def envelope(self) -> dict[str, Any]:
        """Read stdout, which must be exactly one JSON envelope on one line."""
        lines = self.out.splitlines()
        assert len(lines) == 1, f"stdout should hold one envelope only:\n{self.out}\nstderr:\n{self.err}"
        read = json.loads(lines[0])
        assert isinstance(read, dict)
        return read

    @property
    def data(self) -> dict[str, Any]:
        """The `data` of an answer; fails on a refusal."""
        envelope = self.envelope
        assert envelope["ok"] is True, envelope
        data: dict[str, Any] = envelope["data"]
        return data

    @property
    def error(self) -> dict[str, Any]:
        """The `error` of a refusal; fails on an answer."""
        envelope = self.envelope
        assert envelope["ok"] is False, envelope
        error: dict[str, Any] = envelope["error"]
        return error


Run = Callable[..., Ran]


def run_trueup(*arguments: Argument) -> Ran:
    """Call `trueup` with the arguments, exactly as typed (add `--json` yourself)."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="\n") for _ in range(2))
    code = 0
    with (
        mock.patch.object(sys, "argv", ["trueup", *map(str, arguments)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    return Ran(code, *(_written(stream) for stream in (out, err)))


def _written(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()
