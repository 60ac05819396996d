"""Codes as they come, with their system in front, taken apart: `ICD10CM//F03.90` is F03.90 of ICD10."""

import re
from functools import lru_cache

_SYSTEMS = {
    "ICD10": "ICD10", "ICD10CM": "ICD10", "ICD10GM": "ICD10", "ICD10AM": "ICD10", "ICD10WHO": "ICD10",
    "ICD9": "ICD9", "ICD9CM": "ICD9",
    "ICD10PCS": "ICD10PCS", "ICD9PROC": "ICD9PROC",
    "SNOMED": "SNOMED", "SNOMEDCT": "SNOMED", "SNOMEDCTUS": "SNOMED", "SCT": "SNOMED",
    "RXNORM": "RxNorm", "RXNORMEXTENSION": "RxNorm", "NDC": "NDC", "ATC": "ATC", "CVX": "CVX",
    "LOINC": "LOINC", "CPT4": "CPT", "CPT": "CPT", "HCPCS": "HCPCS", "READ": "Read", "READV2": "Read", "CTV3": "CTV3",
    "OPCS4": "OPCS4", "VISIT": "VISIT", "SEX": "SEX", "GENDER": "SEX",
}  # fmt: skip
_KINDS = {
    "ICD10": "condition", "ICD9": "condition", "SNOMED": "condition", "Read": "condition", "CTV3": "condition",
    "RxNorm": "drug", "NDC": "drug", "ATC": "drug", "CVX": "drug", "LOINC": "measurement",
    "CPT": "procedure", "HCPCS": "procedure", "ICD10PCS": "procedure", "ICD9PROC": "procedure", "OPCS4": "procedure",
    "VISIT": "visit", "SEX": "demographic",
}  # fmt: skip
_WORDS = {
    "DIAGNOSIS": "condition", "CONDITION": "condition", "PROCEDURE": "procedure", "MEDICATION": "drug",
    "DRUG": "drug",
    "INFUSION": "drug", "IMMUNIZATION": "drug", "LAB": "measurement", "MEASUREMENT": "measurement",
    "VITAL": "measurement",
    "OBSERVATION": "observation", "HOSPITAL": "visit", "ED": "visit", "ICU": "visit", "TRANSFER": "visit",
    "ENCOUNTER": "visit", "VISIT": "visit", "GENDER": "demographic", "SEX": "demographic", "RACE": "demographic",
    "ETHNICITY": "demographic",
}  # fmt: skip


def system(name: str) -> str:
    """The common name of a coding system; what is unknown stays as it is.

    >>> system("ICD-10-CM"), system("http://snomed.info/sct"), system("LocalCode")
    ('ICD10', 'SNOMED', 'LocalCode')
    """
    known = {"http://snomed.info/sct": "SNOMED", "http://loinc.org": "LOINC",
             "http://www.nlm.nih.gov/research/umls/rxnorm": "RxNorm",
             "http://hl7.org/fhir/sid/cvx": "CVX"}  # fmt: skip
    if name in known:
        return known[name]
    if name.startswith("http://hl7.org/fhir/sid/"):
        name = name.rsplit("/", 1)[-1]
    return _SYSTEMS.get(re.sub(r"[^A-Z0-9]", "", name.upper()), name)


def kind(of_system: str, default: str = "observation") -> str:
    """What a code of this system most often is."""
    return _KINDS.get(of_system, default)


@lru_cache(maxsize=1 << 16)
def parse(code: str) -> tuple[str, str, str]:
    """System, code and kind of a code as MEDS files hold it.

    >>> parse("ICD10CM//F03.90")
    ('ICD10', 'F03.90', 'condition')
    >>> parse("DIAGNOSIS//ICD//9//2941")
    ('ICD9', '2941', 'condition')
    >>> parse("RxNorm/135447")
    ('RxNorm', '135447', 'drug')
    >>> parse("LAB//51087//UNK")
    ('LAB', '51087//UNK', 'measurement')
    >>> parse("HOSPITAL_ADMISSION//URGENT")
    ('HOSPITAL_ADMISSION', 'URGENT', 'visit')
    >>> parse("Blood Pressure")
    ('', 'Blood Pressure', 'observation')
    """
    parts = [p for p in re.split(r"//", code) if p] if "//" in code else code.split("/", 1)
    if len(parts) == 1:
        word = re.split(r"[_ ]", code)[0].upper()
        return "", code, _WORDS.get(word, "observation") if code.upper() == code else "observation"
    for i, part in enumerate(parts[:-1]):
        joined = (
            system(part + parts[i + 1])
            if i + 2 < len(parts) and part.upper() in ("ICD", "SNOMED", "CPT")
            else None
        )
        if joined in _KINDS:
            return joined, "//".join(parts[i + 2 :]), _word(parts[0]) or kind(joined)
        if (found := system(part)) in _KINDS:
            return found, "//".join(parts[i + 1 :]), _word(parts[0]) or kind(found)
    return parts[0], "//".join(parts[1:]), _word(parts[0]) or "observation"


def _word(first: str) -> str | None:
    return _WORDS.get(re.split(r"[_ ]", first)[0].upper())
