"""One FHIR R4 resource becomes events: which date, which code, which value."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from .. import codes


class Fact(NamedTuple):
    """An event as text, before its date is read."""

    subject: str
    time: str | None
    system: str
    code: str
    kind: str
    name: str
    value: float | None = None
    unit: str | None = None
    text: str | None = None
    coded: bool = False
    """Whether the text is a word of a vocabulary."""


Resource = dict[str, Any]
REFERENCE = "Medication/"
DATES = {
    "Condition": ("recordedDate", "assertedDate", "onsetDateTime", "onsetPeriod"),
    "Encounter": ("period",),
    "MedicationRequest": ("authoredOn",),
    "MedicationStatement": ("effectiveDateTime", "effectivePeriod", "dateAsserted"),
    "MedicationAdministration": ("effectiveDateTime", "effectivePeriod"),
    "MedicationDispense": ("whenHandedOver", "whenPrepared"),
    "Observation": ("effectiveDateTime", "effectivePeriod", "effectiveInstant", "issued"),
    "Procedure": ("performedDateTime", "performedPeriod", "occurrenceDateTime", "occurrencePeriod"),
    "AllergyIntolerance": ("recordedDate", "onsetDateTime", "assertedDate"),
    "Immunization": ("occurrenceDateTime", "recorded"),
}
"""Resource -> where its date stands, first choice first; for conditions the day it was recorded, because a date of
onset may be written down long after."""
KINDS = {
    "Condition": "condition", "Encounter": "visit", "MedicationRequest": "drug", "MedicationStatement": "drug",
    "MedicationAdministration": "drug", "MedicationDispense": "drug", "Observation": "measurement",
    "Procedure": "procedure", "AllergyIntolerance": "condition", "Immunization": "drug",
}  # fmt: skip
_VOID = {
    "entered-in-error",
    "cancelled",
    "draft",
    "not-done",
    "planned",
    "refuted",
    "preparation",
    "proposed",
}
_CLASSES = {"AMB": "Outpatient visit", "IMP": "Inpatient visit", "ACUTE": "Inpatient visit",
            "NONAC": "Inpatient visit", "EMER": "Emergency visit", "HH": "Home visit",
            "VR": "Virtual visit", "SS": "Short stay"}  # fmt: skip


def reference(node: Resource | None) -> str:
    """The id in a reference: `Patient/x`, `urn:uuid:x`, an address ending in `/Patient/x`, also with a version.

    >>> reference({"reference": "urn:uuid:a-1"}), reference({"reference": "http://h/Patient/7/_history/2"})
    ('a-1', '7')
    """
    text = str((node or {}).get("reference", "")).split("/_history/")[0]
    return text.removeprefix("urn:uuid:").rsplit("/", 1)[-1]


def patient(resource: Resource) -> dict[str, Any]:
    """subject, sex, birth and death (text) of a Patient."""
    return {
        "subject": str(resource.get("id", "")),
        "sex": resource.get("gender"),
        "birth": resource.get("birthDate"),
        "death": resource.get("deceasedDateTime"),
        "site": reference(resource.get("managingOrganization")) or None,
    }


def void(resource: Resource) -> str | None:
    """Why a resource does not count, in its own words; None when it does."""
    status = str(resource.get("status", ""))
    verification, _ = coding(resource.get("verificationStatus"))
    for word in (status, verification[1]):
        if word in _VOID:
            return word
    return None


def facts(resource: Resource, dates: dict[str, tuple[str, ...]]) -> Iterator[Fact]:
    """The events of one resource.

    Args:
        resource: of a type in `KINDS`.
        dates: as `DATES`.
    Yields:
        Facts; one whose drug stands in a Medication of its own has the system `REFERENCE` and that id as its code.
    """
    kind = str(resource["resourceType"])
    subject = reference(resource.get("subject") or resource.get("patient"))
    time = _time(resource, dates[kind])
    if kind == "Encounter":
        yield Fact(subject, time, "VISIT", *_visit(resource))
        return
    if "medicationReference" in resource:
        yield Fact(subject, time, REFERENCE, reference(resource["medicationReference"]), KINDS[kind], "")
        return
    node = resource.get("code") or resource.get("vaccineCode") or resource.get("medicationCodeableConcept")
    node = node or resource.get("medication", {}).get("concept")
    (system, code), name = coding(node)
    what = _observation_kind(resource) if kind == "Observation" else KINDS[kind]
    parts = resource.get("component") or []
    value = _value(resource)
    if not parts or any(v is not None for v in value[:3]):
        yield Fact(subject, time, system, code, what, name, *value)
    for part in parts:
        (system, code), name = coding(part.get("code"))
        yield Fact(subject, time, system, code, what, name, *_value(part))


def _time(resource: Resource, places: tuple[str, ...]) -> str | None:
    for place in places:
        found = resource.get(place)
        if isinstance(found, dict):
            found = found.get("start") or found.get("end")
        if found:
            return str(found)
    return None


def _visit(resource: Resource) -> tuple[str, str, str]:
    """code, kind, name of an encounter: its class, which is a list in R5."""
    given: Any = resource.get("class") or {}
    of: Resource = (given or [{}])[0] if isinstance(given, list) else given
    code = str(of.get("code") or (of.get("coding") or [{}])[0].get("code") or "VISIT")
    return code, "visit", _CLASSES.get(code, f"Visit {code}")


def coding(node: Resource | None) -> tuple[tuple[str, str], str]:
    """((system, code), name): the first coding of a known system, else the first one, else the text."""
    node = node or {}
    found = [
        (codes.system(str(c.get("system", ""))), str(c.get("code", "")), str(c.get("display") or ""))
        for c in node.get("coding", [])
    ]
    text = str(node.get("text") or "")
    if not found:
        return ("text", text), text
    system, code, name = next((f for f in found if codes.kind(f[0], "") != ""), found[0])
    return (system, code), name or text or f"{system} {code}"


def _observation_kind(resource: Resource) -> str:
    groups = [coding(c)[0][1] for c in resource.get("category") or []]
    return "observation" if set(groups) & {"social-history", "survey"} else "measurement"


def _value(node: Resource) -> tuple[float | None, str | None, str | None, bool]:
    """value, unit, text, and whether the text is a word of a vocabulary."""
    quantity = node.get("valueQuantity")
    if quantity and quantity.get("value") is not None:
        return float(quantity["value"]), quantity.get("unit") or quantity.get("code"), None, False
    for name in ("valueInteger", "valueDecimal"):
        if node.get(name) is not None:
            return float(node[name]), None, None, False
    if concept := node.get("valueCodeableConcept"):
        return None, None, coding(concept)[1], bool(concept.get("coding"))
    if node.get("valueBoolean") is not None:
        return None, None, "yes" if node["valueBoolean"] else "no", True
    return None, None, node.get("valueString"), False
