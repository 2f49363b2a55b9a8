"""The command `init`: sets Counterfoil up in a repository that has never heard of it."""

from __future__ import annotations

from pathlib import Path

import click

from counterfoil.command_examples import examples
from counterfoil.files import replace_file
from counterfoil.printing import printable
from counterfoil.setup_files import NOXFILE, WORKFLOW, setup_files
from counterfoil.survey import MAX_FILES, Survey, survey


@examples("counterfoil init", "counterfoil init --dry-run services/orders")
@click.command()
@click.option("--dry-run", is_flag=True, help="Print the files, and write none.")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".")
def init(folder: Path, *, dry_run: bool) -> None:
    """Look through a repository (FOLDER; by default this one), and write a counterfoil.toml for `check`.

    Writes a nox session and a CI workflow too. What exists already is left as it is.
    """
    seen = survey(folder.resolve())
    click.echo(_told(seen), err=True)
    for path, text in setup_files(seen).items():
        file = folder / path
        if dry_run:
            click.echo(f"--- {path}\n{text}", nl=False)
        elif file.exists() or file.is_symlink():
            click.echo(f"kept     {printable(str(file))}: it exists already{_advice(path)}", err=True)
        else:
            replace_file(file, text.encode())
            click.echo(f"wrote    {printable(str(file))}", err=True)
    if not dry_run:
        click.echo("next     read counterfoil.toml, then run: counterfoil check", err=True)


def _advice(path: str) -> str:
    if path == NOXFILE:
        return '; add a session that runs "counterfoil check"'
    return "; add a step that runs: nox -s contracts" if path == WORKFLOW else ""


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
