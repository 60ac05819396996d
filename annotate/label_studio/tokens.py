"""Signing in to Label Studio by either kind of token."""

import base64
import json
import time
from collections.abc import Generator

import httpx

from ...study.errors import ServiceError


class TokenAuth(httpx.Auth):
    """Either kind of token: a legacy one is sent as it is; a personal access token buys a five-minute one.

    A personal access token sent as a bearer itself is refused by the server, which is what most people meet first.
    """

    requires_response_body = True

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url, token
        self._access, self._until = "", 0.0

    @property
    def personal(self) -> bool:
        """Whether it is a personal access token (a JWT) and no legacy one."""
        return self._token.count(".") == 2

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if not self.personal:
            request.headers["Authorization"] = f"Token {self._token}"
            yield request
            return
        if time.time() > self._until - 30:
            answer = yield httpx.Request(
                "POST", f"{self._url}/api/token/refresh/", json={"refresh": self._token}
            )
            if answer.status_code != 200:
                raise ServiceError(
                    f"{self._url}: the personal access token was refused ({answer.status_code}); it may have expired "
                    "or been revoked. Make a new one under Account & Settings, Personal Access Token."
                )
            self._access = answer.json()["access"]
            self._until = _expires(self._access)
        request.headers["Authorization"] = f"Bearer {self._access}"
        yield request


def _expires(access: str) -> float:
    """When an access token ends, in seconds since 1970."""
    payload = access.split(".")[1]
    return float(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"])
