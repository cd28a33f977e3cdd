"""The envelope as it goes over HTTP: what arrives in a terminal by `curl` has nothing in it that a terminal obeys."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import JSONResponse

from trueup.kernel.text import quieted


class EnvelopeResponse(JSONResponse):
    """JSON with control characters, direction marks and what is invisible as escapes; the value is the same."""

    def render(self, content: Any) -> bytes:
        """Write the content. Raises ValueError for what JSON cannot carry."""
        return quieted(json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))).encode()
