"""A link that breaks: a TCP proxy of the tests that cuts lines after so many bytes as a seed says."""

from __future__ import annotations

import random
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass, field

_RESET = struct.pack("ii", 1, 0)  # close without farewell: what came but was not read is lost


@dataclass
class BadLink:
    """A way to a port that breaks. cut_share: of the lines; most_bytes: after how many at most, either way."""

    port: int
    seed: int
    cut_share: float = 0.5
    most_bytes: int = 60_000
    cuts: int = 0
    _door: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._door.getsockname()[1]}"

    def close(self) -> None:
        with suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                line, _ = self._door.accept()
                threading.Thread(target=self._pass_on, args=(line,), daemon=True).start()

    def _pass_on(self, line: socket.socket) -> None:
        cut = self._chance.random() < self.cut_share
        left = self._chance.randint(0, self.most_bytes) if cut else 1 << 60
        abrupt = self._chance.random() < 0.5
        with line, suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=30) as far:
            back_bytes = left // 8 if cut else left
            back = threading.Thread(target=_copy, args=(far, line, back_bytes), daemon=True)
            back.start()
            _copy(line, far, left)
            if cut:
                self.cuts += 1
                _hang_up((line, far), abrupt)
            back.join(30)


def _hang_up(ends: tuple[socket.socket, socket.socket], abrupt: bool) -> None:
    for end in ends:
        with suppress(OSError):
            if abrupt:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.shutdown(socket.SHUT_RDWR)


def _copy(source: socket.socket, target: socket.socket, left: int) -> None:
    """Pass on at most so many bytes; then, or when the source ends, tell the target that no more come."""
    with suppress(OSError):
        while left > 0 and (piece := source.recv(min(16_384, left))):
            target.sendall(piece)
            left -= len(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
