"""The address of an endpoint and how it wants its key: as OpenAI documents it, and as Azure does.

Azure takes `https://NAME.openai.azure.com/openai/v1`, or the older
`https://NAME.openai.azure.com/openai/deployments/MODEL?api-version=2024-10-21`, and the key in a header `api-key`.
"""

import os
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from ...study.errors import ServiceError
from ...study.permission import loopback

CHAT = "/chat/completions"
AZURE = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com", ".azure-api.net")
"""Ends of host names."""
SECRET = frozenset({"key", "api_key", "apikey", "api-key", "token", "access_token", "sig", "code"})
"""Names in a query that hold a key: addresses stand in messages and files."""


class Address(NamedTuple):
    """A base URL taken apart."""

    base: str
    """Without the query and without `/chat/completions`, which some paste with it."""
    query: dict[str, str]
    """Sent with every request: `api-version`."""
    azure: bool

    @property
    def chat(self) -> str:
        """Where completions are asked for."""
        return (
            self.base
            + CHAT
            + ("?" + "&".join(f"{k}={v}" for k, v in self.query.items()) if self.query else "")
        )

    @property
    def batch(self) -> str:
        """What a line of a batch file names as its endpoint."""
        return CHAT if "api-version" in self.query else f"/v1{CHAT}"


def address(url: str) -> Address:
    """Take a base URL apart.

    >>> address("https://x.openai.azure.com/openai/deployments/m?api-version=2024-10-21").chat
    'https://x.openai.azure.com/openai/deployments/m/chat/completions?api-version=2024-10-21'
    """
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    path = parts.path.rstrip("/").removesuffix(CHAT)
    azure = (parts.hostname or "").endswith(AZURE) or "api-version" in query
    return Address(f"{parts.scheme}://{parts.netloc}{path}", query, azure)


def api_key(url: str, variable: str) -> str:
    """The key, from the environment; servers on this machine need none.

    Raises:
        ServiceError: it is not set.
    """
    value = os.environ.get(variable, "").strip()
    if not value and not loopback(url):
        raise ServiceError(f"{url}: no key: the environment variable {variable} is not set. Set it.")
    return value or "none"


def key_header(url: str, key: str, name: str | None) -> tuple[str, str]:
    """Name and value of the header that carries the key.

    Args:
        url: of the endpoint.
        key: itself.
        name: as the study file says; None: as the address suggests.
    """
    if name is None:
        name = "api-key" if address(url).azure else "authorization"
    return (name, f"Bearer {key}") if name.lower() == "authorization" else (name, key)
