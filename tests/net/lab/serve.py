#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""serve.py PORT DIRECTORY: a web server for both families; "ready" when it listens."""
import functools
import http.server
import socket
import sys


class Server(http.server.ThreadingHTTPServer):
    """Listens on [::], for IPv4 too."""

    address_family = socket.AF_INET6

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        return super().server_bind()


class Handler(http.server.SimpleHTTPRequestHandler):
    """Says who asks, and keeps connections."""

    protocol_version = "HTTP/1.1"

    def end_headers(self):
        self.send_header("X-Client", self.client_address[0])
        super().end_headers()

    def log_message(self, *args):
        pass


def main():
    """Serves until it is killed."""
    handler = functools.partial(Handler, directory=sys.argv[2])
    with Server(("::", int(sys.argv[1])), handler) as server:
        print("ready", flush=True)
        server.serve_forever()


main()
