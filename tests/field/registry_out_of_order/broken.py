"""A registry out of order; prints its port.

Answers as the repository is called: `s503` with that status, `eof` with nothing.
"""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Broken(BaseHTTPRequestHandler):
    """One request."""

    def do_GET(self) -> None:
        """Answer it as it asks for."""
        name = self.path.split("/")[2] if self.path.count("/") > 2 else ""
        if name == "eof":
            self.connection.close()
            return
        self.send_response(int(name[1:]) if name else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", 0), Broken) as server:
        print(server.server_port, flush=True)
        server.serve_forever()
