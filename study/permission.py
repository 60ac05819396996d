"""Patient text leaves this machine only where the study file says whose it is and by whose leave."""

import ipaddress
from urllib.parse import urlsplit

from .config import Study
from .errors import StudyError


def loopback(url: str) -> bool:
    """Whether a URL stays on this machine.

    >>> loopback("http://127.0.0.1:8000/v1"), loopback("https://api.openai.com/v1")
    (True, False)
    """
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check(study: Study, urls: tuple[str, ...], key: str = "synth.teacher") -> None:
    """Refuse teachers elsewhere unless the study declares what its records are.

    Args:
        study: with or without `[data_use]`.
        urls: where patient text would go.
        key: of the study file, for the message.

    Raises:
        StudyError: a URL that leaves the machine, and no `[data_use]`.
    """
    away = next((url for url in urls if not loopback(url)), None)
    if away is not None and study.data_use is None:
        raise StudyError(
            f"{key}.base_url: {away} is not on this machine, and the study has no [data_use] section that "
            'allows patient text to leave it. Add one (kind = "synthetic", "deidentified" or "agreement", and a '
            "name), or use a teacher on this machine."
        )
