"""Which outside programs are installed, in which version, and how to get the ones that are not."""

from __future__ import annotations

import re
import shutil
import sysconfig
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from counterfoil.system.processes import Processes

VERSION = re.compile(r"\d+\.\d+(?:\.\d+)?[\w.+-]*")
VERSION_WITHIN_S = 20.0


@dataclass(frozen=True, slots=True)
class Tool:
    """A program as it was found; `path` is None when it is not there, `version` None when it would not say."""

    name: str
    path: str | None
    version: str | None
    minimum: str
    install: str

    @property
    def usable(self) -> bool:
        """Whether it is there, runs, and is new enough."""
        return self.version is not None and _numbers(self.version) >= _numbers(self.minimum)


INSTALL = {
    "node": ("20.9", "install Node.js 20.9 or newer: https://nodejs.org/en/download"),
    "npm": ("9", "npm comes with Node.js: https://nodejs.org/en/download"),
    "cargo": ("1.89", "install Rust: https://rustup.rs"),
    "git": ("2.20", "install git: https://git-scm.com/downloads"),
    "buf": ("1.50", "pip install buf-bin"),
    "python3": ("3.11", "install Python 3.11 or newer: https://www.python.org/downloads"),
}


def how_to_install(name: str) -> str:
    """The command or the page that brings a program."""
    return INSTALL.get(name, ("0", f"install '{name}' and put it on PATH"))[1]


def find(name: str) -> str | None:
    """The path of a program: beside this interpreter first (wheels bring some), then on PATH."""
    beside = Path(sysconfig.get_path("scripts")) / name
    return str(beside) if beside.is_file() else shutil.which(name)


def inspect(processes: Processes, names: Iterable[str], *, within_s: float = VERSION_WITHIN_S) -> tuple[Tool, ...]:
    """Ask each program for its version, side by side."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        return tuple(pool.map(lambda name: _inspect(processes, name, within_s), dict.fromkeys(names)))


def _inspect(processes: Processes, name: str, within_s: float) -> Tool:
    minimum, install = INSTALL.get(name, ("0", f"install '{name}' and put it on PATH"))
    path = find(name)
    version = None
    if path:
        done = processes.run([path, "--version"], cwd=Path.cwd(), deadline_s=within_s)
        match = VERSION.search("\n".join(done.tail)) if done.exit_code == 0 else None
        version = match.group() if match else None
    return Tool(name=name, path=path, version=version, minimum=minimum, install=install)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
