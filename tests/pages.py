"""What the pages of the documentation hold that can be tried: commands, files, excerpts, links."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.builders import ROOT

DOCS = ROOT / "docs"
FENCE = re.compile(r"^( *)(`{3,})([\w-]*)([^\n`]*)\n(.*?)^\1\2$", re.DOTALL | re.MULTILINE)
OPTION = re.compile(r'([\w-]+)="([^"]*)"')
EXPORT = re.compile(r"export (\w+)=(\S+)$")
EXIT_CODE = re.compile(r"\s+# exit code (\d)$")
SETTING = re.compile(r"<!-- commands run in (.+?) -->")
ELLIPSIS = "..."
EXCERPTS_OF = ("providers/", "harness/")


@dataclass(frozen=True, slots=True)
class Step:
    """A command, and how the page says that it ends: the exit code, and beginnings of lines that it prints."""

    command: str
    exit_code: int
    told: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block, with what stands behind its language."""

    page: str
    line: int
    language: str
    text: str
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """The path of the file that it is, or is a piece of; empty for anything else."""
        return "" if self.language == "console" else self.options.get("title", "")

    @property
    def not_run(self) -> str:
        """Why no test runs its commands; empty for one whose commands are run."""
        found = re.match(r"not run by a test: (.+)", self.options.get("title", ""))
        return found[1] if found else ""

    @property
    def is_excerpt(self) -> bool:
        """Whether it is a piece of a file of this repository."""
        return self.file.startswith(EXCERPTS_OF)

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def steps(self) -> Iterator[Step]:
        """The commands of a console block; a command ends where its line does, unless that ends in a backslash."""
        for part in re.split(r"^\$ ", self.text, flags=re.MULTILINE)[1:]:
            command, *told = part.rstrip("\n").replace("\\\n", "").split("\n")
            code = EXIT_CODE.search(command)
            lines = tuple(line.rstrip() for line in told if line.strip() and line != ELLIPSIS)
            yield Step(EXIT_CODE.sub("", command), int(code.group(1)) if code else 0, lines)


def pages() -> list[Path]:
    """Every page that people read, but those of generated code."""
    return [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted(DOCS.rglob("*.md"))]


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in their order."""
    text = page.read_text(encoding="utf-8")
    name = page.relative_to(ROOT).as_posix()
    return [
        Block(
            page=name,
            line=text.count("\n", 0, found.start()) + 1,
            language=found[3],
            text=re.sub(rf"^{found[1]}", "", found[5], flags=re.MULTILINE),
            options=dict(OPTION.findall(found[4])),
        )
        for found in FENCE.finditer(text)
    ]


def setting(page: Path) -> str:
    """Where the page says that its commands run; empty when it does not say."""
    found = SETTING.search(page.read_text(encoding="utf-8"))
    return found.group(1) if found else ""


def follow(page: Path, folder: Path, *, within_s: float, env: Mapping[str, str]) -> int:
    """Do what a page says, from its top to its end, and compare; the number of commands that were run.

    A block that names a file is that file's new content, unless it is a piece of a file of this repository. What the
    page exports holds from there on; where it is an example, such as the address of a server, `env` has the real one.
    """
    count = 0
    exported: dict[str, str] = {}
    for block in blocks(page):
        if block.file and not block.is_excerpt:
            file = folder / block.file
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
        elif block.language == "console" and not block.not_run:
            for step in block.steps:
                if export := EXPORT.match(step.command):
                    exported[export[1]] = export[2]
                    continue
                count += 1
                _do(step, block.place, folder, within_s, {**exported, **env})
    return count


def _do(step: Step, place: str, folder: Path, within_s: float, env: Mapping[str, str]) -> None:
    bash = shutil.which("bash")
    assert bash
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [bash, "-ec", step.command],
        cwd=folder,
        env={**os.environ, **env, "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=within_s,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == step.exit_code, f"{place}: {step.command}\n{done.stdout}"
    printed = iter(line.rstrip() for line in done.stdout.splitlines())
    for line in step.told:
        assert any(one.startswith(line) for one in printed), f"{place}: {step.command}\nmissing: {line}\n{done.stdout}"
