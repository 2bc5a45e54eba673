#!/usr/bin/env python3
"""The server that tests/lua/http_spec.lua talks to: takes a free port, prints it, and serves until it is ended.

/echo                 what arrived, as JSON          /status/N        that status, with a text
/flaky/NAME/N         503 N times, then 200          /redirect        302 to /echo
/after/N              503 with Retry-After: N        /hang            no answer while the client stays
/drop                 closes without an answer       anything else    see PAGES
"""
# SPDX-License-Identifier: MIT
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

PAGES = {
    "/text": ("text/plain; charset=utf-8", "größe\n".encode()),
    "/binary": ("application/octet-stream", bytes(range(256))),
    "/json": ("application/json; charset=utf-8", b'{"n": 1, "x": 2.5, "list": [], "none": null}'),
    "/problem": ("application/problem+json", b'{"title": "no"}'),
    "/marked": ("application/json", b'{"$bytes": "aGk=", "inner": {"$bytes": "aGk="}}'),
    "/broken": ("application/json", b'{"n": '),
}
flaky_lock = threading.Lock()
flaky_calls = {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b"", content_type="text/plain", headers=()):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def echo(self, url, body):
        seen = {"method": self.command, "path": url.path, "query": url.query, "body": body.decode("latin-1"),
                "headers": {name.lower(): value for name, value in self.headers.items()}}
        self.answer(200, json.dumps(seen).encode(), "application/json")

    def flaky(self, name, failures):
        with flaky_lock:
            flaky_calls[name] = flaky_calls.get(name, 0) + 1
            calls = flaky_calls[name]
        if calls <= failures:
            self.answer(503, b"not yet", headers=[("Retry-After", "0")])
        else:
            self.answer(200, str(calls).encode())

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        parts = url.path.strip("/").split("/")
        if parts[0] == "echo":
            self.echo(url, body)
        elif parts[0] == "status":
            status = int(parts[1])
            self.answer(status, b"" if status == 204 else b"status " + parts[1].encode())
        elif parts[0] == "flaky":
            self.flaky(parts[1], int(parts[2]))
        elif parts[0] == "after":
            self.answer(503, b"later", headers=[("Retry-After", parts[1])])
        elif parts[0] == "redirect":
            self.answer(302, headers=[("Location", "/echo")])
        elif parts[0] == "headers":
            self.answer(200, headers=[("X-Twice", "a"), ("X-Twice", "b"), ("Set-Cookie", "a=1, x"),
                                      ("Set-Cookie", "b=2")])
        elif parts[0] == "hang":
            self.rfile.read(1)  # returns when the client goes away
            self.close_connection = True
        elif parts[0] == "drop":
            self.close_connection = True
        elif url.path in PAGES:
            self.answer(200, PAGES[url.path][1], PAGES[url.path][0])
        else:
            self.answer(404, b"no such page")

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = serve

    def log_message(self, *arguments):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    os.close(1)  # who waits for the end of the output goes on
    server.serve_forever()
