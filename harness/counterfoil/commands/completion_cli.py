"""The command `completion`: what a shell needs to complete Counterfoil's commands and options."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

from counterfoil.commands.command_examples import examples

SHELLS = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


@examples(
    "counterfoil completion bash",
    "counterfoil completion zsh",
    "counterfoil completion fish",
)
@click.command()
@click.argument("shell", type=click.Choice(list(SHELLS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that makes a shell complete commands and options.

    Its place is ~/.local/share/bash-completion/completions/counterfoil, a file _counterfoil in a folder of fpath, or
    ~/.config/fish/completions/counterfoil.fish.
    """
    click.echo(SHELLS[shell](context.find_root().command, {}, "counterfoil", "_COUNTERFOIL_COMPLETE").source())
