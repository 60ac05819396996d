"""One table of nasty facts, run by every source: a new source meets them at once.

Each fact is about a person of its own; all of them stand in one set of records.
"""

import datetime as dt
import importlib.util
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest

from wherefore.cohort import sources
from wherefore.study import parts


def _beside(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_facts, _read = _beside("_facts"), _beside("_read")
Fact, Person, Records = _facts.Fact, _facts.Person, _facts.Records
AT_60, AT_69, AT_72 = 21_915, 25_202, 26_298
LETTER = "Dear Dr Roe,\nthank you for seeing Mrs Jane Doe of 12 Elm Street. " * 120
SICK = {"code": "F03", "system": "ICD10"}


class Nasty(NamedTuple):
    """Facts about one person, and what must come of them."""

    facts: Sequence[Any]
    reason: str | None = None
    """Why the person is left out; None: a case."""
    outcome: str = "event_free"
    says: tuple[str, ...] = ()
    """What the timeline says ..."""
    silent: tuple[str, ...] = ()
    """... and what it does not."""
    person: Callable[[str], Any] | None = None
    only: tuple[str, ...] = ()
    """Sources that can hold it; empty: all."""
    never: tuple[str, ...] = ()
    """Sources that cannot."""


def fact(day: int | None, code: str = "I10", system: str = "ICD10", **more: Any) -> Callable[[str], Any]:
    return lambda subject: Fact(subject, day, code, system, **more)


def lab(day: int | None, code: str, **more: Any) -> Callable[[str], Any]:
    return lambda subject: Fact(subject, day, code, "LOINC", **more)


ALIVE = fact(AT_60)
NASTY: dict[str, Nasty] = {
    "null beside a value": Nasty(
        [ALIVE, lab(AT_60, "2345-7"), lab(AT_69, "8302-2", value=165.0)],
        says=("8302-2 165", "2345-7"),
        silent=("165 cm", "mg/dL", "Not detected", "smoker"),
        never=("wide",),
    ),
    "unit in another spelling": Nasty(
        [ALIVE, lab(AT_69, "2160-0", value=75.0, unit="µmol/L")],
        says=("2160-0 0.85 mg/dL",),
        silent=("high", "low"),
        never=("wide",),
    ),
    "value without a unit": Nasty(
        [ALIVE, lab(AT_69, "2345-7", value=5.5)], says=("2345-7 5.5",), silent=("low",)
    ),
    "last of three without a value": Nasty(
        [ALIVE, lab(AT_60, "4548-4", value=5.5), lab(AT_69, "4548-4", value=6.5), lab(AT_69 + 200, "4548-4")],
        says=("4548-4 5.5; 3 times, 6.5 at 69.0, last at 69.5",),
        never=("wide",),
    ),
    "comparator": Nasty([ALIVE, lab(AT_69, "10839-9", word="<0.01")], says=("10839-9 <0.01",)),
    "qualitative result": Nasty(
        [ALIVE, lab(AT_69, "600-7", word="Not detected")], says=("600-7: Not detected",)
    ),
    "a letter": Nasty(
        [
            ALIVE,
            lab(AT_69, "11506-3", word=LETTER),
            *(lab(AT_60 + n, f"77{n}-1", value=float(n)) for n in range(9)),
        ],
        says=tuple(f"77{n}-1 {n}" for n in range(9)),
        silent=("\n",),
    ),
    "address": Nasty(
        [ALIVE, lab(AT_69, "56799-0", word="12 Elm Street")], silent=("Elm",), never=("synthea_csv", "wide")
    ),
    "comparator beside its number": Nasty(
        [ALIVE, lab(AT_69, "33914-3", value=60.0, word=">")],
        says=("33914-3 >60",),
        only=("meds", "long_csv"),
    ),
    "words beside a number": Nasty(
        [ALIVE, lab(AT_69, "2823-3", value=4.1, word="High")],
        says=("2823-3 4.1",),
        silent=("High",),
        only=("meds", "omop", "long_csv"),
    ),
    "disease without a date": Nasty([ALIVE, fact(None, **SICK)], reason="undated_disease"),
    "disease with a date that is none": Nasty(
        [ALIVE, fact(None, when="BAD", **SICK)], reason="undated_disease", never=("meds",)
    ),
    "disease before birth": Nasty([ALIVE, fact(-400, **SICK)], reason="undated_disease"),
    "another condition without a date": Nasty([ALIVE, fact(None, "E66")], silent=("E66",)),
    "a drug for it without a date": Nasty(
        [ALIVE, fact(None, "135447", "RxNorm", kind="drug")], reason="undated_disease"
    ),
    "dead without a date": Nasty(
        [ALIVE], reason="undated_death", person=lambda i: Person(i, dead=True), never=("synthea_csv",)
    ),
    "dead": Nasty([ALIVE], outcome="death", person=lambda i: Person(i, died=AT_72)),
    "procedure with the code of a disease": Nasty([ALIVE, fact(AT_72, "290", "ICD9", kind="procedure")]),
    "allergy to a drug for it": Nasty([ALIVE, fact(AT_60, "135447", "RxNorm", kind="allergy")]),
    "second code": Nasty(
        [ALIVE, fact(AT_72, "9999999", "SNOMED", also=(("ICD10", "G30.9"),))],
        outcome="onset",
        only=("meds", "omop", "fhir_bulk", "fhir_bundles"),
    ),
    "code with the marks of ICD-10": Nasty([ALIVE, fact(AT_72, "f00.1*")], outcome="onset"),
    "same code in two spellings": Nasty(
        [ALIVE, fact(AT_60, "E11.9"), fact(AT_69, "e119")], says=("; 2 times, last at 69.0",)
    ),
    "in a gap": Nasty(
        [ALIVE],
        reason="between_periods",
        only=("omop",),
        person=lambda i: Person(
            i,
            periods=((dt.date(1990, 1, 1), dt.date(2005, 1, 1)), (dt.date(2012, 1, 1), dt.date(2025, 1, 1))),
        ),
    ),
    "a gap within the horizon": Nasty(
        [ALIVE, fact(27_400, **SICK)],
        reason="lost_to_followup",
        only=("omop",),
        person=lambda i: Person(
            i,
            periods=((dt.date(1990, 1, 1), dt.date(2011, 1, 1)), (dt.date(2014, 1, 1), dt.date(2025, 1, 1))),
        ),
    ),
    "onset": Nasty([ALIVE, fact(AT_72, **SICK)], outcome="onset"),
}
IDS = {name: str(i) for i, name in enumerate(NASTY, 1)}


def fits(source: str, n: Nasty) -> bool:
    return source not in n.never and (not n.only or source in n.only)


def records(source: str) -> Any:
    """All facts that a source can hold; everybody has a last event at 80, but the dead."""
    mine = {name: n for name, n in NASTY.items() if fits(source, n)}
    people = {IDS[name]: n.person(IDS[name]) for name, n in mine.items() if n.person}
    facts = [make(IDS[name]) for name, n in mine.items() for make in n.facts]
    alive = [i for i in map(IDS.get, mine) if i not in people or not (people[i].dead or people[i].died)]
    return Records([*facts, *(Fact(str(i), 29_220, "Z00", "ICD10") for i in alive)], people)


TRIED = [
    pytest.param(source, shape, name, id=f"{source}-{shape}-{name}")
    for source, (_, shapes) in _facts.WRITERS.items()
    for shape in shapes
    for name, n in NASTY.items()
    if fits(source, n)
]


@cache
def cohort_of(source: str, shape: str) -> Any:
    write, _ = _facts.WRITERS[source]
    return _read.read(source, lambda folder: write(records(source), folder, shape), bad_rows=0.2)[0]


@pytest.mark.parametrize(("source", "shape", "name"), TRIED)
def test_a_nasty_fact(source: str, shape: str, name: str) -> None:
    cohort = cohort_of(source, shape)
    n, id = NASTY[name], IDS[name]
    left_out = cohort.exclusions.set_index("subject")["reason"].to_dict()
    cases: pd.DataFrame = cohort.cases.set_index("subject")
    assert left_out.get(id) == n.reason
    if n.reason is not None:
        assert id not in cases.index
        return
    assert cases.loc[id, "outcome"] == n.outcome
    lines = cases.loc[id, "timeline"].splitlines()
    text = " | ".join(lines)
    for words in n.says:
        assert words in text
    for words in n.silent:
        assert not any(words in line for line in lines)
    assert all(len(line) < 200 for line in lines)
    assert not any(word in text for word in ("nan", "None", "\\N", "F03"))


def test_every_source_is_tried() -> None:
    assert {*_facts.WRITERS, "simulated"} == set(parts.names(sources))
