"""A registry that wants a password, in front of another one; prints its port.

It hands requests of `user:secret` on to the registry in its argument, and answers 401 to others.
"""

from __future__ import annotations

import base64
import http.client
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WANTED = "Basic " + base64.b64encode(b"user:secret").decode()
REFUSAL = b'{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}'


class Guarded(BaseHTTPRequestHandler):
    """One request."""

    def do_GET(self) -> None:
        """Hand it on, or refuse it."""
        if self.headers.get("Authorization") != WANTED:
            self._answer(401, {"WWW-Authenticate": 'Basic realm="field"'}, REFUSAL)
            return
        behind = http.client.HTTPConnection(sys.argv[1])
        kept = {"Accept": self.headers.get("Accept", "*/*")}
        behind.request(self.command, self.path, headers=kept)
        answer = behind.getresponse()
        kept = {"Content-Type": answer.headers.get("Content-Type", "application/octet-stream")}
        if digest := answer.headers.get("Docker-Content-Digest"):
            kept["Docker-Content-Digest"] = digest
        self._answer(answer.status, kept, answer.read())

    do_HEAD = do_GET

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
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
