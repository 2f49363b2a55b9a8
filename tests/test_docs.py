"""Pages that are written from other files are current, and links of the site lead somewhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.builders import ROOT

GENERATE = (sys.executable, "docs/generate.py", "--check")


def test_the_page_of_divergences_is_written_from_the_witnesses() -> None:
    done = subprocess.run(GENERATE, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_witness_is_on_the_page() -> None:
    page = (ROOT / "docs" / "divergences.md").read_text(encoding="utf-8")
    headings = {line.removeprefix("### ") for line in page.splitlines() if line.startswith("### ")}
    assert len(headings) > 100
    assert "the reference schema" in page.lower()
    assert any(heading.endswith("ranker-stub / storefront-stub") for heading in headings)


def test_a_dead_link_of_the_site_is_found(tmp_path: Path) -> None:
    links = '<a href="b/index.html#here">good</a> <a href="https://example.org/x">not ours</a>'
    (tmp_path / "b").mkdir()
    (tmp_path / "b/index.html").write_text('<h1 id="here">B</h1>', encoding="utf-8")
    command = [sys.executable, "docs/links.py", str(tmp_path)]
    (tmp_path / "a.html").write_text(links, encoding="utf-8")
    good = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (good.returncode, good.stdout) == (0, "every link leads somewhere\n")
    dead = '<a href="b/index.html#gone">anchor</a> <img src="none.png">'
    (tmp_path / "a.html").write_text(links + dead, encoding="utf-8")
    bad = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (bad.returncode, bad.stdout.splitlines()) == (1, ["a.html: b/index.html#gone", "a.html: none.png"])
