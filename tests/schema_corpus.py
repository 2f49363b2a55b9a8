"""The corpus of schema changes: a folder each, with the old and the new protos and what is expected of them.

`expected.json` has `changes` (what our rules say), `observed` (where a runtime was seen to read a payload otherwise;
empty is no proof of safety), `benign` (whether nothing may fail) and `buf` (what each of buf's categories says).
`python -m tests.schema_corpus` writes `changes` and `buf` anew; a person then reads the difference.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import grpc_tools  # type: ignore[import-untyped]
from counterfoil.compat.changes import Change
from counterfoil.compat.compare import compare
from counterfoil.schema.descriptors import Schema, parse_image
from counterfoil.system import toolchain
from grpc_tools import protoc

CORPUS = Path(__file__).resolve().parent / "corpus"
WELL_KNOWN = Path(grpc_tools.__file__).parent / "_proto"
CATEGORIES = ("FILE", "PACKAGE", "WIRE_JSON", "WIRE")
Expected = dict[str, Any]


def names() -> list[str]:
    """The pairs."""
    return sorted(path.name for path in CORPUS.iterdir() if path.is_dir())


@cache
def image(name: str, side: str) -> bytes:
    """The compiled protos of the "old" or the "new" side."""
    folder = CORPUS / name / side
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.proto"))
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "image.binpb"
        flags = ["--include_imports", "--include_source_info", f"-o{target}"]
        assert protoc.main(["protoc", f"-I{folder}", f"-I{WELL_KNOWN}", *flags, *files]) == 0, f"{folder} compiles"
        return target.read_bytes()


@cache
def schema(name: str, side: str) -> Schema:
    """The same, read."""
    return parse_image(image(name, side))


def changes(name: str, *, disabled: Iterable[str] = ()) -> tuple[Change, ...]:
    """What our rules say of a pair."""
    return compare(schema(name, "old"), schema(name, "new"), disabled=frozenset(disabled))


def effects(change: Change) -> list[str]:
    """For example "backward binary"."""
    return sorted(f"{one.direction} {one.encoding}" for one in change.effects)


def told(found: Iterable[Change]) -> list[Expected]:
    """Changes in the form of `expected.json`."""
    return [{"rule": one.rule, "symbol": one.symbol, "level": str(one.level), "effects": effects(one)} for one in found]


@cache
def expected(name: str) -> Expected:
    """What is expected of a pair."""
    content: Expected = json.loads((CORPUS / name / "expected.json").read_bytes())
    return content


def buf_says(name: str) -> dict[str, list[str]]:
    """The rules of each of buf's categories that a pair breaks; "error" where buf cannot compare it."""
    with tempfile.TemporaryDirectory() as scratch:
        inputs = []
        for side in ("new", "old"):
            path = Path(scratch) / f"{side}.binpb"
            path.write_bytes(image(name, side))
            inputs.append(str(path))
        config = json.dumps({"version": "v2", "breaking": {"use": list(CATEGORIES)}})
        command = ["breaking", inputs[0], "--against", inputs[1], "--config", config, "--error-format", "json"]
        done = _buf(command)
    if done.returncode not in {0, 100}:
        return {category: ["error"] for category in CATEGORIES}
    found = {json.loads(line)["type"] for line in done.stdout.splitlines()}
    return {category: sorted(found & rules) for category, rules in categories().items()}


@cache
def categories() -> dict[str, set[str]]:
    """buf's rules by category."""
    listed = _buf(["config", "ls-breaking-rules", "--format", "json"]).stdout.splitlines()
    rules = [json.loads(line) for line in listed]
    return {category: {rule["id"] for rule in rules if category in rule["categories"]} for category in CATEGORIES}


def _buf(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    command = [toolchain.find("buf") or "buf", *arguments]
    return subprocess.run(command, cwd=CORPUS, capture_output=True, text=True, check=False)


def written() -> Iterator[str]:
    """Write what our rules and buf say; yields the pairs whose `changes` are not as they were."""
    with ThreadPoolExecutor(2) as pool:
        of_buf = dict(zip(names(), pool.map(buf_says, names()), strict=True))
    for name in names():
        path = CORPUS / name / "expected.json"
        before: Expected = json.loads(path.read_bytes()) if path.exists() else {}
        after = {"observed": [], "benign": False, **before, "changes": told(changes(name)), "buf": of_buf[name]}
        path.write_text(json.dumps(after, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        if before.get("changes") != after["changes"]:
            yield name


if __name__ == "__main__":
    print("\n".join(written()))  # noqa: T201
