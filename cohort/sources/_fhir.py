"""One FHIR resource (DSTU2 to R5) becomes events: which date, which codes, which value.

Servers write more than the standard allows, so every step takes what it expects and passes over the rest.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from .. import codes
from ..words import LONGEST_NAME, one_line
from ._fhir_values import NOTHING, Coding, Resource, codings, node, nodes, number_in, value_of, word


class FhirFact(NamedTuple):
    """An event as text, before its date is read."""

    subject: str
    time: str | None
    age: float | None
    """Years, where a date is missing and an age is said."""
    encounter: str
    """Of the visit at which it was recorded; its end is the date where there is no other."""
    kind: str
    codings: tuple[Coding, ...]
    """The one that names the fact comes first."""
    text: str
    """Name in the record's own words."""
    medication: str = ""
    """Id of a Medication that stands elsewhere and has the codings."""
    value: float | None = None
    unit: str | None = None
    said: str | None = None
    coded: bool = False
    """Whether `said` is a word of a vocabulary."""


DATES = {
    "Condition": ("recordedDate", "assertedDate", "dateRecorded", "onsetDateTime", "onsetPeriod"),
    "Encounter": ("period", "actualPeriod"),
    "MedicationRequest": ("authoredOn",),
    "MedicationOrder": ("dateWritten",),
    "MedicationStatement": ("effectiveDateTime", "effectivePeriod", "dateAsserted"),
    "MedicationAdministration": (
        "effectiveDateTime",
        "effectivePeriod",
        "effectiveTimeDateTime",
        "effectiveTimePeriod",
        "occurenceDateTime",
        "occurencePeriod",
    ),
    "MedicationDispense": ("whenHandedOver", "whenPrepared"),
    "Observation": ("effectiveDateTime", "effectivePeriod", "effectiveInstant", "issued"),
    "Procedure": ("performedDateTime", "performedPeriod", "occurrenceDateTime", "occurrencePeriod"),
    "AllergyIntolerance": ("recordedDate", "assertedDate", "onsetDateTime", "onset"),
    "Immunization": ("occurrenceDateTime", "date", "recorded"),
}
"""Resource -> where its date stands, first choice first; for conditions the day it was recorded, because a date of
onset may be written down long after."""
KINDS = {
    "Condition": "condition",
    "Encounter": "visit",
    "MedicationRequest": "drug",
    "MedicationOrder": "drug",
    "MedicationStatement": "drug",
    "MedicationAdministration": "drug",
    "MedicationDispense": "drug",
    "Observation": "measurement",
    "Procedure": "procedure",
    "AllergyIntolerance": "condition",
    "Immunization": "drug",
}
_VOID = frozenset(
    [
        "entered-in-error",
        "cancelled",
        "draft",
        "not-done",
        "planned",
        "refuted",
        "preparation",
        "proposed",
        "not-taken",
        "registered",
        "inactive-duplicate",
        "nullified",
    ]
)
"""Words of `status` that mean that it did not happen, or not yet."""
_DENIED = ("doNotPerform", "notDone", "notGiven", "notPerformed", "wasNotTaken", "wasNotGiven")
"""Elements that turn a resource into its opposite when they are true."""
CERTAINTIES = ("confirmed", "unstated", "provisional", "differential", "unconfirmed")
_GERMAN = {"G": "confirmed", "V": "provisional", "A": "refuted", "Z": "unstated"}
"""Diagnosensicherheit of ICD-10-GM: certain, suspected, excluded, state after."""


def reference(value: Any) -> str:
    """The id in a reference: `Patient/x`, `urn:uuid:x`, an address ending in `/Patient/x`, also with a version.

    >>> reference({"reference": "urn:uuid:a-1"}), reference({"reference": "http://h/Patient/7/_history/2"})
    ('a-1', '7')
    """
    text = word(node(value).get("reference")) or word(value)
    return text.split("/_history/")[0].removeprefix("urn:uuid:").rsplit("/", 1)[-1]


def subject(resource: Resource) -> str:
    """Id of the Patient that a resource is about; empty where it is about a Group, a Device, or nobody.

    >>> subject({"subject": {"reference": "Patient/7"}}), subject({"subject": {"reference": "Group/7"}})
    ('7', '')
    """
    given = resource.get("subject") or resource.get("patient")
    text = word(node(given).get("reference")) or word(given)
    kind = text.split("/_history/")[0].rstrip("/").split("/")[-2:-1]
    return reference(given) if not kind or kind == ["Patient"] or not kind[0].isalpha() else ""


