"""A provider that does as its behaviour file says, well or badly: `python provider.py BEHAVIOUR.json`, with PORT set.

The file is one JSON object. `routes` maps "METHOD /path", with or without a query, to an answer: `status`, `body`,
`headers` (with a `content-encoding` the body is packed by gzip), a line to `log`, or instead of all that `hang` or
`die`; `unless` maps parts of the request (its path, its headers in lower case, its body) to other answers. `states`
lists the provider states that are `known`, that `hang`, that `fail`, that fail when torn down (`fail_teardown`), and
parameters with which any state fails (`fail_params`).
`messages` maps descriptions to contents, answered with `message_status`. `startup` holds what it does beside serving.
"""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

BEHAVIOUR: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
FLOOD_LINE = "x" * 999 + "\n"
FOREVER = threading.Event()
NOT_FOUND: dict[str, Any] = {"status": 404, "body": None}


class Handler(BaseHTTPRequestHandler):
    """Answers by the table of routes."""

    def do_GET(self) -> None:
        self.serve_route(b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.path == "/states":
            self.serve_state(json.loads(body))
        elif self.path == "/messages":
            self.serve_message(json.loads(body))
        else:
            self.serve_route(body)

    def serve_route(self, body: bytes) -> None:
        if self.path == "/healthz":
            self.reply(503 if BEHAVIOUR["startup"].get("never_ready") else 200, "")
            return
        routes, path = BEHAVIOUR["routes"], self.path.partition("?")[0]
        answer = routes.get(f"{self.command} {self.path}") or routes.get(f"{self.command} {path}") or NOT_FOUND
        headers = "\n".join(f"{name.lower()}: {value}" for name, value in self.headers.items())
        request = f"{self.path}\n{headers}\n{body.decode()}"
        answer = next((other for part, other in answer.get("unless", {}).items() if part in request), answer)
        if answer.get("hang"):
            FOREVER.wait()
        if answer.get("die"):
            sys.stderr.write("fatal: the provider dies\n")
            sys.stderr.flush()
            os._exit(9)
        if answer.get("log"):
            sys.stderr.write(answer["log"] + "\n")
            sys.stderr.flush()
        self.reply(answer.get("status", 200), json.dumps(answer["body"]), answer.get("headers", {}))

    def serve_state(self, request: dict[str, Any]) -> None:
        states = BEHAVIOUR["states"]
        name, action = request.get("state"), request.get("action")
        if name in states.get("hang", ()):
            FOREVER.wait()
        failing = name in states.get("fail", ()) or request.get("params") in states.get("fail_params", ())
        if failing or (action == "teardown" and name in states.get("fail_teardown", ())):
            self.reply(500, '"the database is locked"')
        else:
            self.reply(200 if name in states["known"] else 404, "{}")

    def serve_message(self, request: dict[str, Any]) -> None:
        contents = BEHAVIOUR["messages"]
        if request["description"] in contents:
            status = BEHAVIOUR.get("message_status", 200)
            self.reply(status, json.dumps(contents[request["description"]]))
        else:
            self.reply(404, '"no such message"')

    def reply(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        packs = "content-encoding" in (headers or {})
        data = gzip.compress(text.encode()) if packs else text.encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class names it so)
        """Say nothing, so that what the behaviour asks to print stands alone."""


def main() -> None:
    startup = BEHAVIOUR["startup"]
    if startup.get("ignore_sigterm"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if startup.get("grandchild"):
        command = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()"
        subprocess.Popen([sys.executable, "-c", command])
    if "print" in startup:
        sys.stderr.write(startup["print"] + "\n")
    for _ in range(startup.get("flood_kilobytes", 0)):
        sys.stdout.write(FLOOD_LINE)
    sys.stdout.flush()
    sys.stderr.flush()
    if "exit" in startup:
        sys.exit(startup["exit"])
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever(poll_interval=0.02)


if __name__ == "__main__":
    main()
