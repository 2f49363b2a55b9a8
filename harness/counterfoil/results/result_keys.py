"""By what a kept result is found again: all that it depends on, by content. None where any of that is not known."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

import counterfoil
from counterfoil.core.workspace import Build, Workspace
from counterfoil.project.builds import digest_of, matching
from counterfoil.project.pact_places import pact_paths
from counterfoil.system import toolchain

if TYPE_CHECKING:
    from counterfoil.allowance.links import PlannedReading, PlannedTrial
    from counterfoil.core.pacts import Pact
    from counterfoil.runs.plan import PlannedInteraction

FORMAT = 1
LIBRARIES = ("hypothesis", "pact-python", "pact-python-ffi", "protobuf", "pyyaml")
OF_THE_TERMINAL = frozenset(
    [
        "_",
        "PWD",
        "OLDPWD",
        "SHLVL",
        "COLUMNS",
        "LINES",
        "COLORTERM",
        "WINDOWID",
        "LS_COLORS",
        "TERM",
        "TERM_PROGRAM",
        "TERM_PROGRAM_VERSION",
        "TERM_SESSION_ID",
        "SSH_AGENT_PID",
        "SSH_AUTH_SOCK",
        "SSH_CLIENT",
        "SSH_CONNECTION",
        "SSH_TTY",
        "XDG_SESSION_CLASS",
        "XDG_SESSION_ID",
        "XDG_SESSION_TYPE",
    ]
)
OF_THE_JOB = frozenset(
    [
        "GITHUB_ACTION",
        "GITHUB_ENV",
        "GITHUB_JOB",
        "GITHUB_OUTPUT",
        "GITHUB_PATH",
        "GITHUB_RUN_ATTEMPT",
        "GITHUB_RUN_ID",
        "GITHUB_RUN_NUMBER",
        "GITHUB_SHA",
        "GITHUB_STATE",
        "GITHUB_STEP_SUMMARY",
        "RUNNER_NAME",
        "RUNNER_TEMP",
        "RUNNER_TRACKING_ID",
        "PYTEST_CURRENT_TEST",
        "PYTEST_XDIST_TESTRUNUID",
        "PYTEST_XDIST_WORKER",
        "PYTEST_XDIST_WORKER_COUNT",
    ]
)
"""Variables that differ from terminal to terminal, and from job to job of a CI server or of a test.

Every other variable counts, since participants and stubs inherit them all; so they are told by their whole names.
"""
RUSTUP_PROXIES = frozenset({"cargo", "rustc"})
TOOLCHAIN_FILES = ("rust-toolchain", "rust-toolchain.toml")


def key(*parts: object) -> str:
    """A digest over what a result depends on, and over Counterfoil itself."""
    return digest([FORMAT, harness(), environment(), *parts])


def digest(value: object) -> str:
    """Of anything that JSON can say."""
    return hashlib.sha256(json.dumps(value, default=str).encode()).hexdigest()


@cache
def harness() -> str:
    """Counterfoil's own code, the interpreter, and the libraries that judge."""
    folder = Path(counterfoil.__file__).parent
    own = digest_of(folder, ("**/*.py",), ())
    return digest([own, platform.python_version(), platform.machine(), *map(version, LIBRARIES)])


def environment() -> str:
    """The variables that every child process inherits."""
    passing = OF_THE_TERMINAL | OF_THE_JOB
    return digest(sorted((name, value) for name, value in os.environ.items() if name not in passing))


def provider_identity(workspace: Workspace, name: str) -> list[object] | None:
    """What a provider is: its tables, its programs, its builds and the content of what it is made from."""
    participant = workspace.settings.participants.get(name)
    provider = participant.provider if participant else None
    if participant is None or provider is None:
        return None
    folder = workspace.path(participant.dir)
    return _identity(name, folder, provider.start, provider.inputs, participant.build, participant.tools, provider)


def stub_identity(workspace: Workspace, name: str) -> list[object] | None:
    """What a stub is, likewise; a built-in one is Counterfoil itself."""
    stub = workspace.settings.stubs.get(name)
    if stub is None:
        return [name, "built in"]
    participant = workspace.settings.participants.get(stub.participant or "")
    tools = (*(participant.tools if participant else ()), *stub.tools)
    return _identity(name, workspace.stub_dir(stub), stub.start, stub.inputs, workspace.stub_builds(stub), tools, stub)


def _identity(  # noqa: PLR0913, PLR0917  (what a process is made of)
    name: str,
    folder: Path,
    start: Sequence[str],
    inputs: Sequence[str],
    builds: Sequence[Build],
    tools: Sequence[str],
    table: msgspec.Struct,
) -> list[object] | None:
    contents = [content_of(folder, patterns) for patterns in (inputs, *(build.inputs for build in builds))]
    programs = [program(one, folder) for one in (start[0], *tools)]
    if None in contents or None in programs:
        return None
    built = [msgspec.to_builtins(build) for build in builds]
    return [name, str(folder), msgspec.to_builtins(table), programs, contents, built]


