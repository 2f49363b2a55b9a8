"""Real Chromium, which prints a page as it is after its script ran, or takes a picture of it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

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
