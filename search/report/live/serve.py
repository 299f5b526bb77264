"""The server of live pages: standard library, this computer only, reads and never writes."""

from __future__ import annotations

import io
import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from neuraltree.cli.command import DONE
from search.errors import InputError
from search.report.live.site import TEXT, Answer, answer
from search.report.pages.embed import plotly

HOST, PORT = "127.0.0.1", 8765
TRIED = 50  # ports from PORT on
THREADS = 16  # connections at a time; more wait until one of these is answered
REQUEST_S, ANSWER_S = 5.0, 30.0  # limits for the whole request, and for the whole answer
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "frame-ancestors 'none'",
}


class Server(ThreadingHTTPServer):
    """Serves the runs below ``root``."""

    daemon_threads = True
    request_queue_size = 64  # connections that may wait in the system

    def __init__(self, root: Path, port: int) -> None:
        self.root = root
        self._free = threading.BoundedSemaphore(THREADS)
        super().__init__((HOST, port), Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._free.acquire()
        try:
            super().process_request(request, client_address)
        except BaseException:  # no thread was started
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()


class _Limited(socket.SocketIO):
    """Reads from a connection with one limit for the whole time: a byte now and then does not extend it."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        super().__init__(connection, "r")
        self._connection, self._end = connection, time.monotonic() + seconds

    def readinto(self, buffer: Any) -> int | None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return super().readinto(buffer)


class Handler(BaseHTTPRequestHandler):
    server: Server

    def setup(self) -> None:
        super().setup()
        self.rfile = io.BufferedReader(_Limited(self.connection, REQUEST_S))

    def do_GET(self) -> None:
        self._send(answer(self.server.root, self.path, self.headers.get("Host"), self.server.server_port))

    def _refuse(self) -> None:
        self._send(Answer(405, TEXT, "Only GET is answered."), Allow="GET")

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _refuse

    def _send(self, what: Answer, **more: str) -> None:
        body = what.body.encode(errors="replace")  # a folder's name may not be valid text
        facts = {"Content-Type": what.kind, "Content-Length": str(len(body)), **HEADERS, **more}
        self.connection.settimeout(ANSWER_S)
        with suppress(ConnectionError, TimeoutError):  # the browser has left the page
            self.send_response(what.status)
            for name, value in facts.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    def version_string(self) -> str:
        return "neuraltree"

    def log_message(self, format: str, *values: object) -> None:
        """Say nothing: the terminal is for the address and for errors."""


def listen(root: Path, port: int | None = None) -> Server:
    """A server that listens on ``port``, or on the first free port from 8765 on. Raises ``InputError``."""
    if not root.is_dir():
        raise InputError(f"{root}: there is no such folder; name the folder that holds your runs")
    if port is not None and not 0 <= port <= 65535:
        raise InputError(f"--port {port}: allowed: 0 to 65535; 0 takes any free port")
    plotly()
    for candidate in (port,) if port is not None else range(PORT, PORT + TRIED):
        with suppress(OSError):
            return Server(root, candidate)
    tried = f"port {port} is" if port is not None else f"the ports {PORT} to {PORT + TRIED - 1} are"
    raise InputError(f"{tried} in use or not permitted; name another one with --port")


def serve(root: Path, port: int | None = None) -> int:
    """Serve until Ctrl-C; returns the exit code."""
    with listen(root, port) as server:
        print(f"http://{HOST}:{server.server_port}/  shows the runs in {root}; stop it with Ctrl-C", flush=True)
        with suppress(KeyboardInterrupt):
            server.serve_forever()
    return DONE