def content_of(folder: Path, patterns: Sequence[str]) -> str | None:
    """A digest over files; None when no pattern is given, or one matches nothing."""
    if not patterns or not all(any(matching(folder, [pattern])) for pattern in patterns):
        return None
    return digest_of(folder, patterns, ())


def program(name: str, folder: Path) -> list[object] | None:
    """A program's file as the system tells one from another; None where there is none."""
    path = str(folder / name) if "/" in name else toolchain.find(name)
    try:
        status = Path(path or "").stat() if path else None
    except OSError:
        return None
    if status is None:
        return None
    toolchains = _rust_toolchains(folder) if Path(name).name in RUSTUP_PROXIES else []
    return [path, status.st_mode, status.st_size, status.st_mtime_ns, *toolchains]


def _rust_toolchains(folder: Path) -> Iterator[object]:
    """What rustup may start in cargo's place: its settings, the folder's choice, and every toolchain as it is."""
    home = Path(os.environ.get("RUSTUP_HOME") or Path.home() / ".rustup")
    chosen = [place / name for place in (folder, *folder.parents) for name in TOOLCHAIN_FILES]
    for file in (home / "settings.toml", *sorted(home.glob("update-hashes/*")), *chosen):
        if file.is_file():
            yield [str(file), hashlib.sha256(file.read_bytes()).hexdigest()]
    for file in sorted(home.glob("toolchains/*/bin/*")):
        if file.name in RUSTUP_PROXIES and file.is_file():
            yield [str(file), str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns]


def pacts_digest(workspace: Workspace) -> str:
    """Over every pact file."""
    return digest(
        [[workspace.relative(one), hashlib.sha256(one.read_bytes()).hexdigest()] for one in pact_paths(workspace)]
    )


def witnesses_digest(workspace: Workspace) -> str:
    """Over the saved witnesses."""
    return digest_of(workspace.path(workspace.settings.probe.witnesses), ("**/*.json",), ())


def documents_digest(workspace: Workspace) -> str:
    """Over the documents that say what participants send, such as OpenAPI's."""
    files = map(workspace.path, workspace.settings.documents)
    return digest([hashlib.sha256(one.read_bytes()).hexdigest() if one.is_file() else "" for one in files])


def probe_key(workspace: Workspace, stubs: Iterable[str], schema_digest: str, request: Sequence[object]) -> str | None:
    """Of a probe of some messages through some stubs."""
    identities = [stub_identity(workspace, name) for name in stubs]
    if None in identities:
        return None
    return key("probe", identities, schema_digest, request, witnesses_digest(workspace), pacts_digest(workspace))


def verification_keys(workspace: Workspace, provider: str, planned: Sequence[PlannedInteraction]) -> list[str | None]:
    """Of interactions with one provider."""
    identity = provider_identity(workspace, provider)
    # Of two interactions of one name a result cannot be told from the other's.
    names = Counter((one.pact.consumer, one.interaction.description) for one in planned)
    return [
        key("verify", identity, one.pact.consumer, one.pact.context, one.interaction.digest)
        if identity and _is_known(one.pact) and names[one.pact.consumer, one.interaction.description] == 1
        else None
        for one in planned
    ]


def trial_keys(workspace: Workspace, provider: str, planned: Sequence[PlannedTrial]) -> list[str | None]:
    """Of requests that one provider is sent."""
    identity = provider_identity(workspace, provider)
    names = Counter(one.case for one in planned)
    return [
        key(
            "trial",
            identity,
            one.case.id,
            one.pact.path,
            one.pact.context,
            one.interaction.digest,
            one.interaction.line,
        )
        if identity and _is_known(one.pact) and names[one.case] == 1
        else None
        for one in planned
    ]


def reading_keys(workspace: Workspace, stub: str, planned: Sequence[PlannedReading]) -> list[str | None]:
    """Of what one stub reads: what is said of one body depends on the whole pact, the schemas, and what is left out."""
    identity = stub_identity(workspace, stub)
    if identity is None:
        return [None] * len(planned)
    settings = workspace.settings
    protos = digest_of(workspace.path(settings.schema.dir), ("**/*",), ()) if settings.schema else ""
    shared = digest([identity, msgspec.to_builtins(settings), protos, documents_digest(workspace)])
    names = Counter(one.case for one in planned)
    return [
        key("nulls", shared, one.case.id, one.pact.path, one.pact.context, _told_of(one.pact))
        if _is_known(one.pact) and names[one.case] == 1
        else None
        for one in planned
    ]


def _told_of(pact: Pact) -> list[tuple[str, int | None]]:
    """The interactions, and the lines to which findings point."""
    return [(one.digest, one.line) for one in pact.interactions]


def _is_known(pact: Pact) -> bool:
    return bool(pact.context) and all(one.digest for one in pact.interactions)
