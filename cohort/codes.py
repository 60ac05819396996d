"""Codes as they come, with their system in front, taken apart: `ICD10CM//F03.90` is F03.90 of ICD10."""

import json
import re
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

_TABLES: dict[str, dict[str, str]] = json.loads(
    files("wherefore.cohort").joinpath("data/systems.json").read_text(encoding="utf-8")
)
SYSTEMS = _TABLES["systems"]
"""Coding systems that are known, and what a code of each most often is."""
_SPELLINGS = _TABLES["spellings"]
_ADDRESSES = _TABLES["addresses"]
"""Of systems that the last part of their address does not name."""
_OIDS = _TABLES["oids"]
"""HL7's object identifiers of coding systems."""
_KINDS = _TABLES["kinds"]
_VISITS = _TABLES["visits"]
"""Kinds of visits by the codes of FHIR, OMOP and others, in lower case."""
_ICD = re.compile(r"(?:ICD|CIM|CIE)(9|10)([A-Z]{0,4})")
"""National editions: ICD-10-GM, CIM-10-FR, ... An edition has no procedures unless `_SPELLINGS` says so."""

_PROCEDURES = {"ICD10": "ICD10PCS", "ICD9": "ICD9PROC"}
"""What a code of ICD is when it stands under procedures."""


class Code(NamedTuple):
    """A code and what it is."""

    system: str
    code: str
    kind: str
    unit: str | None = None
    """Where it is part of the code: `LAB//50931//mg/dL`."""


@lru_cache(maxsize=4096)
def system(name: str) -> str:
    """The common name of a coding system: a name, an address, or an object identifier; unknown ones stay.

    >>> system("ICD-10-CM"), system("http://snomed.info/sct/900000000000207008"), system("LocalCode")
    ('ICD10', 'SNOMED', 'LocalCode')
    >>> system("urn:oid:2.16.840.1.113883.6.90"), system("http://fhir.de/CodeSystem/bfarm/icd-10-gm")
    ('ICD10', 'ICD10')
    >>> system("http://www.cms.gov/Medicare/Coding/ICD10"), system("http://hl7.org/fhir/sid/icd-9-cm/procedure")
    ('ICD10PCS', 'ICD9PROC')
    """
    bare = name.strip().rstrip("/")
    oid = bare.removeprefix("urn:oid:")
    if oid in _OIDS:
        return _OIDS[oid]
    if "://" not in bare:
        return _edition(_letters(bare)) or name
    address = re.split(r"[|?#]", bare.lower().replace("https://", "http://"))[0]
    if address in _ADDRESSES:
        return _ADDRESSES[address]
    if address.startswith("http://snomed.info/"):
        return "SNOMED"
    if address == "http://loinc.org":
        return "LOINC"
    *_, last = address.split("/")
    named = (_edition(_letters(part)) for part in reversed(address.split("/")[2:]))
    return next((known for known in named if known), None) or _of_a_site(last) or name


def _of_a_site(last: str) -> str | None:
    """ICD under a name of a site's own: `mimic-diagnosis-icd10`, `mimic-procedure-icd9`."""
    m = re.search(r"icd-?(9|10)", last)
    if m is None:
        return None
    if re.search(r"proc|pcs|px", last):
        return "ICD10PCS" if m[1] == "10" else "ICD9PROC"
    return f"ICD{m[1]}" if re.search(r"diag|dx|cond", last) else None


def _edition(letters: str) -> str | None:
    """The system that a name without punctuation stands for; None where it is none that is known."""
    if letters in _SPELLINGS:
        return _SPELLINGS[letters]
    m = _ICD.fullmatch(letters)
    return f"ICD{m[1]}" if m else None


