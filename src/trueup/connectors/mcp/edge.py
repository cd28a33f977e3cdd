"""The edge between a gateway and its agent: what leaves is masked, and what comes in has its values back.

Everything that an agent can read passes here once, behind the gate: by then the outcome is on record. What cannot
be masked (a picture, a payload that is nested too deep) does not leave.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from mcp import types
from mcp.shared.exceptions import MCPError
from pydantic import BaseModel

from trueup.connectors.mcp import answers
from trueup.enforce.masking.finder import MaskingError
from trueup.kernel.errors import TrueupError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trueup.enforce.masking.payload import Masking
    from trueup.enforce.request import Request
    from trueup.kernel.canonical import Json

Item = TypeVar("Item", bound=BaseModel)

# What the protocol itself says: no words of anybody's.
_STRUCTURE = frozenset({"type", "size", "isError", "resultType", "role", "mimeType"})
_BINARY = frozenset({"data", "blob"})
_WITHHELD = "[withheld: what is no text cannot be masked]"
# Of our own answers the ids are what an agent goes on with; only the words may hold somebody's.
_OWN_WORDS = frozenset({"reasons"})


@dataclass(frozen=True, slots=True)
class Edge:
    """What masks for one workflow; `masking` returns None where its data masks nothing. All of it may block."""

    masking: Callable[[], Masking | None]

    def masks(self) -> bool:
        """Tell whether anything is masked; where that cannot be told, something is. Does not block once it is open."""
        try:
            return self.masking() is not None
        except TrueupError:
            return True

    def restored(self, request: Request) -> Request:
        """Return a request with the values that its tokens stand for. Raises MaskingError for one never given."""
        masking = self.masking()
        if masking is None:
            return request
        arguments = cast("Mapping[str, Json]", masking.restore(dict(request.arguments)))
        return replace(request, arguments=arguments)

    def result(self, result: types.CallToolResult) -> types.CallToolResult:
        """Return a result as the agent may read it; one that cannot be masked is withheld, and says so."""
        try:
            masking = self.masking()
            return result if masking is None else _masked(masking, result)
        except Exception as error:  # noqa: BLE001 -- whatever went wrong, nothing unmasked may leave
            return _withheld(result, error)

    def tool(self, tool: types.Tool) -> types.Tool:
        """Return a tool as it may be shown. Raises MaskingError.

        Its promise about results is left out: a number that is masked is a text, and clients hold results against it.
        """
        masking = self.masking()
        if masking is None:
            return tool
        said = masking.text(tool.description) if tool.description else tool.description
        return tool.model_copy(update={"description": said, "output_schema": None})

    def described(self, item: Item) -> Item:
        """Return a resource, a template or a prompt as it may be listed. Raises MaskingError."""
        masking = self.masking()
        if masking is None:
            return item
        said = item.model_dump(mode="json", by_alias=True, exclude_none=True)
        return type(item).model_validate(_words(masking, said), by_name=False)

    def contents(self, result: dict[str, Any]) -> dict[str, Any]:
        """Return what was read (a resource, a prompt, completions) as the agent may read it. Raises MaskingError."""
        masking = self.masking()
        return result if masking is None else cast("dict[str, Any]", _words(masking, _texts_only(result)))

    def notice(self, value: Any) -> Any:
        """Return what a server says beside all calls, or None where it cannot be masked."""
        try:
            masking = self.masking()
            return value if masking is None else cast("dict[str, Json]", masking.json({"": value}))[""]
        except Exception:  # noqa: BLE001 -- a notice may be lost, and nothing else
            return None

    def value(self, text: str) -> str:
        """Return a text with what its tokens stand for. Raises MaskingError for one never given."""
        masking = self.masking()
        return text if masking is None else str(cast("Any", masking.restore({"": text}))[""])

    def error(self, error: MCPError) -> MCPError:
        """Return an error as the agent may read it."""
        try:
            masking = self.masking()
            return error if masking is None else MCPError(error.error.code, masking.text(error.error.message))
        except Exception:  # noqa: BLE001 -- the code says that it failed; why, nobody could mask
            return MCPError(error.error.code, "The tool failed; what it said could not be masked.")

    def words(self, text: str | None) -> str | None:
        """Return words beside a call (progress), or none where they cannot be masked."""
        try:
            masking = self.masking()
            return text if masking is None or not text else masking.text(text)
        except Exception:  # noqa: BLE001 -- progress may lose its words, and nothing else
            return None

    def questions(self, questions: types.InputRequests) -> types.InputRequests:
        """Return questions of a tool as they may be asked. Raises MaskingError."""
        masking = self.masking()
        if masking is None:
            return questions
        return {key: _question(masking, question) for key, question in questions.items()}

    def reply(self, responses: types.InputResponses) -> types.InputResponses:
        """Return what was answered, with its values back. Raises MaskingError for a token never given."""
        masking = self.masking()
        if masking is None:
            return responses
        return {key: _answer(masking, response) for key, response in responses.items()}


def _masked(masking: Masking, result: types.CallToolResult) -> types.CallToolResult:
    said = result.model_dump(mode="json", by_alias=True, exclude_none=True)
    masked: dict[str, Any] = {key: said[key] for key in _STRUCTURE & set(said)}
    masked["content"] = [_block(masking, block) for block in said.get("content") or []]
    if "structuredContent" in said:
        masked["structuredContent"] = masking.json(_without_binary(said["structuredContent"]))
    if "_meta" in said:
        masked["_meta"] = {key: _meta(masking, key, value) for key, value in said["_meta"].items()}
    return types.CallToolResult.model_validate(masked, by_name=False)


def _block(masking: Masking, block: Mapping[str, Any]) -> dict[str, Any]:
    """Return one part of a result: words masked; what is no text is not looked into, and stays."""
    content = block.get("resource", block)
    if _BINARY & set(content):
        return {"type": "text", "text": _WITHHELD}
    return cast("dict[str, Any]", _words(masking, block))


def _words(masking: Masking, value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {
            name: one if name in _STRUCTURE else masking.json(one) if name == "_meta" else _words(masking, one, name)
            for name, one in value.items()
        }
    if isinstance(value, list):
        return [_words(masking, one, key) for one in value]
    return masking.text(value) if isinstance(value, str) else value


def _texts_only(value: Any) -> Any:
    """Return what was read with a sentence in the place of all that is no text."""
    if isinstance(value, dict):
        if _BINARY & set(value) and "uri" in value:
            return {"uri": value["uri"], "mimeType": "text/plain", "text": _WITHHELD}
        if _BINARY & set(value):
            return {"type": "text", "text": _WITHHELD}
        return {name: _texts_only(one) for name, one in value.items()}
    return [_texts_only(one) for one in value] if isinstance(value, list) else value


def _without_binary(value: Any) -> Any:
    """Return a value without the content of pictures and the like, by the form that the protocol gives them."""
    if isinstance(value, dict):
        hidden = _BINARY if "mimeType" in value else frozenset[str]()
        return {name: _WITHHELD if name in hidden else _without_binary(one) for name, one in value.items()}
    return [_without_binary(one) for one in value] if isinstance(value, list) else value


def _meta(masking: Masking, key: str, value: Any) -> Any:
    if key != answers.ANSWER:
        return cast("dict[str, Json]", masking.json({"": value}))[""]
    return {name: masking.json(one) if name in _OWN_WORDS else one for name, one in value.items()}


def _question(masking: Masking, question: Any) -> Any:
    said = question.model_dump(mode="json", by_alias=True, exclude_none=True)
    params = said["params"]
    masked = {
        name: _described(masking, one) if name == "requestedSchema" else _asked(masking, name, one)
        for name, one in params.items()
    }
    return types.ElicitRequest.model_validate({**said, "params": masked}, by_name=False)


def _asked(masking: Masking, name: str, value: Any) -> Any:
    return masking.text(value) if name in {"message", "url"} else value


def _described(masking: Masking, schema: Any) -> Any:
    """Return the form of an answer: names stay, for the answer comes back under them; the words are masked."""
    if isinstance(schema, dict):
        return {
            name: masking.json(one)
            if name in {"title", "description", "default", "examples"} and not isinstance(one, dict)
            else _described(masking, one)
            for name, one in schema.items()
        }
    if isinstance(schema, list):
        return [_described(masking, one) for one in schema]
    return masking.text(schema) if isinstance(schema, str) else schema


def _answer(masking: Masking, response: Any) -> Any:
    content = getattr(response, "content", None)
    if not isinstance(response, types.ElicitResult) or content is None:
        return response
    return response.model_copy(update={"content": masking.restore(dict(content))})


def _withheld(result: types.CallToolResult, error: Exception) -> types.CallToolResult:
    """Say that there is an answer that does not leave. What it did to the world is done."""
    why = error.code if isinstance(error, MaskingError) else "masking-failed"
    meta = (result.meta or {}).get(answers.ANSWER)
    if isinstance(meta, dict):
        # An answer of ours: its verdict is what it was, only its words stay here.
        kept = {key: value for key, value in meta.items() if key not in _OWN_WORDS}
        return answers.told("Nothing was sent back: the gateway's answer could not be masked.", **kept)
    state = "failed" if result.is_error else "done"
    text = (
        f"The call has run ({state}), and its answer is withheld: it could not be masked ({why}). Do not call it "
        "again for the answer: it would run again."
    )
    return answers.told(text, verdict="allow", state=state, decisive=why, withheld=True)
