"""No process outlives its run, however the run ends; each is bounded in time and in what is kept of its output."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from counterfoil.system.processes import TAIL_LINE_CHARS, TAIL_LINES, Processes

from tests.builders import CLI, Object, Workspace, interaction, pact
from tests.conftest import MARK, marked_processes

WITHIN_S = 20.0
ROUTES: Object = {"GET /product": {"body": {"id": 1}}, "GET /hang": {"hang": True}}
STUBBORN: Object = {"ignore_sigterm": True, "grandchild": True}
PYTHON = [sys.executable, "-I", "-S", "-c"]


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < deadline, f"not within {WITHIN_S} s: {what}"
        time.sleep(0.02)


def a_shop(shop: Workspace, *, path: str = "/product", **startup: object) -> Workspace:
    behaviour: Object = {"routes": ROUTES, "startup": startup}
    shop.provide("catalog", behaviour, answer_within_s=30.0, stop_within_s=0.5)
    shop.pact(pact("web", "catalog", interaction("a product", path=path, body={"id": 1})))
    return shop


@contextmanager
def hanging_run(shop: Workspace, **startup: object) -> Iterator[subprocess.Popen[bytes]]:
    """A run of the real program in the middle of a verification that gets no answer."""
    a_shop(shop, path="/hang", **startup)
    command = [*CLI, "verify"]
    with subprocess.Popen(command, cwd=shop.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            wait_until(lambda: "verification_worker" in commands(), "the verification starts")
            yield process
        finally:
            process.kill()


def commands() -> str:
    told = []
    for process in marked_processes():
        try:
            told.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return "\n".join(told)


def assert_none_left() -> None:
    wait_until(lambda: not marked_processes(), f"all end, left: {commands()}")


@pytest.mark.parametrize("startup", [{}, STUBBORN, {"flood_kilobytes": 1024}], ids=["plain", "stubborn", "chatty"])
def test_nothing_survives_a_normal_end(shop: Workspace, startup: Object) -> None:
    report = a_shop(shop, **startup).judge("verify")
    assert report.verdict == "compatible"
    assert not marked_processes(), "they have ended when the command returns, not some time after"


def test_nothing_survives_a_provider_that_never_becomes_ready(shop: Workspace) -> None:
    a_shop(shop, never_ready=True, **STUBBORN)
    shop.configure("participants.catalog.provider", ready_within_s=0.5)
    assert shop.judge("verify").verdict == "unproven"
    assert not marked_processes()


def test_grandchildren_of_a_provider_that_exits_end_too(shop: Workspace) -> None:
    a_shop(shop, grandchild=True, exit=1)
    assert shop.judge("verify").verdict == "unproven"
    assert not marked_processes()


@pytest.mark.parametrize(
    ("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
def test_nothing_survives_a_signal(shop: Workspace, number: signal.Signals, exit_code: int) -> None:
    with hanging_run(shop, **STUBBORN) as process:
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=WITHIN_S)
        assert process.returncode == exit_code
        assert not marked_processes()
        assert b"Traceback" not in stderr
        assert number is not signal.SIGINT or b"RUN_INTERRUPTED" in stdout


def test_nothing_survives_the_death_of_the_program(shop: Workspace) -> None:
    with hanging_run(shop, **STUBBORN) as process:
        assert len(marked_processes()) >= 5, "the program, two leashes, the provider, its child, the worker"
        process.kill()
        process.wait(WITHIN_S)
        assert_none_left()


def test_an_impatient_user_interrupts_twice(shop: Workspace) -> None:
    with hanging_run(shop, **STUBBORN) as process:
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=WITHIN_S)
        assert process.returncode != 0
        assert_none_left()


def test_a_daemon_of_the_provider_ends_too(shop: Workspace) -> None:
    """A process that leaves its group and session, as daemons do."""
    daemon = (
        "from subprocess import DEVNULL, Popen\n"
        "Popen(['sleep', '600'], start_new_session=True, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL)"
    )
    shop.configure("participants.catalog", dir=".", build=[{"run": [*PYTHON, daemon]}])
    assert shop.run("build").exit_code == 0
    assert_none_left_now_or_kill()


def assert_none_left_now_or_kill() -> None:
    left = marked_processes()
    told = commands()
    for process in left:
        process.kill()
    assert not left, told


def test_waiting_for_another_run_can_be_interrupted(shop: Workspace) -> None:
    """The second run waits for the lock of a build that the first one does."""
    shop.configure("participants.catalog", dir=".", build=[{"run": ["sh", "-c", "touch started; sleep 60"]}])
    command = [*CLI, "build"]
    with subprocess.Popen(command, cwd=shop.root) as first:
        try:
            wait_until((shop.root / "started").exists, "the first build starts")
            with subprocess.Popen(command, cwd=shop.root, stderr=subprocess.PIPE) as second:
                try:
                    child = psutil.Process(second.pid)
                    wait_until(lambda: child.num_threads() > 1, "the second run waits")
                    second.send_signal(signal.SIGINT)
                    second.communicate(timeout=5)
                    assert second.returncode == 130
                finally:
                    second.kill()
        finally:
            first.kill()
    assert_none_left()


# --- commands --------------------------------------------------------------------------------------------------------


@pytest.fixture
def processes() -> Iterator[Processes]:
    made = Processes()
    yield made
    made.stop()


def test_a_command_tells_how_it_ended(processes: Processes, tmp_path: Path) -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr); print(sys.stdin.read()); sys.exit(7)"
    done = processes.run([*PYTHON, code], cwd=tmp_path, deadline_s=WITHIN_S, stdin=b"in")
    assert (done.exit_code, done.stdout) == (7, b"out\nin\n")
    assert done.tail == ("out", "in", "err")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_a_signal_that_ends_a_command_is_told(processes: Processes, tmp_path: Path, number: signal.Signals) -> None:
    code = f"import os; os.kill(os.getpid(), {int(number)})"
    assert processes.run([*PYTHON, code], cwd=tmp_path, deadline_s=WITHIN_S).exit_code == 128 + number


def test_a_command_has_a_deadline(processes: Processes, tmp_path: Path) -> None:
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"
    done = processes.run([*PYTHON, code], cwd=tmp_path, deadline_s=0.5)
    assert (done.exit_code, done.tail) == (None, ("up",))
    assert done.duration_s < WITHIN_S
    assert not marked_processes()


def test_a_flood_on_both_streams_does_not_block(processes: Processes, tmp_path: Path) -> None:
    code = "import sys\nfor stream in (sys.stderr, sys.stdout) * 3: stream.write('x' * 1_000_000 + '\\n')"
    done = processes.run([*PYTHON, code], cwd=tmp_path, deadline_s=WITHIN_S)
    assert (done.exit_code, len(done.stdout)) == (0, 3_000_003)
    assert len(done.tail) <= 2 * TAIL_LINES
    assert all(len(line) <= TAIL_LINE_CHARS for line in done.tail)


def test_a_command_that_does_not_read_its_input_does_not_block(processes: Processes, tmp_path: Path) -> None:
    done = processes.run(["true"], cwd=tmp_path, deadline_s=WITHIN_S, stdin=b"x" * 5_000_000)
    assert done.exit_code == 0


def test_the_last_lines_are_kept(processes: Processes, tmp_path: Path) -> None:
    code = "import sys\nfor number in range(1000): print(number, file=sys.stderr)"
    done = processes.run([*PYTHON, code], cwd=tmp_path, deadline_s=WITHIN_S)
    assert done.tail == tuple(str(number) for number in range(1000 - TAIL_LINES, 1000))


def test_a_program_that_is_not_there_is_told(processes: Processes, tmp_path: Path) -> None:
    done = processes.run(["./nothing"], cwd=tmp_path, deadline_s=WITHIN_S)
    assert (done.exit_code, done.tail) == (127, ("cannot start './nothing': No such file or directory",))


def test_no_command_starts_after_the_stop(processes: Processes, tmp_path: Path) -> None:
    processes.stop()
    with pytest.raises(InterruptedError):
        processes.run(["touch", "ran"], cwd=tmp_path, deadline_s=WITHIN_S)
    assert not (tmp_path / "ran").exists()


def test_no_descriptor_leaks(processes: Processes, tmp_path: Path) -> None:
    me = psutil.Process()
    processes.run(["true"], cwd=tmp_path, deadline_s=WITHIN_S)
    before = me.num_fds()
    for _ in range(5):
        processes.run(["true"], cwd=tmp_path, deadline_s=WITHIN_S)
    assert me.num_fds() == before


def test_the_watch_for_survivors_sees_one() -> None:
    """Negative control of `leave_no_process`: a marked process is seen while it lives, an unmarked one never."""
    marked = subprocess.Popen(["sleep", "600"])
    unmarked = subprocess.Popen(["sleep", "600"], env={key: os.environ[key] for key in os.environ if key != MARK})
    try:
        wait_until(lambda: marked.pid in {process.pid for process in marked_processes()}, "it is seen")
        assert unmarked.pid not in {process.pid for process in marked_processes()}
    finally:
        for process in (marked, unmarked):
            process.kill()
            process.wait()
    assert not marked_processes()
