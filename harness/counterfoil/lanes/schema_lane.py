"""The schema lane of a check: whether the schema is lint-clean, and whether it breaks readers of its baseline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from counterfoil.breaking.breaking_lane import BreakingLane, Request, guarded, no_schema
from counterfoil.breaking.schema_sources import DoesNotCompileError
from counterfoil.compat.annotations import Annotation
from counterfoil.core.rules import finding
from counterfoil.core.workspace import Schema, Workspace
from counterfoil.errors import UsageError
from counterfoil.model import LINT, Finding, Lane, Level, Location
from counterfoil.project.proto_trees import FolderTree
from counterfoil.results.result_cache import Judged, ResultCache
from counterfoil.results.result_keys import key, program
from counterfoil.system.buf import Buf, CompileError, as_finding, config_of, configuration_files, runs_programs
from counterfoil.system.processes import Processes


def judge_lint(processes: Processes, workspace: Workspace, schema: Schema, cache: ResultCache) -> Judged:
    """Judge by buf's linter, under the rules of the schema's buf.yaml; where there is none, list what buf would say."""
    if not any(workspace.path(schema.dir).rglob("*.proto")):
        return Judged(findings=(no_schema(schema.dir, workspace),))
    buf = Buf(processes, workspace.root, workspace.state_dir)

    asked = config_of(workspace.root, workspace.path(schema.dir)) is not None

    def lint() -> Judged:
        found = (as_finding(annotation, schema.dir, breaking=False) for annotation in buf.lint(schema.dir))
        return Judged(findings=tuple(found if asked else (replace(one, level=Level.SOURCE) for one in found)))

    return _found(
        lambda: cache.reused_or_judged(
            f"{Lane.SCHEMA} {LINT}", schema.dir, lambda: _lint_key(workspace, schema.dir, is_asked=asked), lint
        ),
        schema.dir,
    )


def _lint_key(workspace: Workspace, folder: str, *, is_asked: bool) -> str | None:
    """Of what buf's linter says of a folder; None where that may depend on more than the files in it and on buf."""
    place = workspace.path(folder)
    configured = [file for file in configuration_files(place) if file.is_file()]
    if any(file.parent != place or runs_programs(file) for file in configured):
        return None
    buf = program("buf", workspace.root)
    if buf is None:
        return None
    return key(LINT, folder, sorted(FolderTree(place).objects.items()), buf, is_asked)


def judge_breaking(processes: Processes, workspace: Workspace, schema: Schema, cache: ResultCache) -> Judged:
    """Judge the change against the baseline, in both directions."""
    if not workspace.path(schema.dir).exists():
        return Judged(findings=(no_schema(schema.dir, workspace),))
    with BreakingLane(processes, workspace, cache) as lane:
        return _found(lambda: lane.judged(Request(new=schema.dir, against=schema.against)), schema.dir)


def _found(judge: Callable[[], Judged], subject: str) -> Judged:
    """What a check makes of sources that cannot be used: it goes on with everything else, and is unproven."""
    try:
        return guarded(judge, subject)
    except (DoesNotCompileError, CompileError) as error:
        return Judged(findings=tuple(_does_not_compile(annotation, subject) for annotation in error.annotations))
    except UsageError as error:
        message = ": ".join(part for part in (error.what, error.why) if part)
        return Judged(findings=(finding("SCHEMA_UNUSABLE", subject, message, fix=error.fix or "correct it"),))


def _does_not_compile(annotation: Annotation, folder: str) -> Finding:
    return finding(
        "SCHEMA_DOES_NOT_COMPILE",
        f"{annotation.path}:{annotation.line}:{annotation.column}",
        annotation.message,
        fix=f"correct {annotation.path or folder}",
        location=Location(path=annotation.path or folder, line=annotation.line),
    )
