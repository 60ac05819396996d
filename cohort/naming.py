"""Codes under names that stand on one line."""

from dataclasses import replace

import numpy as np

from .events import Shard
from .findings import NOTHING
from .words import LONGEST_NAME, one_line


def named(shard: Shard) -> Shard:
    """The shard with a name for every code: the one it has, shortened, or else its system and code."""
    codes = shard.codes
    names = [_name(n, s, c) for n, s, c in zip(codes["name"], codes["system"], codes["code"], strict=True)]
    return replace(shard, codes=codes.assign(name=np.array(names, dtype=object)))


def _name(name: object, system: object, code: object) -> str:
    """A name as a line holds it.

    >>> _name(float("nan"), "CPT", "99213")
    'CPT 99213'
    """
    text = "" if name is None or name != name else one_line(str(name), LONGEST_NAME)
    return f"{system} {code}".strip() if text.lower() in NOTHING else text
