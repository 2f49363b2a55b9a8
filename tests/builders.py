"""A small language for workspaces and pacts, and the real command line run on them."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

from counterfoil.commands.cli import main
from jsonschema import Draft202012Validator

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Object = dict[str, Any]

ROOT = Path(__file__).resolve().parents[1]
PROVIDER = Path(__file__).resolve().parent / "providers" / "provider.py"
REPORT_SCHEMA = ROOT / "docs" / "reference" / "report.v1.schema.json"
EXIT_CODES = {"compatible": 0, "broken": 1, "unproven": 3}
CLI = (sys.executable, "-m", "counterfoil")
CLI_WITHIN_S = 60.0
READ_RULES: list[frozenset[str]] = []
"""The rules of each report whose findings the running test has read; conftest.py holds the tests' markers to it."""


@cache
def report_schema() -> Draft202012Validator:
    """The documented schema of the JSON report."""
    return Draft202012Validator(json.loads(REPORT_SCHEMA.read_text(encoding="utf-8")))


# --- pacts -----------------------------------------------------------------------------------------------------------


def interaction(
    description: str,
    *,
    path: str = "/product",
    status: int = 200,
    body: object = None,
    rules: Object | None = None,
    states: Sequence[str | Object] = (),
) -> Object:
    """An HTTP interaction as V3 writes it; `rules` are those of the response's body, by path."""
    response: Object = {"status": status}
    if body is not None:
        response |= {"headers": {"Content-Type": "application/json"}, "body": body}
    if rules:
        response["matchingRules"] = {"body": {where: {"matchers": [rule]} for where, rule in rules.items()}}
    made: Object = {"description": description, "request": {"method": "GET", "path": path}, "response": response}
    if states:
        made["providerStates"] = [{"name": state} if isinstance(state, str) else state for state in states]
    return made


def message(description: str, contents: object, *, states: Sequence[str] = ()) -> Object:
    """An asynchronous message as V3 writes it."""
    made: Object = {"description": description, "contents": contents, "metadata": {"contentType": "application/json"}}
    return {**made, "providerStates": [{"name": state} for state in states]} if states else made


def pact(consumer: str, provider: str, *interactions: Object, **more: object) -> Object:
    """A V3 pact file; a keyword such as `messages` replaces or adds a section."""
    made: Object = {"consumer": {"name": consumer}, "provider": {"name": provider}}
    made |= {"interactions": list(interactions)} if interactions or not more else {}
    return made | {"metadata": {"pactSpecification": {"version": "3.0.0"}}} | more


def message_pact(consumer: str, provider: str, *messages: Object) -> Object:
    """A V3 pact file of messages."""
    return pact(consumer, provider, messages=list(messages))


def as_v2(document: Object) -> Object:
    """The same pact as V2 writes it: one provider state, and flat matching rules."""
    interactions = []
    for entry in document["interactions"]:
        old = {key: value for key, value in entry.items() if key != "providerStates"}
        if states := entry.get("providerStates"):
            old["providerState"] = states[0]["name"]
        response = dict(old["response"])
        if rules := response.pop("matchingRules", None):
            flat = {f"$.body{where.removeprefix('$')}": one["matchers"][0] for where, one in rules["body"].items()}
            response["matchingRules"] = flat
        interactions.append({**old, "response": response})
    return document | {"interactions": interactions, "metadata": {"pactSpecification": {"version": "2.0.0"}}}


def as_v4(document: Object) -> Object:
    """The same pact as V4 writes it: typed interactions, and wrapped bodies."""
    interactions = []
    for entry in document.get("interactions", ()):
        response = dict(entry["response"])
        if "body" in response:
            response["body"] = {"content": response["body"], "contentType": "application/json", "encoded": False}
        if "headers" in response:
            response["headers"] = {name: [value] for name, value in response["headers"].items()}
        interactions.append({**entry, "type": "Synchronous/HTTP", "response": response})
    for entry in document.get("messages", ()):
        contents = {"content": entry["contents"], "contentType": "application/json", "encoded": False}
        interactions.append({**entry, "type": "Asynchronous/Messages", "contents": contents})
    made = {key: value for key, value in document.items() if key != "messages"}
    return made | {"interactions": interactions, "metadata": {"pactSpecification": {"version": "4.0"}}}


# --- what a run says -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command of the CLI ended. No command may end in a traceback, so `run` asserts that none did."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def error(self) -> dict[str, str]:
        """The parts of a usage error: `error`, `at`, `why`, `next`; above it, steps may have been told."""
        lines = self.stderr.rstrip("\n").split("\n")
        first, *rest = [line for line in lines if not line.startswith(("started  ", "ended    "))]
        assert first.startswith("error: "), self.stderr
        parts = {line[2:7].strip(): line[8:] for line in rest}
        assert set(parts) <= {"at", "why", "next"}, self.stderr
        return {"error": first.removeprefix("error: "), **parts}


