"""The folder of witnesses: those of a message are read before it is probed, and what is found is kept."""

from __future__ import annotations

from pathlib import Path

from counterfoil.compat import replayable
from counterfoil.compat.replayable import FOLDER, Replayable
from counterfoil.core.workspace import BREAKING_WITNESSES, Workspace
from counterfoil.errors import UsageError
from counterfoil.probe.witness import Witness, file_name, read, write
from counterfoil.system.files import replace_file


class WitnessFiles:
    """Each message has a folder of its own, so that a divergence found in two messages has two files."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._folder = workspace.path(workspace.settings.probe.witnesses)

    def all(self) -> dict[str, Witness]:
        """Every witness by its path in the workspace, in the order of the paths. Raises UsageError.

        Those of schema changes lie in a folder of their own: they need two schemas, and no probe replays them.
        """
        files = sorted(file for file in self._folder.rglob("*.json") if self._folder / FOLDER not in file.parents)
        return {self._workspace.relative(file): read_witness(file) for file in files}

    def save(self, witness: Witness) -> str:
        """Keep a witness; its path in the workspace. One that is there stays unless the new one is smaller."""
        path = self._folder / witness.message / file_name(witness.divergence)
        if not path.is_file() or size(witness) < size(read_witness(path)):
            replace_file(path, write(witness).encode("utf-8", "backslashreplace"))
        return self._workspace.relative(path)


def saved_changes(workspace: Workspace, rule: str, subject: str) -> dict[str, Replayable]:
    """The witnesses of one change of the schema that are saved, by their paths in the workspace. Raises UsageError."""
    found = {}
    for file in sorted(workspace.path(BREAKING_WITNESSES).glob(f"{rule.lower().replace('_', '-')}-*.json")):
        witness = replayable.read(file.read_bytes(), workspace.relative(file))
        if (witness.rule, witness.subject) == (rule, subject):
            found[workspace.relative(file)] = witness
    return found


def size(witness: Witness) -> tuple[int, int]:
    """By which the smaller of two witnesses is told: the number of probed fields, then that of bytes."""
    return len(witness.payload.parts), len(witness.payload.data)


def read_witness(path: Path) -> Witness:
    """A witness file. Raises UsageError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read '{path}'", why=str(error), fix="name a witness file") from None
    return read(text, str(path))
