"""Portfolio: what next, and how sure are we? The ranking of `trueup rank`, as of a day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.choose.portfolio.answer import ranking
from trueup.choose.portfolio.ranking import Question
from trueup.declare.programme import PROGRAMME_FILE, use_case_file
from trueup.declare.read import require_sound

if TYPE_CHECKING:
    from trueup.web.site import Look, Site

SEED = 1


def portfolio(site: Site, look: Look) -> dict[str, Any]:
    """Return what `rank` answers. Raises DeclarationError when the programme's file or a use case has errors."""
    checked = site.checked()
    require_sound(checked, {PROGRAMME_FILE, *map(use_case_file, checked.programme.use_cases)})
    return ranking(checked.programme, Question(look.as_of.date(), SEED))
