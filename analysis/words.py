"""Names and numbers as they read in a sentence."""


def words(name: str) -> str:
    """A name of the study file as it reads in a sentence.

    >>> words("free_rationale")
    'free rationale'
    """
    return name.replace("_", " ")


def number(value: float | None, digits: int = 3) -> str:
    """A number with a true minus sign; a dash where there is none.

    >>> number(-0.1299), number(None)
    ('−0.130', '–')
    """
    return "–" if value is None else f"{value:.{digits}f}".replace("-", "−")


def span(low: float | None, high: float | None, digits: int = 3) -> str:
    """An interval in words; empty where there is none.

    >>> span(-0.2, 0.1)
    '−0.200 to 0.100'
    """
    return "" if low is None or high is None else f"{number(low, digits)} to {number(high, digits)}"
