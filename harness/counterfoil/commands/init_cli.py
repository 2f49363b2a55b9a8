"""The command `init`: sets Counterfoil up in a repository that has never heard of it."""

from __future__ import annotations

import re
from pathlib import Path

import click

from counterfoil.commands.command_examples import examples
from counterfoil.core.printing import printable
from counterfoil.project.setup_files import GITIGNORE, NOXFILE, STATE, WORKFLOW, setup_files
from counterfoil.project.survey import MAX_FILES, Survey, survey
from counterfoil.system.files import replace_file

MAX_READ_BYTES = 1024 * 1024

CI_CONFIGURATIONS = (
    ".github/workflows/*.y*ml",
    ".gitlab-ci.yml",
    ".circleci/config.yml",
    ".buildkite/*.y*ml",
    ".travis.yml",
    "azure-pipelines.yml",
    "bitbucket-pipelines.yml",
    "Jenkinsfile",
)
SESSION = re.compile(r"^def contracts\(|name=[\"']contracts[\"']", re.MULTILINE)
STEP = "nox -s contracts"


@examples("counterfoil init", "counterfoil init --dry-run services/orders", "counterfoil init --workflow")
@click.command()
@click.option("--dry-run", is_flag=True, help="Print the files, and write none.")
@click.option("--workflow", is_flag=True, help="Write the CI workflow even where the repository has CI already.")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".")
def init(folder: Path, *, dry_run: bool, workflow: bool) -> None:
    """Look through a repository (FOLDER; by default this one), and write a counterfoil.toml for `check`.

    Writes a nox session and a .gitignore too, and where there is no CI yet a workflow for it. What exists already is
    left as it is.
    """
    seen = survey(folder.resolve())
    click.echo(_told(seen), err=True)
    for path, text in setup_files(seen).items():
        file = folder / path
        reason = _reason_to_leave(folder, path, workflow=workflow)
        if dry_run:
            click.echo(f"--- {path}\n{text}", nl=False)
        elif reason:
            click.echo(f"kept     {printable(reason)}", err=True)
        else:
            replace_file(file, text.encode())
            click.echo(f"wrote    {printable(str(file))}", err=True)
    if not dry_run:
        click.echo("next     read counterfoil.toml, then run: counterfoil check", err=True)


def _reason_to_leave(folder: Path, path: str, *, workflow: bool) -> str:
    """Why a file is not written, and what to do instead; empty where it is."""
    file = folder / path
    if file.exists() or file.is_symlink():
        return f"{file}: it exists already{_to_add(path, _text(file))}"
    if path != WORKFLOW or workflow:
        return ""
    here = folder.resolve()
    top = next((one for one in (here, *here.parents) if (one / ".git").exists()), here)
    theirs = sorted(one for pattern in CI_CONFIGURATIONS for one in top.glob(pattern))
    if not theirs:
        outside = f"{file}: CI would not find it, since it is not the root of the repository; in CI, run '{STEP}' here"
        return outside if top != here else ""
    if any(STEP in _text(one) for one in theirs):
        return f"{theirs[0]}: CI runs '{STEP}' already"
    return f"{theirs[0]}: add a step that runs '{STEP}'; or write {path} beside it: counterfoil init --workflow"


def _to_add(path: str, there: str) -> str:
    """What is missing in a file that exists."""
    if path == NOXFILE and not SESSION.search(there):
        printed = "counterfoil init --dry-run prints one"
        return f'; add a session "contracts" that runs "counterfoil check"; {printed}'
    if path == GITIGNORE and STATE.strip("/") not in there:
        return f"; add the line {STATE}, where results are kept between runs"
    return ""


def _text(file: Path) -> str:
    """The beginning of a file; empty where it cannot be read."""
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_READ_BYTES).decode(errors="replace")
    except OSError:
        return ""


def _told(seen: Survey) -> str:
    pairs = sorted({f"{pact.consumer}→{pact.provider}" for pact in seen.pacts})
    lines = [
        f"pacts    {len(seen.pacts)} files: {', '.join(pairs)}" if pairs else "pacts    none",
        f"protos   {', '.join(seen.schemas) or 'none'}",
        f"services {', '.join(sorted({service.name for service in seen.services})) or 'none'}",
    ]
    if not seen.complete:
        lines.append(f"only the first {MAX_FILES} files were looked at")
    return "\n".join(map(printable, lines))
