"""The file of waivers, contracts/waivers.toml: read, and appended to."""

from __future__ import annotations

from counterfoil.core.workspace import Workspace
from counterfoil.errors import UsageError
from counterfoil.model import Waiver
from counterfoil.runs import waivers
from counterfoil.runs.waivers import Waivers
from counterfoil.system.files import replace_file


def read_waivers(workspace: Workspace) -> Waivers:
    """The workspace's waivers; none where there is no file. Raises UsageError."""
    data = _content(workspace)
    return waivers.read(data) if data is not None else Waivers()


def append_waiver(workspace: Workspace, waiver: Waiver) -> None:
    """Write one more waiver at the end of the file, which is made where there is none. Raises UsageError."""
    replace_file(workspace.path(waivers.FILE), waivers.appended(_content(workspace) or b"", waiver))


def _content(workspace: Workspace) -> bytes | None:
    try:
        return workspace.path(waivers.FILE).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(
            f"cannot read '{waivers.FILE}'", why=error.strerror or str(error), fix="make it a file that can be read"
        ) from None