def patient(resource: Resource) -> dict[str, Any]:
    """subject, sex, birth, death (text) and dead of a Patient."""
    death = word(resource.get("deceasedDateTime")) or None
    return {
        "subject": word(resource.get("id")),
        "sex": word(resource.get("gender")) or None,
        "birth": word(resource.get("birthDate")) or None,
        "death": death,
        "dead": death is not None or resource.get("deceasedBoolean") in (True, "true"),
        "site": reference(resource.get("managingOrganization")) or None,
    }


def of_others(resource: Resource) -> bool:
    """Whether a resource says that it is about a Group, a Device or another thing that is no Patient."""
    given = resource.get("subject") or resource.get("patient")
    return "/" in word(node(given).get("reference")) and not subject(resource)


def version(resource: Resource) -> float:
    """When a resource was last changed, as a number that grows; 0 where it does not say."""
    meta = node(resource.get("meta"))
    digits = re.sub(r"\D", "", word(meta.get("lastUpdated")))[:14]
    return float(digits or re.sub(r"\D", "", word(meta.get("versionId")))[:14] or 0)


def void(resource: Resource) -> str | None:
    """Why a resource does not count, in its own words; None when it does."""
    status = word(resource.get("status")).lower()
    if status in _VOID:
        return status
    if word(resource.get("intent")).lower() in ("proposal", "option"):
        return word(resource.get("intent")).lower()
    denied = next((name for name in _DENIED if resource.get(name) in (True, "true")), None)
    return "not-taken" if denied is None and word(resource.get("taken")).lower() == "n" else denied


def certainty(resource: Resource) -> str:
    """How sure a condition is: one of `CERTAINTIES`, or `refuted`, `entered-in-error`.

    `verificationStatus` is a CodeableConcept since R4 and a word before; ICD-10-GM has an extension of its own.
    """
    given = resource.get("verificationStatus")
    status = word(given) or next((c for _, c, _ in codings(given)), "") or word(node(given).get("text"))
    german = [_GERMAN.get(word(node(e.get("valueCoding")).get("code"))) for e in _extensions(resource)]
    return next((g for g in german if g), "") or status.strip().lower() or "unstated"


def _extensions(resource: Resource) -> list[Resource]:
    of_codings = [
        e
        for one in nodes(resource.get("code"))
        for c in nodes(one.get("coding"))
        for e in nodes(c.get("extension"))
    ]
    return [e for e in of_codings if "diagnosesicherheit" in word(e.get("url")).lower()]


def facts(
    resource: Resource, dates: dict[str, tuple[str, ...]], system: Callable[[str], str]
) -> Iterator[FhirFact]:
    """The events of one resource.

    Args:
        resource: of a type in `KINDS`.
        dates: as `DATES`.
        system: from the address of a coding system to its common name.
    """
    kind = str(resource["resourceType"])
    visit = resource.get("encounter") or resource.get("context")
    base = FhirFact(
        subject=subject(resource),
        time=_time(resource, dates[kind]),
        age=_age(resource.get("onsetAge") or resource.get("onsetQuantity")),
        encounter="" if kind == "Encounter" else reference(visit),
        kind=KINDS[kind],
        codings=(),
        text="",
    )
    if kind == "Encounter":
        code, name = _visit(resource)
        yield base._replace(codings=(("VISIT", code, name),))
    elif base.kind == "drug":
        yield _drug(resource, base, system)
    elif kind == "Observation":
        yield from _observation(resource, base, system)
    else:
        fact = _coded(base, resource.get("code") or resource.get("substance"), system)
        if kind == "AllergyIntolerance":
            named = [(s, c, codes.of_allergy(d or fact.text or f"{s} {c}")) for s, c, d in fact.codings]
            fact = fact._replace(codings=tuple(named), text=codes.of_allergy(fact.text) if fact.text else "")
        yield fact


def _coded(base: FhirFact, concept: Any, system: Callable[[str], str], first: str = "") -> FhirFact:
    """The fact with the codings of a CodeableConcept, those of known systems first."""
    named = [(system(s), c, d) for s, c, d in codings(concept)]
    ranked = sorted(named, key=lambda f: (f[0] != first, f[0] not in codes.SYSTEMS))
    text = next((t for one in nodes(concept) if (t := word(one.get("text")))), "")
    return base._replace(codings=tuple(ranked), text=text or word(concept))


