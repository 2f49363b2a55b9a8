"""The schema lane of a check: whether the schema is lint-clean, and whether it breaks readers of its baseline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from counterfoil.breaking_lane import BreakingLane, Request, buf_failed, no_schema
from counterfoil.buf import Buf, BufError, CompileError, as_finding, buf_yaml
from counterfoil.compat.merging import Annotation
from counterfoil.errors import UsageError
from counterfoil.model import Finding, Level, Location
from counterfoil.processes import Processes
from counterfoil.rules import finding
from counterfoil.schema_sources import DoesNotCompileError
from counterfoil.workspace import Schema, Workspace


def judge_lint(processes: Processes, workspace: Workspace, schema: Schema) -> tuple[Finding, ...]:
    """Judge by buf's linter, under the rules of the schema's buf.yaml; where there is none, list what buf would say."""
    if not any(workspace.path(schema.dir).rglob("*.proto")):
        return (no_schema(schema.dir, workspace),)
    buf = Buf(processes, workspace.root, workspace.state_dir)

    asked = buf_yaml(workspace.root, workspace.path(schema.dir)) is not None

    def lint() -> tuple[Finding, ...]:
        found = (as_finding(annotation, schema.dir, breaking=False) for annotation in buf.lint(schema.dir))
        return tuple(found) if asked else tuple(replace(one, level=Level.SOURCE) for one in found)

    return _found(lint, schema.dir)


def judge_breaking(processes: Processes, workspace: Workspace, schema: Schema) -> tuple[Finding, ...]:
    """Judge the change against the baseline, in both directions."""
    if not workspace.path(schema.dir).exists():
        return (no_schema(schema.dir, workspace),)
    with BreakingLane(processes, workspace) as lane:
        return _found(lambda: lane.judge(Request(new=schema.dir, against=schema.against)), schema.dir)


def _found(judge: Callable[[], tuple[Finding, ...]], subject: str) -> tuple[Finding, ...]:
    """What a check makes of sources that cannot be used: it goes on with everything else, and is unproven."""
    try:
        return guarded(judge, subject)
    except DoesNotCompileError as error:
        return tuple(_does_not_compile(annotation, subject) for annotation in error.annotations)
    except CompileError as error:
        return tuple(_does_not_compile(annotation, subject) for annotation in error.annotations)
    except UsageError as error:
        message = ": ".join(part for part in (error.what, error.why) if part)
        return (finding("SCHEMA_UNUSABLE", subject, message, fix=error.fix or "correct it"),)


def guarded(judge: Callable[[], tuple[Finding, ...]], subject: str) -> tuple[Finding, ...]:
    """What was found, or that buf failed."""
    try:
        return judge()
    except CompileError:
        raise
    except BufError as error:
        return (buf_failed(error, subject),)


def _does_not_compile(annotation: Annotation, folder: str) -> Finding:
    return finding(
        "SCHEMA_DOES_NOT_COMPILE",
        f"{annotation.path}:{annotation.line}:{annotation.column}",
        annotation.message,
        fix=f"correct {annotation.path or folder}",
        location=Location(path=annotation.path or folder, line=annotation.line),
    )
