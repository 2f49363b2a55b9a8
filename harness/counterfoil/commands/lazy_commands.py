"""A group of commands each of which is imported only when it is called for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import NamedTuple

import click
from click.shell_completion import CompletionItem


class Place(NamedTuple):
    """Where a command is, as `module:attribute` in this package, and its line in the group's help."""

    command: str
    help: str


class LazyGroup(click.Group):
    """What commands need takes longer to load than most of them take to run, so each loads what it needs itself."""

    places: Mapping[str, Place] = {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every name, sorted."""
        return sorted({*super().list_commands(ctx), *self.places})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in self.places:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self.places[cmd_name].command.partition(":")
        command = getattr(import_module(f"{__package__}.{module}"), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(self.places[cmd_name])
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The names of commands and options that begin so, without loading a command."""
        names = [CompletionItem(name, help=place.help) for name, place in sorted(self.places.items())]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*(one for one in names if one.value.startswith(incomplete)), *options]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, from what the places say, so that help loads none."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.help) for name, place in sorted(self.places.items())])
