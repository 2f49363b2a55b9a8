"""Runs one command and ends it, with everything it started, when the process that asked for it goes away.

Started as a script with an isolated interpreter: `python -I -S leash.py FD GRACE_S COMMAND...`. FD is the reading end
of a pipe whose writing end only the asker holds: end of file on it means that the asker is done with the command, or
was killed. Needs nothing but the standard library, so that it starts in a few milliseconds.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys

CANNOT_START = 127
PR_SET_CHILD_SUBREAPER = 36
ORPHAN_GENERATIONS = 20


def main(arguments: list[str]) -> int:
    """Run the command; its exit code, or 128 + the signal that ended it."""
    pipe, grace_s, command = int(arguments[0]), float(arguments[1]), arguments[2:]
    signals = watch_signals()
    adopt_orphans()
    try:
        child = subprocess.Popen(command, start_new_session=True)
    except OSError as error:
        sys.stderr.write(f"cannot start {command[0]!r}: {error.strerror}\n")
        return CANNOT_START
    try:
        wait(child, pipe, signals)
    finally:
        end(child, grace_s)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def watch_signals() -> int:
    """A descriptor that becomes readable when the child ends, or when somebody asks this process to end."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    return reading


def wait(child: "subprocess.Popen[bytes]", pipe: int, signals: int) -> None:
    """Return when the child has ended or has to be ended."""
    while child.poll() is None:
        ready, _, _ = select.select([pipe, signals], [], [])
        if pipe in ready or any(number != signal.SIGCHLD for number in os.read(signals, 64)):
            return


def end(child: "subprocess.Popen[bytes]", grace_s: float) -> None:
    """Ask the command's process group to end, wait, then kill what is left of it."""
    if child.poll() is None:
        signal_group(child.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(grace_s)
    signal_group(child.pid, signal.SIGKILL)
    child.wait()
    end_orphans()


def adopt_orphans() -> None:
    """Become the parent of whatever loses its own, such as a daemon that left the group. Linux only."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_orphans() -> None:
    """Kill adopted processes until none is left; each that ends may leave children of its own."""
    for _ in range(ORPHAN_GENERATIONS):
        children = [process for process, parent in processes() if parent == os.getpid()]
        if not children:
            return
        for process in children:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process, 0)


def processes() -> "list[tuple[int, int]]":
    """Every process with its parent; none where there is no /proc."""
    found = []
    with contextlib.suppress(OSError):
        for name in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208  (pathlib takes longer to load than all of this)
            with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{name}/stat", "rb") as stat:  # noqa: PTH123  (the same)
                # The name, in parentheses, may hold anything; after it come the state and the parent.
                found.append((int(name), int(stat.read().rpartition(b")")[2].split()[1])))
    return found


def signal_group(group: int, number: int) -> None:
    """Signal every process of the group; none left is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
