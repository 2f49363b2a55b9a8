"""Build the wheel, the npm package and the crate, install each from its file alone, and use it.

`python -m tests.packages [FOLDER]`; each of the three takes under a minute. The files are left in FOLDER.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import click

from tests.builders import ROOT

WITHIN_S = 600
NODE = ROOT / "harness" / "stub-node"
CRATE = "counterfoil-stub"
PROTO = 'syntax = "proto3";\npackage a.v1;\nmessage A {\n  int64 id = 1;\n}\n'
IMPORT = """
import { Stub } from 'counterfoil-stub';
const stub = new Stub({ runtime: 'none', version: '1' });
stub.json('a.v1.A', { decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()) });
await stub.run();
"""
HELLO = bytes.fromhex("08000000 b00601 fa06020801")
"""The first frame of docs/stubs.md: sequence 1, hello of version 1."""


def run(*command: str | Path, cwd: Path, codes: tuple[int, ...] = (0,), stdin: bytes = b"") -> bytes:
    """Run a program to its end; what it printed."""
    click.echo(" ".join(map(str, ("$", *command))))
    clean = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    done = subprocess.run(
        command, cwd=cwd, env=clean, input=stdin, stdout=subprocess.PIPE, timeout=WITHIN_S, check=False
    )
    assert done.returncode in codes, f"exit code {done.returncode}\n{done.stdout.decode(errors='replace')}"
    return done.stdout


def wheel(out: Path) -> None:
    """The sdist, and the wheel made from it; installed alone into an environment of its own."""
    run(sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", out, cwd=ROOT)
    [sdist] = out.glob("counterfoil-*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(out / "sdist", filter="data")
    [source] = (out / "sdist").iterdir()
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", out, cwd=source)
    [made] = out.glob("counterfoil-*.whl")
    with zipfile.ZipFile(made) as archive:
        [name] = [one for one in archive.namelist() if one.endswith(".dist-info/METADATA")]
        metadata = HeaderParser().parsestr(archive.read(name).decode())
        assert any(one.endswith("licenses/LICENSE") for one in archive.namelist())
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Summary"]
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert "# Counterfoil" in metadata.get_payload()
    venv.create(out / "venv", with_pip=True, clear=True)
    binaries = out / "venv" / "bin"
    pip = (binaries / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "--constraint", ROOT / "constraints.txt", made, cwd=out)
    _use(binaries / "counterfoil", out / "repository")


def _use(program: Path, repository: Path) -> None:
    for folder, text in {"old": PROTO, "protos": PROTO.replace("int64", "int32")}.items():
        (repository / folder / "a" / "v1").mkdir(parents=True, exist_ok=True)
        (repository / folder / "a" / "v1" / "a.proto").write_text(text, encoding="utf-8")
    assert b"counterfoil, version " in run(program, "--version", cwd=repository)
    run(program, "init", cwd=repository)
    run(program, "check", "--lane", "schema", cwd=repository)
    broken = run(
        program, "breaking", "--against", "old", "protos", "--report", "html=r.html", cwd=repository, codes=(1,)
    )
    assert b"FIELD_TYPE_CHANGED  a.v1.A.id" in broken
    assert b"payload of a.v1.A" in broken
    assert b"INTERACTION_FAILED" in run(program, "explain", "INTERACTION_FAILED", cwd=repository)


def npm(out: Path) -> None:
    """The tarball; installed alone into an empty project, its SDK is a stub and its program answers."""
    run("npm", "pack", "--silent", "--pack-destination", out, cwd=NODE)
    [made] = out.glob("counterfoil-stub-*.tgz")
    with tarfile.open(made) as archive:
        names = archive.getnames()
        described = archive.extractfile("package/package.json")
        assert described
        manifest = json.load(described)
    assert {"package/README.md", "package/LICENSE", "package/src/index.js"} <= set(names)
    assert not [name for name in names if name.startswith(("package/test", "package/gen"))]
    assert (manifest["license"], bool(manifest["description"])) == ("MIT", True)
    project = out / "project"
    project.mkdir(exist_ok=True)
    (project / "package.json").write_text('{"private": true, "type": "module"}', encoding="utf-8")
    (project / "stub.js").write_text(IMPORT, encoding="utf-8")
    run("npm", "install", "--silent", "--no-audit", "--no-fund", made, cwd=project)
    assert b"a.v1.A" in run("node", "stub.js", cwd=project, stdin=HELLO)
    assert b"protobuf-es" in run("node_modules/.bin/counterfoil-runtime-stub", cwd=project, stdin=HELLO)


def crate(out: Path) -> None:
    """The .crate file; cargo itself unpacks it and builds what is in it, and nothing else."""
    run("cargo", "package", "--locked", "--quiet", "--allow-dirty", "--package", CRATE, cwd=ROOT)
    target = json.loads(run("cargo", "metadata", "--no-deps", "--format-version", "1", cwd=ROOT))["target_directory"]
    [made] = (Path(target) / "package").glob(f"{CRATE}-*.crate")
    (out / made.name).write_bytes(made.read_bytes())
    with tarfile.open(made) as archive:
        [name] = [one for one in archive.getnames() if one.endswith("/Cargo.toml")]
        manifest = archive.extractfile(name)
        assert manifest
        text = manifest.read().decode()
        assert {f"{name.split('/', maxsplit=1)[0]}/{one}" for one in ("README.md", "LICENSE")} <= set(
            archive.getnames()
        )
    assert 'license = "MIT"' in text
    assert "description = " in text
    assert 'readme = "README.md"' in text


def main() -> None:
    """Build and try all three."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "dist").resolve()
    out.mkdir(parents=True, exist_ok=True)
    for made in (wheel, npm, crate):
        made(out)
    click.echo(f"built, installed and used: {', '.join(sorted(one.name for one in out.glob('counterfoil*.*')))}")


if __name__ == "__main__":
    main()