def _letters(text: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", text.upper())


def kind(of_system: str, default: str = "observation") -> str:
    """What a code of this system most often is."""
    return SYSTEMS.get(of_system, default)


def kind_of_word(word: str) -> str | None:
    """The kind of fact that a word names, in the spellings of tables and MEDS codes; None where it names none.

    >>> kind_of_word("Diagnosis"), kind_of_word("HOSPITAL_ADMISSION"), kind_of_word("x")
    ('condition', 'visit', None)
    """
    plain_word = re.split(r"[_ ]", word.strip())[0].upper()
    return _KINDS.get(plain_word) or (
        plain_word.lower() if plain_word.lower() in set(_KINDS.values()) else None
    )


def says_kind(code: str) -> bool:
    """Whether a code of MEDS begins with a word for the kind of fact.

    >>> says_kind("PROCEDURE//local//7"), says_kind("local//7")
    (True, False)
    """
    return kind_of_word(code.split("/", 1)[0]) is not None


@lru_cache(maxsize=1 << 17)
def plain(code: str) -> str:
    """A code as it is compared: upper case, without dots, blanks, and the marks of ICD-10 (dagger, asterisk).

    >>> plain("f03.918"), plain("G30.1+"), plain("heart  failure")
    ('F03918', 'G301', 'HEART FAILURE')
    """
    text = " ".join(code.upper().replace(".", "").split())
    return text.rstrip("+*†!") or text


@lru_cache(maxsize=1 << 16)
def parse(code: str) -> Code:
    """System, code and kind of a code as MEDS files hold it.

    >>> parse("ICD10CM//F03.90")[:3]
    ('ICD10', 'F03.90', 'condition')
    >>> parse("DIAGNOSIS//ICD//9//2941")[:3]
    ('ICD9', '2941', 'condition')
    >>> parse("PROCEDURE//ICD//10//F01ZDYZ")[:3]
    ('ICD10PCS', 'F01ZDYZ', 'procedure')
    >>> parse("RxNorm/135447")[:3]
    ('RxNorm', '135447', 'drug')
    >>> parse("LAB//51087//mg/dL")
    Code(system='LAB', code='51087', kind='measurement', unit='mg/dL')
    >>> parse("LAB//50947//UNK")[1:]
    ('50947', 'measurement', None)
    >>> parse("ICD10CM:G30.9")[:3], parse("Diagnosis/ICD10/G30.9")[:3]
    (('ICD10', 'G30.9', 'condition'), ('ICD10', 'G30.9', 'condition'))
    >>> parse("HOSPITAL_ADMISSION//URGENT")[:3]
    ('HOSPITAL_ADMISSION', 'URGENT', 'visit')
    >>> parse("Blood Pressure")[:3]
    ('', 'Blood Pressure', 'observation')
    >>> parse(" // ")[:2], parse("ICD10// ")[:2]
    (('', ''), ('', ''))
    """
    parts = [p for p in code.split("//") if p.strip()] if "//" in code else _in_front(code)
    if not parts or ("//" in code and len(parts) == 1 and system(parts[0]) in SYSTEMS):
        return Code("", "", "observation")  # a system without a code
    if len(parts) == 1:
        shouted = code.upper() == code
        return Code("", code, (kind_of_word(code) if shouted else None) or "observation")
    of_word = kind_of_word(parts[0])
    for i, part in enumerate(parts[:-1]):
        joined = system(part + parts[i + 1]) if i + 2 < len(parts) and part.upper() in _IN_TWO else None
        for name, rest in ((joined, parts[i + 2 :]), (system(part), parts[i + 1 :])):
            if name in SYSTEMS:
                return _known(str(name), rest, of_word)
    what = of_word or "observation"
    if what == "measurement" and len(parts) == 3:
        return Code(parts[0], parts[1], what, None if parts[2].upper() in _NO_UNIT else parts[2])
    return Code(parts[0], "//".join(parts[1:]), what)


def _in_front(code: str) -> list[str]:
    """A code without double strokes, its system taken off.

    A slash, a colon or a bar ends a known system. A slash also ends a word for the kind of fact, and a system of a
    site's own, which is one word in capitals.

    >>> _in_front("RxNorm/135447"), _in_front("icd10|G30.9"), _in_front("BMI (kg/m2)"), _in_front("LOCAL_DX/17")
    (['RxNorm', '135447'], ['icd10', 'G30.9'], ['BMI (kg/m2)'], ['LOCAL_DX', '17'])
    """
    m = re.match(r"([^/:|]+)([/:|])(.+)", code.strip(), re.S)
    if m is None:
        return [code]
    head, mark, rest = m[1].strip(), m[2], m[3].strip()
    if system(head) in SYSTEMS:
        return [head, rest]
    if mark != "/":
        return [code]
    if kind_of_word(head):
        inner = rest.split("/", 1)
        return [head, *inner] if system(inner[0]) in SYSTEMS else [head, rest]
    return [head, rest] if re.fullmatch(r"[A-Z][A-Z0-9_-]+", head) and " " not in rest else [code]


def visit(code: str) -> str:
    """A visit in words.

    >>> visit("IMP"), visit("wellness"), visit("9202"), visit("visit")
    ('Inpatient visit', 'Wellness visit', 'Outpatient visit', 'Visit')
    """
    word = _VISITS.get(code.lower()) or (code.capitalize() if code.replace(" ", "").isalpha() else "")
    return f"{word} visit" if word and word.lower() not in ("visit", "encounter") else "Visit"


def of_allergy(name: str) -> str:
    """The name of an allergy, which must not read as a drug that is taken.

    >>> of_allergy("Penicillin V"), of_allergy("Allergy to peanut")
    ('Allergy: Penicillin V', 'Allergy to peanut')
    """
    return name if "allerg" in name.lower() or "intoleran" in name.lower() else f"Allergy: {name}"


_IN_TWO = ("ICD", "SNOMED", "CPT")
"""Systems that are written in two parts: `ICD//10//...`."""
_NO_UNIT = ("UNK", "UNKNOWN", "NONE", "NAN")


def _known(name: str, rest: list[str], of_word: str | None) -> Code:
    if of_word == "procedure":
        name = _PROCEDURES.get(name, name)
    if kind(name) == "measurement" and len(rest) == 2:
        return Code(name, rest[0], of_word or kind(name), None if rest[1].upper() in _NO_UNIT else rest[1])
    return Code(name, "//".join(rest), of_word or kind(name))
