"""`counterfoil breaking` beside `buf breaking`: a tiny schema, and a large one with 0, 1, 10 and 500 files edited.

The ratios are those of one run, one command after another on the same machine. Goals are about wall time; processor
time is shown beside it, since other work on the machine stretches only the former. Memory is the largest that any one
process of the command took. What buf takes for the large schema hardly depends on how much of it was edited, so it is
measured once for each form. Bytecode is kept, as it is in an installation. No result of an earlier run is there to be
reused, except in the lines that say so.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from counterfoil.system import toolchain

FILES = 5_000
MESSAGES_IN_A_FILE = 8
FILES_IN_A_PACKAGE = 10
SEED = 20
SCALARS = ("int32", "string", "bool", "double", "bytes")
TINY = 'syntax = "proto3";\npackage tiny.v1;\nmessage M {\n  int32 a = 1;\n}\n'
REPEATS = 7
GOAL_EDITED = 10
FORMS = {
    "images": (["new.binpb", "--against", "old.binpb"], ["new.binpb", "--against", "old.binpb"]),
    "folders": (["protos", "--against", "released"], ["protos", "--against", "released"]),
    "git": (["protos", "--against", "git:HEAD"], ["protos", "--against", ".git#ref=HEAD,subdir=protos"]),
}
"""What is compared: our arguments, and buf's."""
COUNTERFOIL = (sys.executable, "-m", "counterfoil", "breaking")
MEASURE = (
    "import resource, subprocess, sys, time; started = time.monotonic();"
    "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL);"
    "spent = resource.getrusage(resource.RUSAGE_CHILDREN);"
    "print(time.monotonic() - started, spent.ru_utime + spent.ru_stime, spent.ru_maxrss)"
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command took."""

    seconds: float
    cpu_s: float
    memory_mb: float

    def __str__(self) -> str:
        return f"{self.seconds:7.2f} s {self.cpu_s:7.2f} s cpu {self.memory_mb:6.0f} MB"

    def within(self, seconds: float) -> bool:
        """Whether it took no longer."""
        return self.seconds <= seconds

    def is_times_faster(self, times: float, other: Cost) -> bool:
        """Whether it took so much less than another command."""
        return self.seconds * times <= other.seconds


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
    with_witnesses = [*COUNTERFOIL, "retyped", "--against", "old"]
    buf, added, retyped = _best(
        [
            [_buf(), "breaking", "added", "--against", "old"],
            [*COUNTERFOIL, "added", "--against", "old"],
            with_witnesses,
        ],
        root,
    )
    yield _figure("tiny: buf breaking alone", buf)
    yield _figure("tiny: no change needs a witness", added, buf, added.is_times_faster(1 / 5, buf), "5 times buf")
    yield f"tiny: witnesses come from {', '.join(_runtimes(with_witnesses, root))}"
    yield _figure("tiny: with witnesses", retyped, buf, retyped.within(2), "2 s")
    yield _figure("tiny: with witnesses, result of before reused", _cost(with_witnesses, root), buf)


def _large(root: Path, files: int) -> Iterator[str]:
    for folder in ("protos", "released"):
        write_schema(root / folder, files)
    _git(root, "init", "-q", "-b", "main")
    _git(root, "add", "protos")
    _git(root, "commit", "-qm", "released")
    _image(root / "protos", root / "old.binpb")
    theirs: dict[str, Cost] = {}
    for edited in (GOAL_EDITED, 0, 1, files // 10):
        edit(root / "protos", edited, files)
        _image(root / "protos", root / "new.binpb")
        if not theirs:
            theirs = {form: _cost([_buf(), "breaking", *beside], root) for form, (_, beside) in FORMS.items()}
            for form, cost in theirs.items():
                yield _figure(f"large, {edited} edited, {form}: buf breaking", cost)
        for form, (ours, _) in FORMS.items():
            command = [*COUNTERFOIL, *ours, "--witnesses", "witnesses"]
            _forget_results(root)
            own = _cost(command, root)
            met, goal = _judged(own, theirs[form], edited)
            yield _figure(f"large, {edited} edited, {form}: counterfoil", own, theirs[form], met, goal)
            if edited == GOAL_EDITED:
                again = _cost(command, root)
                yield _figure(f"large, {edited} edited, {form}: result reused", again, theirs[form])
        _git(root, "checkout", "-q", "--", "protos")


def _judged(own: Cost, buf: Cost, edited: int) -> tuple[bool, str]:
    """Whether the goal is met, and what it is; empty where there is none."""
    if edited == 0:
        return own.within(2), "2 s"
    if edited != GOAL_EDITED:
        return True, ""
    met = own.is_times_faster(10, buf) and own.memory_mb * 4 < buf.memory_mb
    return met, "1/10 of the time, 1/4 of the memory"


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
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    measuring = [sys.executable, "-c", MEASURE, *command]
    done = subprocess.run(measuring, cwd=folder, env=environment, capture_output=True, check=True)
    seconds, cpu_s, kilobytes = map(float, done.stdout.split())
    return Cost(seconds, cpu_s, kilobytes / 1024)


def _forget_results(root: Path) -> None:
    shutil.rmtree(root / ".counterfoil" / "results", ignore_errors=True)


def _runtimes(command: Sequence[str], folder: Path) -> list[str]:
    """The runtimes of which witnesses tell."""
    done = subprocess.run([*command, "--format", "json"], cwd=folder, capture_output=True, check=False)
    evidence = [one for found in json.loads(done.stdout)["findings"] for one in found["evidence"]]
    return sorted({read["runtime"] for one in evidence for read in one.get("runtimes", ())})


def _best(commands: Sequence[Sequence[str]], folder: Path) -> list[Cost]:
    """The best of several runs of each, in turns, so that the machine is as fast for all; none finds kept results.

    The first round, which may have to write bytecode, does not count.
    """
    rounds = []
    for _ in range(1 + REPEATS):
        costs = []
        for command in commands:
            _forget_results(folder)
            costs.append(_cost(command, folder))
        rounds.append(costs)
    return [
        Cost(*(min(getattr(one, name) for one in runs) for name in ("seconds", "cpu_s", "memory_mb")))
        for runs in zip(*rounds[1:], strict=True)
    ]


def _figure(name: str, cost: Cost, beside: Cost | None = None, met: bool = True, goal: str = "") -> str:  # noqa: FBT001, FBT002  (one line of a table)
    ratio = (
        f"  {cost.seconds / beside.seconds:6.2f} of buf's time, {cost.cpu_s / beside.cpu_s:6.2f} of its cpu"
        if beside
        else ""
    )
    judged = f"   goal {goal}: {'met' if met else 'MISSED'}" if goal else ""
    return f"{name:48} {cost}{ratio}{judged}"
