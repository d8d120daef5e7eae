"""As much of WebSocket as a test needs."""
import base64
import json
import os
import socket
import struct


class WebSocket:
    def __init__(self, port, timeout=20, origin=None, connection=None):
        self.socket = connection or socket.create_connection(("127.0.0.1", port), timeout=timeout)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(f"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
                            f"{f'Origin: {origin}' + chr(13) + chr(10) if origin else ''}\r\n".encode())
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            self.receive()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(head)

    def receive(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("closed")
        self.buffer += data

    def take(self, size):
        while len(self.buffer) < size:
            self.receive()
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def send(self, text, opcode=1):
        self.socket.sendall(self.framed(text, opcode))

    @staticmethod
    def framed(text, opcode=1):
        data = text.encode() if isinstance(text, str) else text
        mask = os.urandom(4)
        size = bytes([0x80 | len(data)]) if len(data) < 126 else struct.pack(">BH", 0xfe, len(data))
        size = bytes([0x80 | opcode]) + size
        return size + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data))

    def frame(self):
        """(opcode, payload, whether a message ends with it)"""
        first, second = self.take(2)
        size = second & 0x7f
        if size == 126:
            size = struct.unpack(">H", self.take(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self.take(8))[0]
        return first & 0x0f, self.take(size), first >= 0x80

    def message(self):
        """The next text as JSON; pings are answered."""
        text = b""
        while True:
            opcode, payload, is_last = self.frame()
            if opcode == 9:
                self.send(payload, 10)
            if opcode == 8:
                raise ConnectionError(f"closed with {struct.unpack('>H', payload[:2])[0]}")
            if opcode <= 1:
                text += payload
                if is_last:
                    return json.loads(text)

    def request(self, method, params=None, number=1):
        self.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params or {}}))

    def requests(self, calls):
        """All at once: no answer comes between them. Their ids are 0, 1, .."""
        self.socket.sendall(b"".join(
            self.framed(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}))
            for number, (method, params) in enumerate(calls)))

    def close(self):
        self.socket.close()
