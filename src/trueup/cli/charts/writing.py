"""A Vega-Lite document becomes an SVG or PNG file, without a browser and without a network."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from trueup.kernel.errors import StorageError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FORMS = (".svg", ".png", ".json")


def require_form(path: Path) -> None:
    """Raise UsageError for a name that says no form of picture, or where what draws it is not installed."""
    if path.suffix not in FORMS:
        raise UsageError(
            "unknown-picture",
            f"{path.name!r} does not say what kind of picture it is.",
            "End its name in .svg or .png, or in .json for the Vega-Lite document itself.",
        )
    if path.suffix != ".json":
        try:
            import vl_convert  # noqa: F401 -- whether it is there, before minutes are spent on measuring
        except ImportError:
            raise UsageError(
                "no-reports",
                "Pictures need a library that is not installed.",
                "Install it (a name that ends in .json needs none):\n    pip install 'trueup[reports]'",
            ) from None


def write_picture(spec: Mapping[str, Any], path: Path) -> None:
    """Write a document in the form that the name of the file says. Raises as `require_form`, StorageError."""
    require_form(path)
    try:
        path.write_bytes(_drawn(json.dumps(spec, ensure_ascii=False), path.suffix))
    except OSError as error:
        raise StorageError("not-written", f"{path.name} could not be written: {error.strerror}.") from error


def _drawn(document: str, form: str) -> bytes:
    if form == ".json":
        return f"{document}\n".encode()
    import vl_convert

    if form == ".png":
        return bytes(vl_convert.vegalite_to_png(document, scale=2, allowed_base_urls=[]))
    return str(vl_convert.vegalite_to_svg(document, allowed_base_urls=[])).encode()
