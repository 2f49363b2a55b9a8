"""Runs one command and ends it, with everything it started, when the process that asked for it goes away.

Started as a script with an isolated interpreter: `python -I -S leash.py FD GRACE_S COMMAND...`. FD is the reading end
of a pipe whose writing end only the asker holds: end of file on it means that the asker is done with the command, or
was killed. It stands before every command, so it needs only what is built into the interpreter: the modules that the
standard library wraps around that take longer to load than all of this.
"""

import _ctypes
import _signal as signal  # type: ignore[import-not-found]
import os
import select
import sys
import time

CANNOT_START = 127
PR_SET_CHILD_SUBREAPER = 36
ORPHAN_GENERATIONS = 20
IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
"""Python ignores these; a command does not, unless it says so itself."""


def main(arguments: "list[str]") -> int:
    """Run the command; its exit code, or 128 + the signal that ended it."""
    pipe, grace_s, command = int(arguments[0]), float(arguments[1]), arguments[2:]
    os.set_inheritable(pipe, False)  # noqa: FBT003  (its only form)
    signals = watch_signals()
    adopt_orphans()
    try:
        started = os.posix_spawnp(command[0], command, os.environ, setsid=True, setsigdef=IGNORED_BY_PYTHON)
    except OSError as error:
        sys.stderr.write(f"cannot start {command[0]!r}: {error.strerror}\n")
        return CANNOT_START
    child = Child(started)
    try:
        wait(child, pipe, signals)
    finally:
        end(child, signals, grace_s)
    code = os.waitstatus_to_exitcode(child.status or 0)
    return code if code >= 0 else 128 - code


class Child:
    """The command's process, the first of a group of its own; `status` is None until it has ended."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.status: int | None = None

    def has_ended(self, options: int = os.WNOHANG) -> bool:
        """Whether it has; without options, not before it has."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, options)
            self.status = status if pid else None
        return self.status is not None


def watch_signals() -> int:
    """A descriptor that becomes readable when the child ends, or when somebody asks this process to end."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    return reading


def wait(child: Child, pipe: int, signals: int) -> None:
    """Return when the child has ended or has to be ended."""
    while not child.has_ended():
        ready, _, _ = select.select([pipe, signals], [], [])
        if pipe in ready or any(number != signal.SIGCHLD for number in os.read(signals, 64)):
            return


def end(child: Child, signals: int, grace_s: float) -> None:
    """Ask the command's process group to end, wait, then kill what is left of it."""
    if not child.has_ended():
        signal_group(child.pid, signal.SIGTERM)
        until_s = time.monotonic() + grace_s
        while not child.has_ended() and (left_s := until_s - time.monotonic()) > 0:
            if select.select([signals], [], [], left_s)[0]:
                os.read(signals, 64)
    signal_group(child.pid, signal.SIGKILL)
    child.has_ended(options=0)
    end_orphans()


def adopt_orphans() -> None:
    """Become the parent of whatever loses its own, such as a daemon that left the group. Linux only."""
    try:
        prctl = _ctypes.dlsym(_ctypes.dlopen(None, 0), "prctl")  # type: ignore[arg-type] # None: this process
    except (OSError, AttributeError):
        return
    _ctypes.call_cdeclfunction(prctl, (PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))


def end_orphans() -> None:
    """Kill adopted processes until none is left; each that ends may leave children of its own."""
    for _ in range(ORPHAN_GENERATIONS):
        children = [process for process, parent in processes() if parent == os.getpid()]
        if not children:
            return
        for process in children:
            try:
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)
            except (ProcessLookupError, PermissionError, ChildProcessError):
                continue


def processes() -> "list[tuple[int, int]]":
    """Every process with its parent; none where there is no /proc."""
    found = []
    try:
        names = os.listdir("/proc")  # noqa: PTH208  (pathlib takes longer to load than all of this)
    except OSError:
        return []
    for name in filter(str.isdigit, names):
        try:
            with open(f"/proc/{name}/stat", "rb") as stat:  # noqa: PTH123  (the same)
                # The name, in parentheses, may hold anything; after it come the state and the parent.
                found.append((int(name), int(stat.read().rpartition(b")")[2].split()[1])))
        except (OSError, ValueError, IndexError):
            continue
    return found


def signal_group(group: int, number: int) -> None:
    """Signal every process of the group; none left is fine."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
