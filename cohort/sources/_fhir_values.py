"""What stands in a FHIR element: objects, words, codings, and the value of an Observation."""

from typing import Any, NamedTuple

from .. import codes
from ..words import number

Resource = dict[str, Any]
Coding = tuple[str, str, str]
"""System, code, display."""


def node(value: Any) -> Resource:
    """An object; an empty one where there is none."""
    return value if isinstance(value, dict) else {}


def nodes(value: Any) -> list[Resource]:
    """The objects of a list; of a single one, that one."""
    return [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, dict)]


def word(value: Any) -> str:
    """A text; empty where there is none."""
    return value.strip() if isinstance(value, str) else str(value) if isinstance(value, int | float) else ""


def codings(concept: Any) -> list[Coding]:
    """System, code and display of every coding of a CodeableConcept, or of a list of them."""
    triples = [
        (word(c.get("system")), word(c.get("code")), word(c.get("display")))
        for one in nodes(concept)
        for c in nodes(one.get("coding"))
    ]
    return [(s, c, d) for s, c, d in triples if c or d]


class FhirValue(NamedTuple):
    """What was found."""

    value: float | None = None
    unit: str | None = None
    said: str | None = None
    coded: bool = False


NOTHING = FhirValue()


def value_of(holder: Resource) -> FhirValue:
    """The value[x] of an Observation or a component. Dates are none: a timeline holds ages only."""
    if quantity := node(holder.get("valueQuantity")):
        return _quantity(quantity)
    for name in ("valueInteger", "valueDecimal"):
        if (value := number_in(holder.get(name))) is not None:
            return FhirValue(value)
    if concept := node(holder.get("valueCodeableConcept")):
        named = [d or f"{codes.system(s)} {c}".strip() for s, c, d in codings(concept)]
        text = word(concept.get("text"))
        return FhirValue(said=named[0], coded=True) if named else FhirValue(said=text) if text else NOTHING
    if isinstance(holder.get("valueBoolean"), bool):
        return FhirValue(said="yes" if holder["valueBoolean"] else "no", coded=True)
    if bounds := node(holder.get("valueRange")):
        return _range(bounds)
    if ratio := node(holder.get("valueRatio")):
        return _ratio(ratio)
    text = word(holder.get("valueString"))
    return FhirValue(said=text) if text else NOTHING


def _quantity(quantity: Resource) -> FhirValue:
    value, raw = number_in(quantity.get("value")), word(quantity.get("value"))
    unit = word(quantity.get("code")) if "unitsofmeasure" in word(quantity.get("system")) else ""
    unit = unit or word(quantity.get("unit")) or word(quantity.get("code"))
    if value is None:
        return FhirValue(said=raw) if raw else NOTHING
    sign = word(quantity.get("comparator"))
    return FhirValue(value, unit or None, f"{sign}{raw}" if sign else None, bool(sign))


def _range(bounds: Resource) -> FhirValue:
    low, high = (node(bounds.get(end)) for end in ("low", "high"))
    unit = word(low.get("unit")) or word(high.get("unit"))
    values = [number_in(e.get("value")) for e in (low, high)]
    text = "–".join(number(v) for v in values if v is not None)
    mark = "≥" if values[1] is None else "≤" if values[0] is None else ""
    return FhirValue(said=f"{mark}{text} {unit}".strip(), coded=True) if text else NOTHING


def _ratio(ratio: Resource) -> FhirValue:
    values = [number_in(node(ratio.get(end)).get("value")) for end in ("numerator", "denominator")]
    return (
        FhirValue(said=":".join(number(v) for v in values if v is not None), coded=True)
        if None not in values
        else NOTHING
    )


def number_in(value: Any) -> float | None:
    try:
        number = (
            float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
        )
    except ValueError:
        return None
    return number if number is not None and abs(number) < float("inf") else None