@dataclass(frozen=True, slots=True)
class Judged:
    """A JSON report; its exit code agrees with its verdict, and it follows the documented schema."""

    exit_code: int
    document: Object
    stderr: str

    @property
    def verdict(self) -> str:
        return str(self.document["verdict"])

    @property
    def findings(self) -> list[Object]:
        READ_RULES.append(frozenset(found["rule"] for found in self.document["findings"]))
        return list(self.document["findings"])

    @property
    def rules(self) -> set[tuple[str, str]]:
        """The identities of all findings: (rule, subject)."""
        return {(found["rule"], found["subject"]) for found in self.findings}

    @property
    def cases(self) -> dict[str, str]:
        """The verdict of each case, by its id."""
        return {case["id"]: case["verdict"] for case in self.document["cases"]}

    def the(self, rule: str, subject: str | None = None) -> Object:
        """The one finding of that rule (and subject)."""
        found = [one for one in self.findings if one["rule"] == rule and subject in {None, one["subject"]}]
        assert len(found) == 1, f"{len(found)} findings of {rule} {subject or ''} in {sorted(self.rules)}"
        return found[0]


def run(cwd: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Ran:
    """Run the real program to its end."""
    done = subprocess.run(
        [*CLI, *arguments],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=CLI_WITHIN_S,
        check=False,
    )
    ran = Ran(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "Traceback (most recent" not in ran.stderr, ran.stderr.rstrip().rsplit("\n", 1)[-1]
    assert ran.exit_code in {0, 1, 2, 3}, ran
    return ran


def run_here(cwd: Path, *arguments: str) -> Ran:
    """Run the program in this process: for what starts quickly and often. How it is started is tested elsewhere."""
    buffers = (io.BytesIO(), io.BytesIO())
    streams = [io.TextIOWrapper(buffer, encoding="utf-8", write_through=True) for buffer in buffers]
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGPIPE)}
    with (
        contextlib.chdir(cwd),
        mock.patch.object(sys, "argv", ["counterfoil", *arguments]),
        contextlib.redirect_stdout(streams[0]),
        contextlib.redirect_stderr(streams[1]),
    ):
        try:
            main()
        except SystemExit as end:
            exit_code = end.code
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
    stdout, stderr = (buffer.getvalue().decode() for buffer in buffers)
    assert isinstance(exit_code, int)
    assert exit_code in {0, 1, 2, 3}
    return Ran(exit_code, stdout, stderr)


def judged(ran: Ran) -> Judged:
    """Read a JSON report, and check what holds for every one."""
    assert ran.stdout, ran.stderr
    document = json.loads(ran.stdout)
    errors = [f"{error.json_path}: {error.message}" for error in report_schema().iter_errors(document)]
    assert not errors, errors
    assert ran.exit_code == EXIT_CODES[document["verdict"]], document
    return Judged(ran.exit_code, document, ran.stderr)


# --- workspaces ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Workspace:
    """A folder with a counterfoil.toml, which is written anew by each call that changes a table."""

    root: Path
    tables: dict[str, Object] = field(default_factory=lambda: {"": {"format": 1}, "pacts": {"dir": "contracts/pacts"}})

    @property
    def file(self) -> Path:
        return self.root / "counterfoil.toml"

    def write(self, path: str, content: str | bytes) -> Path:
        """Put a file into the workspace."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
        return target

    def configure(self, table: str, **entries: object) -> None:
        """Set keys of a table; `_` in a key stands for `-`, None removes it."""
        content = self.tables.setdefault(table, {})
        content.update({key.replace("_", "-"): value for key, value in entries.items()})
        self.write("counterfoil.toml", toml(self.tables))

    def provide(self, name: str, behaviour: Object | None = None, **entries: object) -> None:
        """A participant that serves with the test provider."""
        full = {"routes": {}, "states": {"known": [""]}, "messages": {}, "startup": {}} | (behaviour or {})
        file = self.write(f"{name}/behaviour.json", json.dumps(full))
        self.configure(f"participants.{name}", dir=name)
        start = [sys.executable, "-I", "-S", str(PROVIDER), str(file)]
        defaults: Object = {"start": start, "env": {"PORT": "{port}"}, "states": "/states", "messages": "/messages"}
        self.configure(f"participants.{name}.provider", **(defaults | {"stop_within_s": 2.0} | entries))

    def pact(self, document: object, name: str | None = None) -> str:
        """Write a pact file; its path, relative to the workspace."""
        if name is None:
            assert isinstance(document, dict)
            name = f"{document['consumer']['name']}-{document['provider']['name']}"
        path = f"contracts/pacts/{name}.json"
        self.write(path, document if isinstance(document, bytes) else json.dumps(document, indent=2))
        return path

    def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> Ran:
        return run(self.root, *arguments, env=env)

    def run_here(self, *arguments: str) -> Ran:
        return run_here(self.root, *arguments)

    def judge_here(self, *arguments: str) -> Judged:
        """Like `judge`, in this process."""
        return judged(self.run_here(*arguments, "--format", "json"))

    def judge(self, *arguments: str, env: Mapping[str, str] | None = None) -> Judged:
        """Run a judging command with `--format json`."""
        return judged(self.run(*arguments, "--format", "json", env=env))


def toml(tables: Mapping[str, Object]) -> str:
    """TOML of flat tables; a name in double brackets is an array of tables, and its entries a list."""
    lines: list[str] = []
    for table, entries in tables.items():
        if table:
            lines.append(f"\n[{table}]")
        lines += [f"{key} = {_toml_value(value)}" for key, value in entries.items() if value is not None]
    return "\n".join(lines) + "\n"


def _toml_value(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml_value(one) for one in value) + "]"
    return str(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False)


def line_of(text: str, needle: str, nth: int = 1) -> int:
    """The number of the nth line that contains the needle."""
    lines = [number for number, line in enumerate(text.splitlines(), start=1) if needle in line]
    return lines[nth - 1]
