"""One seed in the study file; every stage derives its own from a name, so that adding a stage moves no other."""

import hashlib


def derive(seed: int, *names: object) -> int:
    """A seed in [0, 2**63) for the thing called `names`, stable across machines and Python versions.

    >>> derive(1, "train", "cell") == derive(1, "train", "cell")
    True
    >>> derive(1, "train") == derive(1, "synth")
    False
    """
    text = "/".join(str(n) for n in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
