"""Codes under names that stand on one line and that a clinician can read."""

import re
from dataclasses import replace

import numpy as np

from .. import codes
from ..events import Shard, no_others
from ..words import LONGEST_NAME, one_line, tagless
from .findings import NOTHING

_BARE = re.compile(r"(?:https?://|urn:)\S+", re.I)


def named(shard: Shard) -> Shard:
    """The shard with a name for every code: the one it has, shortened, or else its system and code.

    A source that knows of no other codes and of no deaths without a day gets the columns for them.
    """
    table, people = shard.codes, shard.people
    if "also" not in table:
        table = table.assign(also=no_others(len(table)))
    if "dead" not in people:
        people = people.assign(dead=people["death_day"].notna())
    cells = zip(table["name"], table["system"], table["code"], strict=True)
    names = np.array([name(n, str(s), str(c)) for n, s, c in cells], dtype=object)
    return replace(shard, codes=table.assign(name=names), people=people)


def name(given: object, system: str, code: str) -> str:
    """A name as a line holds it.

    >>> name(float("nan"), "CPT", "99213"), name("Essential hypertension (disorder)", "SNOMED", "59621000")
    ('CPT 99213', 'Essential hypertension')
    """
    text = "" if given is None or given != given else one_line(tagless(str(given)), LONGEST_NAME)
    return in_words(system, code) if text.lower() in NOTHING or _BARE.fullmatch(text) else text


def in_words(system: str, code: str) -> str:
    """What stands for a code that has no name.

    >>> in_words("LOINC", "2160-0"), in_words("HOSPITAL_ADMISSION", "EW EMER.//ER"), in_words("LAB", "51250")
    ('LOINC 2160-0', 'Hospital admission: EW EMER., ER', 'Lab 51250')
    >>> in_words("http://h.org/codes/local", "4711"), in_words("VISIT", "IP")
    ('local 4711', 'Inpatient visit')
    """
    parts = one_line(", ".join(p for p in code.split("//") if p), LONGEST_NAME)
    if system in codes.SYSTEMS:
        return codes.visit(code) if system == "VISIT" else f"{system} {parts}"
    if system in ("", "text", "source"):
        return parts
    if _BARE.match(system):
        return f"{re.split(r'[/:]', system.rstrip('/'))[-1]} {parts}"
    words = system.replace("_", " ").strip()
    words = words.capitalize() if words.isupper() else words
    return f"{words}: {parts}" if any(c.isalpha() for c in parts) else f"{words} {parts}"
