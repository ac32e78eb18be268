"""One request to the API server: sent, awaited within a bound, and answered by dict or error."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import aiohttp

from workflowexecution.kube import errors

MERGE_PATCH: Final = "application/merge-patch+json"
_PAGE: Final = 500
_TIMEOUT: Final = aiohttp.ClientTimeout(total=15, sock_connect=5)


class ApiClient:
    """Sends requests over one bounded session; holds no knowledge of any kind of object."""

    def __init__(self, session: aiohttp.ClientSession, server: str) -> None:
        self._session = session
        self._server = server

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        """Send one request and return the object answered.

        Raises: ApiError of the kind the answer means; UnavailableError where there was none.
        """
        try:
            async with self._session.request(
                method,
                self._server + path,
                json=body,
                params=params,
                headers={"Content-Type": content_type} if body is not None else None,
                timeout=_TIMEOUT,
            ) as response:
                text = await response.text()
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise errors.UnavailableError(
                f"{method} {path}: no answer: {error or type(error).__name__}"
            ) from error
        answer = _object_of(text)
        if response.status >= 400:
            # Not every error is a Status: of a kind it does not serve the API server says so in
            # plain text, and proxies in front of it have pages of their own.
            raise _error_of(response.status, answer or {"message": text}, f"{method} {path}")
        if answer is None:
            raise errors.UnavailableError(f"{method} {path}: no answer: not an object: {text:.200}")
        return answer

    async def list_pages(
        self, path: str, params: Mapping[str, str] | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield every object of a list, fetched in pages so that memory stays bounded."""
        query = {**(params or {}), "limit": str(_PAGE)}
        while True:
            page = await self.request("GET", path, params=query)
            for item in page.get("items") or ():
                yield item
            token = page.get("metadata", {}).get("continue")
            if not token:
                return
            query["continue"] = token


def _object_of(text: str) -> dict[str, Any] | None:
    """The JSON object a body holds, or None where it holds none."""
    try:
        answer = json.loads(text)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _error_of(status: int, told: Mapping[str, Any], what: str) -> errors.ApiError:
    message = str(told.get("message", ""))[:2000]
    return errors.error_for(status, str(told.get("reason", "")), f"{what}: {status} {message}")
