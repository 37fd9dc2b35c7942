# SPDX-License-Identifier: Apache-2.0
"""
What the lab's servers in Python share: a threaded server, with or without TLS, that writes its
address to DIR/address once it listens, its requests to DIR/log (a JSON object a line), and reads
what it is to do from DIR/behaviour (JSON) anew for each request, so that tests can change it.
"""
import argparse
import http.server
import json
import os
import signal
import ssl
import sys
import threading

lock = threading.Lock()


def arguments(description):
    """The parser of what all have: DIR [--address HOST:PORT] [--tls NAME] ..."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("directory")
    parser.add_argument("--address", default="127.0.0.1:0", help="HOST:PORT; port 0: a free one")
    parser.add_argument("--tls", help="NAME of NAME.pem and NAME.key")
    return parser


def behaviour(directory):
    try:
        with open(os.path.join(directory, "behaviour"), encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def note(directory, name="log", **what):
    """Appends a line to a file of the server's directory."""
    with lock, open(os.path.join(directory, name), "a", encoding="utf-8") as file:
        file.write(json.dumps(what) + "\n")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, options, handler):
        host, port = options.address.rsplit(":", 1)
        super().__init__((host, int(port)), handler)
        self.options = options
        self.tls = None
        if options.tls:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(options.tls + ".pem", options.tls + ".key")

    def finish_request(self, request, client_address):
        # In the connection's own thread: a client that does not like the certificate goes away.
        if self.tls:
            try:
                request = self.tls.wrap_socket(request, server_side=True)
            except (OSError, ssl.SSLError):
                return
        super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        # A client that goes away in the middle is part of many tests.
        if not isinstance(sys.exc_info()[1], (OSError, ssl.SSLError)):
            super().handle_error(request, client_address)


def serve(options, handler):
    directory = options.directory
    server = Server(options, handler)
    host, port = server.server_address[:2]
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    with open(os.path.join(directory, "address.new"), "w", encoding="utf-8") as file:
        file.write(f"{host}:{port}\n")
    os.rename(os.path.join(directory, "address.new"), os.path.join(directory, "address"))
    server.serve_forever()
