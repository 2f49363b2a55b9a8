"""Real Chromium, which prints a page as it is after its script ran, or takes a picture of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PAGE_WITHIN_S = 60
SWITCHES = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")


class Browser:
    """One profile in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        if CHROMIUM is None:
            if os.environ.get("CI"):
                pytest.fail("Chromium is needed: apt-get install chromium")
            pytest.skip("Chromium is not installed: apt-get install chromium")
        self._folder = folder

    def page(self, text: str, fragment: str = "") -> str:
        """A page's document, after its script ran."""
        file = self._folder / "report.html"
        file.write_bytes(text.encode("utf-8", "backslashreplace"))
        return self.opened(file.as_uri() + fragment)

    def opened(self, address: str, *switches: str) -> str:
        """The document behind an address, after its script ran."""
        profile = f"--user-data-dir={self._folder / 'profile'}"
        command = [str(CHROMIUM), *SWITCHES, profile, *switches, "--dump-dom", address]
        return subprocess.run(command, capture_output=True, check=True, timeout=PAGE_WITHIN_S).stdout.decode()


class Tab:
    """One page in a running Chromium, driven over the DevTools protocol: JSON that ends in NUL, on two pipes."""

    def __init__(self, send: BinaryIO, receive: BinaryIO) -> None:
        self._send, self._receive, self._count, self._session = send, receive, 0, ""

    def open(self, address: str) -> None:
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._call("Page.enable")
        self._call("Page.navigate", url=address)
        self._until("Page.loadEventFired")

    def press(self, key: str) -> None:
        """A key by its name, or a character that it types."""
        codes = {"Tab": 9, "Enter": 13}
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        details = {"key": key, "windowsVirtualKeyCode": codes.get(key, 0), "text": text}
        self._call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **details)
        self._call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def ask(self, expression: str) -> object:
        """What an expression of JavaScript comes to; a promise is waited for."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        return answer["result"].get("value")

    def _call(self, method: str, **parameters: object) -> dict[str, Any]:
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        message |= {"sessionId": self._session} if self._session else {}
        self._send.write(json.dumps(message).encode() + b"\0")
        self._send.flush()
        answer = self._until(self._count)
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def _until(self, wanted: int | str) -> dict[str, Any]:
        """The answer of that number, or the event of that name."""
        while True:
            data = b""
            while not data.endswith(b"\0"):
                byte = self._receive.read(1)
                assert byte, "Chromium ended"
                data += byte
            message: dict[str, Any] = json.loads(data[:-1])
            if wanted in {message.get("id"), message.get("method")}:
                return message


@contextmanager
def tab(folder: Path) -> Iterator[Tab]:
    """A Chromium of its own, which ends with the context."""
    Browser(folder)
    to_chromium, from_chromium = os.pipe(), os.pipe()
    theirs = (to_chromium[0], from_chromium[1])
    # The shell puts the pipes where Chromium looks for them: descriptors 3 and 4.
    script = f'exec "$@" 3<&{theirs[0]} 4>&{theirs[1]}'
    switches = ("--remote-debugging-pipe", f"--user-data-dir={folder / 'profile'}")
    with subprocess.Popen(
        ["bash", "-c", script, "bash", str(CHROMIUM), *SWITCHES, *switches],
        pass_fds=theirs,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        for descriptor in theirs:
            os.close(descriptor)
        watchdog = threading.Timer(PAGE_WITHIN_S, process.kill)
        watchdog.start()
        try:
            with open(to_chromium[1], "wb") as send, open(from_chromium[0], "rb") as receive:  # noqa: PTH123
                yield Tab(send, receive)
        finally:
            watchdog.cancel()
            process.terminate()
            process.wait(PAGE_WITHIN_S)
