"""For tests of the upload page: a link that is cut, and a phone with a browser."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


class Link:
    """Passes bytes between the phone and the server, until it is cut."""

    def __init__(self, port: int) -> None:
        self.to = port
        self.door = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.door.getsockname()[1]}"
        self.open: set[socket.socket] = set()
        self.dead = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                phone, _ = self.door.accept()
                if self.dead:
                    phone.close()
                    continue
                threading.Thread(target=self._carry, args=(phone,), daemon=True).start()

    def _carry(self, phone: socket.socket) -> None:
        with contextlib.suppress(OSError), phone, socket.create_connection(("127.0.0.1", self.to)) as server:
            ends = {phone: server, server: phone}
            self.open |= ends.keys()
            ready = selectors.DefaultSelector()
            for end in ends:
                ready.register(end, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    taken = key.fileobj
                    assert isinstance(taken, socket.socket)
                    some = taken.recv(65536)
                    if not some:
                        return
                    ends[taken].sendall(some)

    def cut(self) -> None:
        """Break every connection in the middle, and let none in until `mend`."""
        self.dead = True
        for end in list(self.open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self.open.clear()

    def mend(self) -> None:
        self.dead = False

    def close(self) -> None:
        self.cut()
        self.door.close()


class Phone:
    """A browser's page of the upload, with everything it should never have done."""

    def __init__(self, context, address: str, lang: str = "vi") -> None:
        self.context, self.address, self.lang = context, address, lang
        self.faults: list[str] = []
        self.asked: set[str] = set()
        self.link_may_fail = False
        self.open()

    def open(self) -> None:
        """Open the page anew, as after closing the browser's tab."""
        self.page = self.context.new_page()
        self.page.set_default_timeout(15000)
        self.tools = self.context.new_cdp_session(self.page)
        self.tools.send("Network.enable")
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", lambda request: self.asked.add(request.url))
        self.page.goto(f"{self.address}/upload?lang={self.lang}")
        self.ready()

    def ready(self) -> None:
        self.page.locator("html[data-ready=true]").wait_for(state="attached")

    def reload(self) -> None:
        self.page.reload()
        self.ready()

    def _console(self, message) -> None:
        if message.type not in {"error", "warning"}:
            return
        # The browser itself notes a dead link, whatever the page makes of it.
        if self.link_may_fail and ("Failed to load resource" in message.text or "ERR_" in message.text):
            return
        self.faults.append(message.text)

    def choose(self, *files: Path) -> None:
        self.page.set_input_files("#chooser", [str(file) for file in files])

    def card(self, name: str):
        return self.page.locator("#cards .card").filter(
            has=self.page.get_by_role("heading", name=name, exact=True)
        )

    def reaches(self, name: str, *phases: str, seconds: float = 40) -> None:
        """Wait until the card of a file is in one of the phases."""
        card = self.card(name)
        wanted = ", ".join(f"[data-phase={phase}]" for phase in phases)
        try:
            card.and_(self.page.locator(wanted)).wait_for(timeout=1000 * seconds)
        except Exception as fault:
            shown = self.page.locator("main").inner_text()
            raise AssertionError(f"{name} did not reach {phases}:\n{shown}\n{self.faults}") from fault

    def shows_preview(self, name: str, seconds: float = 40) -> None:
        """Wait until a file is there and the server has shown what it makes of it."""
        self.reaches(name, "look", seconds=seconds)
        self.card(name).locator(".part-look h4").first.wait_for()

    def accept(self, name: str) -> None:
        words = {"vi": "Đồng ý, nhận tệp này", "en": "Accept this file"}[self.lang]
        self.card(name).get_by_role("button", name=words).click()

    def link(self, bytes_per_s: int = -1, *, offline: bool = False) -> None:
        """The page's link as the browser's own tools feign it: slow, or none at all; -1 = as fast as it is."""
        rates = {"latency": 0, "downloadThroughput": bytes_per_s, "uploadThroughput": bytes_per_s}
        self.tools.send("Network.emulateNetworkConditions", {"offline": offline, **rates})

    def close(self) -> None:
        self.page.close()
        assert self.faults == []
        others = {url for url in self.asked if not url.startswith((self.address, "data:", "blob:"))}
        assert others == set()


@contextmanager
def browser() -> Iterator[object]:
    """Debian's chromium; skips where it is absent, fails where CI lacks it."""
    if not CHROMIUM.exists():
        missing = f"{CHROMIUM} is not installed: apt-get install chromium"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    playwright = pytest.importorskip("playwright.sync_api").sync_playwright
    with playwright() as started:
        opened = started.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        yield opened
        opened.close()


def until(what, seconds: float = 30) -> None:
    """Wait for a condition of the server's side."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)
