# SPDX-License-Identifier: Apache-2.0
"""As much of a VNC client as it takes to see a screen (RFC 6143)."""

import socket
import struct

VERSION = b"RFB 003.008\n"
NO_SECURITY, RAW = 1, 0
# 32 bits of true colour, little endian: blue, green, red, nothing.
FORMAT = struct.pack(">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)


def pixel(red, green, blue):
    return red << 16 | green << 8 | blue


def receive(connection, size):
    data = b""
    while len(data) < size:
        more = connection.recv(min(1 << 20, size - len(data)))
        if not more:
            raise ConnectionError("the VNC server has closed the connection")
        data += more
    return data


def greet(connection):
    """Returns: the screen's width and height"""
    banner = receive(connection, 12)
    assert banner == VERSION, banner
    connection.sendall(VERSION)
    offered = receive(connection, receive(connection, 1)[0])
    assert NO_SECURITY in offered, offered
    connection.sendall(bytes([NO_SECURITY]))
    assert receive(connection, 4) == bytes(4), "the VNC server lets nobody in"
    connection.sendall(b"\1")  # others may look on
    width, height = struct.unpack(">HH", receive(connection, 4))
    receive(connection, 16)
    receive(connection, struct.unpack(">I", receive(connection, 4))[0])
    return width, height


def read_screen(address, port):
    """(width, height, the pixels of one whole frame, in any order)."""
    pixels = []
    with socket.create_connection((address, port), 20) as connection:
        width, height = greet(connection)
        connection.sendall(struct.pack(">Bxxx", 0) + FORMAT + struct.pack(">BxHi", 2, 1, RAW)
                           + struct.pack(">BBHHHH", 3, 0, 0, 0, width, height))
        while len(pixels) < width * height:
            kind, rectangles = struct.unpack(">BxH", receive(connection, 4))
            assert kind == 0, kind
            for _ in range(rectangles):
                _, _, wide, high, encoding = struct.unpack(">HHHHi", receive(connection, 12))
                assert encoding == RAW, encoding
                data = receive(connection, 4 * wide * high)
                pixels += [one & 0xffffff for one in struct.unpack(f"<{wide * high}I", data)]
    return width, height, pixels
