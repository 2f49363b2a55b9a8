"""Judges a schema: whether it is lint-clean, and whether it breaks readers of its baseline."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from counterfoil.buf import Annotation, Buf, BufError, CompileError, as_finding
from counterfoil.model import Finding, Location, Output
from counterfoil.processes import Processes
from counterfoil.rules import finding
from counterfoil.workspace import Schema, Workspace

GIT = "git:"


def judge_lint(processes: Processes, workspace: Workspace, schema: Schema) -> tuple[Finding, ...]:
    """Judge by buf's linter, under the rules of the schema's buf.yaml."""
    return _judged(processes, workspace, schema, _lint)


def judge_breaking(processes: Processes, workspace: Workspace, schema: Schema) -> tuple[Finding, ...]:
    """Judge by buf's breaking rules, under the schema's buf.yaml, against the baseline."""
    return _judged(processes, workspace, schema, _breaking)


def _judged(
    processes: Processes,
    workspace: Workspace,
    schema: Schema,
    judge: Callable[[Buf, Workspace, Schema, Path], tuple[Finding, ...]],
) -> tuple[Finding, ...]:
    if not any(workspace.path(schema.dir).rglob("*.proto")):
        return (
            finding(
                "SCHEMA_MISSING",
                schema.dir,
                f"'{schema.dir}' has no .proto files, so there is no schema to judge",
                fix=f"correct schema.dir in {workspace.file.name}",
                location=Location(path=workspace.file.name),
            ),
        )
    workspace.state_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=workspace.state_dir, prefix="schema-") as scratch:
        buf = Buf(processes, workspace.root, workspace.state_dir)
        try:
            return judge(buf, workspace, schema, Path(scratch))
        except CompileError as error:
            return _does_not_compile(error, schema)
        except BufError as error:
            return (
                finding(
                    "BUF_FAILED",
                    schema.dir,
                    error.message,
                    fix="see what it said, then run 'counterfoil doctor'",
                    evidence=(Output(label="it said", lines=error.tail),) if error.tail else (),
                ),
            )


def _lint(buf: Buf, _workspace: Workspace, schema: Schema, _scratch: Path) -> tuple[Finding, ...]:
    return tuple(as_finding(annotation, schema.dir, breaking=False) for annotation in buf.lint(schema.dir))


def _breaking(buf: Buf, workspace: Workspace, schema: Schema, scratch: Path) -> tuple[Finding, ...]:
    old, new = scratch / "old.binpb", scratch / "new.binpb"
    if schema.against is None:
        return (
            finding(
                "SCHEMA_BASELINE_MISSING",
                schema.dir,
                f"'{schema.dir}' has no baseline to be compared with",
                fix="set schema.against, or pass --against: a folder, an image (.binpb) or git:REF",
                location=Location(path=workspace.file.name),
            ),
        )
    missing = _baseline(buf, workspace, schema, schema.against, scratch, old)
    if missing:
        return missing
    buf.build(workspace.path(schema.dir), new)
    config = workspace.path(schema.dir) / "buf.yaml"
    found = buf.breaking(old, new, config)
    return tuple(as_finding(_placed(one, workspace.path(schema.dir)), schema.dir, breaking=True) for one in found)


def _placed(annotation: Annotation, folder: Path) -> Annotation:
    """With the path inside the schema's folder: that in an image begins below the folder of its module."""
    if not annotation.path or (folder / annotation.path).exists():
        return annotation
    files = sorted(folder.rglob(Path(annotation.path).name))
    inside = (file.relative_to(folder).as_posix() for file in files)
    return replace(annotation, path=next((one for one in inside if one.endswith(annotation.path)), annotation.path))


def _baseline(
    buf: Buf, workspace: Workspace, schema: Schema, against: str, scratch: Path, image: Path
) -> tuple[Finding, ...]:
    """Write the baseline's image; a finding when there is nothing in it to compare with."""
    source = workspace.path(against)
    if against.startswith(GIT):
        buf.files_of(against.removeprefix(GIT), schema.dir, scratch / "tree")
        source = scratch / "tree" / schema.dir
    if not source.exists():
        return (
            finding(
                "SCHEMA_BASELINE_MISSING",
                schema.dir,
                f"the baseline '{against}' does not exist",
                fix="name a folder, an image (.binpb) or git:REF; paths are relative to counterfoil.toml",
                location=Location(path=workspace.file.name),
            ),
        )
    if source.is_file():
        image.write_bytes(source.read_bytes())
        empty = not image.stat().st_size
    else:
        empty = not any(source.rglob("*.proto"))
        if not empty:
            buf.build(source, image)
    if not empty:
        return ()
    return (
        finding(
            "SCHEMA_BASELINE_EMPTY",
            schema.dir,
            f"the baseline '{against}' has no schema in it, so nothing could break",
            fix="name the baseline of the last release, a folder, an image (.binpb) or git:REF",
            location=Location(path=workspace.file.name),
        ),
    )


def _does_not_compile(error: CompileError, schema: Schema) -> tuple[Finding, ...]:
    return tuple(
        finding(
            "SCHEMA_DOES_NOT_COMPILE",
            f"{annotation.path}:{annotation.line}:{annotation.column}",
            annotation.message,
            fix=f"correct {annotation.path or schema.dir}",
            location=Location(path=annotation.path or schema.dir, line=annotation.line),
        )
        for annotation in error.annotations
    )
