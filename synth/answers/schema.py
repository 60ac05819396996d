"""What an endpoint with structured output is held to; less tidy answers are read too."""

from typing import Any, get_args

from ..records import Kind
from ..styles import STYLES, VERIFY

MOST_CLAIMS = 12
"""Of an answer: a model that loops is stopped by the schema."""
MOST_CITES = 10
"""Of a claim."""


def schema(style: str) -> dict[str, Any]:
    """The JSON schema of an answer in the style of this name, within what strict structured output allows."""
    if style == VERIFY:
        return _object(checks=_array(_CHECK))
    sections = STYLES[style].sections if style in STYLES else ()
    claim = _object(
        section={"type": "string", "enum": list(sections) or [""]},
        kind={"type": "string", "enum": list(get_args(Kind))},
        text={"type": "string"},
        evidence={**_array({"type": "string", "pattern": "^E[0-9]{3,}$"}), "maxItems": MOST_CITES},
    )
    claims = {**_array(claim), "minItems": max(1, len(sections)), "maxItems": MOST_CLAIMS}
    return _object(claims=claims, verdict={"type": "integer", "enum": [0, 1]})


def _object(**members: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": members,
        "required": list(members),
        "additionalProperties": False,
    }


def _array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_CHECK = _object(claim={"type": "integer"}, supported={"type": "boolean"}, why={"type": "string"})
