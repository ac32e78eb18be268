"""A registry that wants credentials, in front of another one; prints its port.

Arguments: the address of the other registry, and `basic` or `token`. It hands requests of
`user:secret` on. With `token` it is asked for a token first, as most hosted registries are, and its
words are theirs: the password `old` has expired, and a token for nobody opens nothing.
"""

from __future__ import annotations

import base64
import http.client
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def basic(login: str) -> str:
    """The header of a login."""
    return "Basic " + base64.b64encode(login.encode()).decode()


BEHIND, MODE = sys.argv[1], sys.argv[2]
WANTED = basic("user:secret") if MODE == "basic" else "Bearer opens"
REFUSAL = b'{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}'
DENIAL = b'{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}'
EXPIRED = b'{"details":"Your authorization token has expired. Reauthenticate and try again."}'
WRONG = b'{"details":"incorrect username or password"}'
TOKENS = {
    "": (200, b'{"token":"opens-nothing"}'),
    basic("user:secret"): (200, b'{"token":"opens"}'),
    basic("user:old"): (401, EXPIRED),
}


class Guarded(BaseHTTPRequestHandler):
    """One request."""

    def do_GET(self) -> None:
        """Hand it on, or refuse it."""
        shown = self.headers.get("Authorization", "")
        if self.path.startswith("/token"):
            self._answer(*TOKENS.get(shown, (401, WRONG)))
        elif shown == WANTED:
            self._hand_on()
        elif shown == "Bearer opens-nothing":
            self._answer(403, DENIAL)
        else:
            self._answer(401, REFUSAL, {"WWW-Authenticate": self._challenge()})

    do_HEAD = do_GET

    def _challenge(self) -> str:
        if MODE == "basic":
            return 'Basic realm="field"'
        host = self.headers["Host"]
        return f'Bearer realm="http://{host}/token",service="field"'

    def _hand_on(self) -> None:
        behind = http.client.HTTPConnection(BEHIND)
        kept = {"Accept": self.headers.get("Accept", "*/*")}
        behind.request(self.command, self.path, headers=kept)
        answer = behind.getresponse()
        kept = {"Content-Type": answer.headers.get("Content-Type", "application/octet-stream")}
        if digest := answer.headers.get("Docker-Content-Digest"):
            kept["Docker-Content-Digest"] = digest
        self._answer(answer.status, answer.read(), kept)

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", 0), Guarded) as server:
        print(server.server_port, flush=True)
        server.serve_forever()
