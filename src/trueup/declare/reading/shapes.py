"""What a model asks for at a path: the keys that may stand there. Models are looked at, never copied by hand."""

from __future__ import annotations

import functools
import types
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from trueup.declare.programme import Path_


def keys_at(model: type[BaseModel], path: Path_) -> tuple[str, ...]:
    """Return the keys that may stand at a path of a file; none where any key may, or where there is no mapping."""
    here: list[Any] = [model]
    for step in path:
        here = [inner for shape in here for inner in _below(shape, step)]
    return next((_names(shape) for shape in here if _is_model(shape)), ())


@functools.cache
def _names(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in model.model_fields.items())


def _below(shape: Any, step: str | int) -> list[Any]:
    """Return what may stand at a key or a position inside a shape."""
    if _is_model(shape):
        fields = {field.alias or name: field for name, field in shape.model_fields.items()}
        return list(_plain(fields[step].annotation)) if step in fields else []
    inner = get_args(shape)
    if get_origin(shape) is dict:
        return list(_plain(inner[1]))
    return list(_plain(inner[0])) if get_origin(shape) is tuple else []


def _plain(annotation: Any) -> Iterator[Any]:
    """Yield the alternatives of an annotation, without what is only said about them."""
    if get_origin(annotation) is Annotated:
        yield from _plain(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, types.UnionType):
        for inner in get_args(annotation):
            yield from _plain(inner)
    else:
        yield annotation


def _is_model(shape: Any) -> bool:
    return isinstance(shape, type) and issubclass(shape, BaseModel)