def _drug(resource: Resource, base: FhirFact, system: Callable[[str], str]) -> FhirFact:
    given = node(resource.get("medication"))
    concept = resource.get("medicationCodeableConcept") or resource.get("vaccineCode") or given.get("concept")
    if concept:
        return _coded(base, concept, system)
    pointer = resource.get("medicationReference") or given.get("reference") or given
    id = reference(pointer)
    inside = [r for r in nodes(resource.get("contained")) if word(r.get("id")) == id.removeprefix("#")]
    if inside:
        return medication(base, inside[0], system)
    return base._replace(medication=id, text=word(node(pointer).get("display")))


def medication(base: FhirFact, resource: Resource, system: Callable[[str], str]) -> FhirFact:
    """The fact with the codings of a Medication, of its ingredients where it has none itself."""
    fact = _coded(base, resource.get("code"), system)
    for part in nodes(resource.get("ingredient")) if not fact.codings else ():
        item = part.get("itemCodeableConcept") or node(part.get("item")).get("concept")
        inner = _coded(base, item, system)
        fact = fact._replace(codings=fact.codings + inner.codings, text=fact.text or inner.text)
    return fact


def _observation(resource: Resource, base: FhirFact, system: Callable[[str], str]) -> Iterator[FhirFact]:
    """Its own finding and those of its components; a panel without a value of its own is no finding."""
    groups = {c for g in nodes(resource.get("category")) for _, c, _ in codings(g)}
    base = base._replace(kind="observation" if groups & {"social-history", "survey"} else "measurement")
    parts = [p for p in nodes(resource.get("component")) if not absent(p)]
    value = value_of(resource)
    panel = resource.get("component") or resource.get("hasMember") or resource.get("related")
    if value != NOTHING or not (panel or absent(resource)):
        yield _coded(base, resource.get("code"), system, "LOINC")._replace(**value._asdict())
    for part in parts:
        yield _coded(base, part.get("code"), system, "LOINC")._replace(**value_of(part)._asdict())


def absent(resource: Resource) -> bool:
    """Whether it says that there is no result."""
    return bool(resource.get("dataAbsentReason")) and value_of(resource) == NOTHING


def _time(resource: Resource, places: tuple[str, ...]) -> str | None:
    for place in places:
        value = resource.get(place)
        period = node(value)
        text = word(value) or word(period.get("start")) or word(period.get("end"))
        if text:
            return text
    return None


def end(resource: Resource) -> str | None:
    """When an Encounter was over, or else began: what was recorded at it is known from then on."""
    period = node(resource.get("period") or resource.get("actualPeriod"))
    return word(period.get("end")) or word(period.get("start")) or None


_YEARS = {
    "a": 1.0,
    "mo": 1 / 12,
    "wk": 7 / 365.25,
    "d": 1 / 365.25,
    "year": 1.0,
    "years": 1.0,
    "yr": 1.0,
    "": 1.0,
    "month": 1 / 12,
    "months": 1 / 12,
}


def _age(quantity: Any) -> float | None:
    value = number_in(node(quantity).get("value"))
    unit = (word(node(quantity).get("code")) or word(node(quantity).get("unit"))).lower()
    return None if value is None or unit not in _YEARS else value * _YEARS[unit]


def _visit(resource: Resource) -> tuple[str, str]:
    """code and name of an encounter: its class, a word in DSTU2, a Coding in R4, a list of concepts in R5."""
    given = resource.get("class")
    of = next(iter(nodes(given)), {})
    code = word(given) or word(of.get("code")) or next((c for _, c, _ in codings(of)), "") or "VISIT"
    return code, codes.visit(code)


def named(fact: FhirFact) -> tuple[str, str, str, tuple[tuple[str, str], ...]]:
    """system, code, name and other codes of a fact; the system is `text` where it has no code."""
    coded = [(s, one_line(c, LONGEST_NAME)) for s, c, _ in fact.codings if c]
    name = next((d for _, _, d in fact.codings if d), "") or fact.text
    if not coded:
        return "text", one_line(name, LONGEST_NAME), name, ()
    (system, code), *others = coded
    return system, code, name, tuple(others)
