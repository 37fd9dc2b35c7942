#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Datagrams: "udp.py serve PORT WORDS" answers with the words, to all addresses of both families
("ready" when it listens, and then who asks); "udp.py ask ADDRESS PORT [SOURCE_PORT]" prints the answer, or fails after
two seconds; "udp.py send …" sends and does not wait."""
import socket
import sys


def serve(port, words):
    """Answers until it is killed."""
    server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    server.bind(("::", port))
    print("ready", flush=True)
    while True:
        _, client = server.recvfrom(100)
        print(client[0], flush=True)
        server.sendto(words.encode(), client)


def ask(address, port, source, wait):
    """Sends one datagram; returns the exit status."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    client = socket.socket(family, socket.SOCK_DGRAM)
    client.bind(("", source))
    client.settimeout(2)
    client.sendto(b"x", (address, port))
    if not wait:
        return 0
    try:
        print(client.recv(100).decode())
    except (TimeoutError, ConnectionError, socket.timeout):
        return 1
    return 0


def main():
    """Does what the first word says."""
    verb, where, port = sys.argv[1:4]
    if verb == "serve":
        serve(int(where), port)
    source = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    return ask(where, int(port), source, verb == "ask")


sys.exit(main())
