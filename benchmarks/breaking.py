"""`counterfoil breaking` beside `buf breaking`: a tiny schema, and a large one with 0, 1, 10 and 500 files edited.

The ratios are those of one run, one command after another on the same machine. Memory is the largest that any one
process of the command took.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from counterfoil import toolchain

FILES = 5_000
MESSAGES_IN_A_FILE = 8
FILES_IN_A_PACKAGE = 10
SEED = 20
SCALARS = ("int32", "string", "bool", "double", "bytes")
TINY = 'syntax = "proto3";\npackage tiny.v1;\nmessage M {\n  int32 a = 1;\n}\n'
REPEATS = 3
COUNTERFOIL = (sys.executable, "-m", "counterfoil", "breaking")
MEASURE = (
    "import resource, subprocess, sys, time; started = time.monotonic();"
    "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL);"
    "print(time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command took."""

    seconds: float
    memory_mb: float

    def __str__(self) -> str:
        return f"{self.seconds:7.2f} s {self.memory_mb:6.0f} MB"


def run() -> Iterator[str]:
    """The figures, one a line, each with its goal where it has one."""
    with tempfile.TemporaryDirectory(prefix="counterfoil-bench-") as folder:
        root = Path(folder)
        yield from _tiny(root / "tiny")
        yield from _large(root / "large", int(os.environ.get("COUNTERFOIL_BENCH_FILES", FILES)))


def _tiny(root: Path) -> Iterator[str]:
    for name, text in {
        "old": TINY,
        "added": TINY.replace("a = 1;", "a = 1;\n  bool b = 2;"),
        "retyped": TINY.replace("int32", "string"),
    }.items():
        _write(root / name / "tiny.proto", text)
    buf = _best([_buf(), "breaking", "added", "--against", "old"], root)
    added = _best([*COUNTERFOIL, "added", "--against", "old"], root)
    retyped = _best([*COUNTERFOIL, "retyped", "--against", "old"], root)
    yield _figure("tiny: buf breaking alone", buf)
    yield _figure("tiny: no change needs a witness", added, buf, added.seconds <= 5 * buf.seconds, "5 times buf")
    yield _figure("tiny: with witnesses", retyped, buf, retyped.seconds < 2, "2 s")  # noqa: PLR2004  (the goal)


def _large(root: Path, files: int) -> Iterator[str]:
    write_schema(root / "old", files)
    _git(root, "init", "-q", "-b", "main")
    _git(root, "add", "old")
    _git(root, "commit", "-qm", "released")
    _git(root, "mv", "old", "protos")
    _git(root, "commit", "-qm", "named")
    _image(root / "protos", root / "old.binpb")
    for edited in (0, 1, 10, files // 10):
        edit(root / "protos", edited, files)
        _image(root / "protos", root / "new.binpb")
        yield from _compared(root, edited)
        _git(root, "checkout", "-q", "--", "protos")


def _compared(root: Path, edited: int) -> Iterator[str]:
    """Images against images, and the tree against its last commit."""
    for name, ours, theirs in (
        ("images", ["new.binpb", "--against", "old.binpb"], ["new.binpb", "--against", "old.binpb"]),
        ("git", ["protos", "--against", "git:HEAD"], ["protos", "--against", ".git#ref=HEAD,subdir=protos"]),
    ):
        buf = _cost([_buf(), "breaking", *theirs], root)
        own = _cost([*COUNTERFOIL, *ours, "--witnesses", "witnesses"], root)
        yield _figure(f"large, {edited} edited, {name}: buf breaking", buf)
        goal, met = "", True
        if edited == 0:
            goal, met = "2 s", own.seconds < 2  # noqa: PLR2004  (the goal)
        elif edited == 10:  # noqa: PLR2004  (likewise)
            goal = "a tenth of the time, a quarter of the memory"
            met = own.seconds * 10 <= buf.seconds and own.memory_mb * 4 < buf.memory_mb
        yield _figure(f"large, {edited} edited, {name}: counterfoil", own, buf, met, goal)


def write_schema(folder: Path, files: int) -> None:
    """A schema of so many files, in packages, each importing a few of those of its neighbours; the same every time."""
    chosen = random.Random(SEED)  # noqa: S311  (a schema, no secret)
    for number in range(files):
        start = number - number % 50
        imports = sorted(chosen.sample(range(start, number), min(2, number - start)))
        lines = ['syntax = "proto3";', f"package {_package(number)};"]
        lines += [f'import "{_path(one)}";' for one in imports]
        for index in range(MESSAGES_IN_A_FILE):
            fields = [f"  {chosen.choice(SCALARS)} field_{one} = {one};" for one in range(1, 8)]
            uses = [f"  {_package(one)}.M{one}x{index} used_{at} = {20 + at};" for at, one in enumerate(imports)]
            lines += [f"message M{number}x{index} {{", *fields, *uses, "}"]
        lines += [f"enum E{number} {{", f"  E{number}_UNSPECIFIED = 0;", f"  E{number}_A = 1;", "}"]
        _write(folder / _path(number), "\n".join(lines) + "\n")


def edit(folder: Path, edited: int, files: int) -> None:
    """Renumber a field of one message in so many files, spread over the schema."""
    for turn in range(edited):
        path = folder / _path(turn * (files // edited))
        path.write_text(path.read_text().replace("field_7 = 7;", "field_7 = 107;", 1))


def _package(number: int) -> str:
    return f"p{number // FILES_IN_A_PACKAGE}.v1"


def _path(number: int) -> str:
    return f"p{number // FILES_IN_A_PACKAGE}/v1/f{number}.proto"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _buf() -> str:
    return toolchain.find("buf") or "buf"


def _image(folder: Path, image: Path) -> None:
    subprocess.run([_buf(), "build", str(folder), "-o", str(image)], check=True)


def _git(root: Path, *arguments: str) -> None:
    root.mkdir(parents=True, exist_ok=True)
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"]
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True)


def _cost(command: Sequence[str], folder: Path) -> Cost:
    """Measured by a process of its own, whose largest child is the one that counts."""
    done = subprocess.run([sys.executable, "-c", MEASURE, *command], cwd=folder, capture_output=True, check=True)
    seconds, kilobytes = done.stdout.split()
    return Cost(float(seconds), float(kilobytes) / 1024)


def _best(command: Sequence[str], folder: Path) -> Cost:
    return min((_cost(command, folder) for _ in range(REPEATS)), key=lambda cost: cost.seconds)


def _figure(name: str, cost: Cost, beside: Cost | None = None, met: bool = True, goal: str = "") -> str:  # noqa: FBT001, FBT002  (one line of a table)
    ratio = f"  {cost.seconds / beside.seconds:6.2f} of buf's time" if beside else ""
    judged = f"   goal {goal}: {'met' if met else 'MISSED'}" if goal else ""
    return f"{name:46} {cost}{ratio}{judged}"
