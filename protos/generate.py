"""Writes the code that is generated from this schema, or with `--check` says which of it is out of date.

`nox -s codegen` runs this with the pinned tools.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROTOS = Path(__file__).resolve().parent
ROOT = PROTOS.parent
STOREFRONT = Path("providers/storefront")


@dataclass(frozen=True, slots=True)
class PythonTarget:
    """The schema of a folder of protos/, as Python modules below a folder of the repository."""

    schema: str
    folder: str
    kinds: Sequence[str]


PYTHON = (
    PythonTarget(schema="shop", folder="providers/ranker", kinds=("python", "pyi", "grpc_python")),
    PythonTarget(schema="counterfoil", folder="harness", kinds=("python", "pyi")),
)
NODE = {"shop": "providers/storefront", "counterfoil": "harness/stub-node"}
"""Folders of protos/, and the package below which each is `gen/`."""

# Where generated files are, for finding the ones that the schema no longer yields.
PLACES = (
    ("providers/storefront/gen", "**/*_pb.*"),
    ("harness/stub-node/gen", "**/*_pb.*"),
    ("providers/ranker/shop", "*/*_pb2*.py*"),
    ("harness/counterfoil", "*/*/*_pb2*.py*"),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when something is out of date")
    parser.add_argument("--rust", action="store_true", help="with --check: Rust too, which compiles its generator")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as folder:
            fresh = generate(Path(folder))
        if options.check:
            return report(stale(fresh, rust=options.rust))
        run("cargo", "run", "--locked", "--quiet", "-p", "shop-codegen")
        publish(fresh)
    except subprocess.CalledProcessError as failure:
        print(f"failed, so nothing was written: {shlex.join(failure.cmd)}", file=sys.stderr)
        return 1
    return 0


def generate(out: Path) -> Mapping[str, bytes]:
    """The content of each generated file of Node and Python, by its name relative to the repository."""
    if not (ROOT / STOREFRONT / "node_modules/.bin/protoc-gen-es").exists():
        run("npm", "ci", "--prefix", str(STOREFRONT))
    for schema, folder in NODE.items():
        run("buf", "generate", "protos", "--path", f"protos/{schema}", "--output", str(out / folder))
    for target in PYTHON:
        destination = out / target.folder
        destination.mkdir(parents=True, exist_ok=True)
        files = sorted(str(file) for file in (PROTOS / target.schema).rglob("*.proto"))
        outputs = [f"--{kind}_out={destination}" for kind in target.kinds]
        run(sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={PROTOS}", *outputs, *files)
    return contents(out)


def contents(root: Path) -> dict[str, bytes]:
    files = (file for folder, pattern in PLACES for file in (root / folder).glob(pattern))
    return {file.relative_to(root).as_posix(): file.read_bytes() for file in files}


def stale(fresh: Mapping[str, bytes], *, rust: bool) -> list[str]:
    """The names of the committed files that are not what the schema yields, missing and superfluous ones included."""
    committed = contents(ROOT)
    names = sorted(name for name in fresh.keys() | committed.keys() if fresh.get(name) != committed.get(name))
    if rust:
        test = ["cargo", "test", "--locked", "--quiet", "-p", "shop-codegen"]
        if subprocess.run(test, cwd=ROOT, check=False).returncode:
            names.append("the Rust code")
    return names


def report(names: Sequence[str]) -> int:
    for name in names:
        print(f"{name} is not what protos/ yields (run: nox -s codegen)", file=sys.stderr)
    return 1 if names else 0


def publish(fresh: Mapping[str, bytes]) -> None:
    """Put the files in their places; one that is right already keeps its time of change."""
    committed = contents(ROOT)
    for name in committed.keys() - fresh.keys():
        (ROOT / name).unlink()
    for name, content in fresh.items():
        if committed.get(name) != content:
            (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / name).write_bytes(content)


def run(*command: str) -> None:
    subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    sys.exit(main())
