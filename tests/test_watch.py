"""`check --watch`: it judges again after a change, says what is wrong meanwhile, and ends by Ctrl-C."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.builders import CLI, CLI_WITHIN_S, Workspace, interaction, pact


@dataclass
class Watched:
    """A check that goes on, and what it has said so far."""

    process: subprocess.Popen[bytes]
    said: str = ""

    def until(self, text: str) -> str:
        """What it says up to and with a text."""
        stream = self.process.stdout
        assert stream is not None
        while text not in self.said:
            assert select.select([stream], [], [], CLI_WITHIN_S)[0], f"no {text!r} in {self.said!r}"
            data = os.read(stream.fileno(), 1 << 16)
            assert data, f"it ended after {self.said!r}"
            self.said += data.decode()
        head, _, self.said = self.said.partition(text)
        return head + text


@contextmanager
def watching(shop: Workspace, *arguments: str) -> Iterator[Watched]:
    command = [*CLI, "check", "--watch", *arguments]
    with subprocess.Popen(command, cwd=shop.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            yield Watched(process)
        finally:
            process.kill()


def write_pact(shop: Workspace, *descriptions: str) -> None:
    shop.pact(pact("web", "catalog", *(interaction(one, path="/", body={"id": 1}) for one in descriptions)))


def test_it_judges_again_after_each_change_until_ctrl_c(shop: Workspace) -> None:
    shop.configure("pacts")
    write_pact(shop, "a product")
    with watching(shop, "--lane", "pacts") as watched:
        assert "compatible: 1 of 1 case compatible" in watched.until("watching; Ctrl-C ends it")
        write_pact(shop)
        told = watched.until("watching; Ctrl-C ends it")
        assert "changed: contracts/pacts/web-catalog.json" in told
        assert "PACT_EMPTY  web→catalog" in told
        shop.write("contracts/pacts/web-catalog.json", "{")
        assert "error: 'contracts/pacts/web-catalog.json' is not a pact file" in watched.until("watching;")
        write_pact(shop, "a product", "another")
        assert "compatible: 1 of 1 case" in watched.until("watching; Ctrl-C ends it")
        watched.process.send_signal(signal.SIGINT)
        assert "interrupted; every process that was started has ended" in watched.until("has ended")
        assert watched.process.wait(CLI_WITHIN_S) == 130


def test_what_git_ignores_or_a_check_writes_itself_is_no_change(shop: Workspace) -> None:
    shop.configure("pacts")
    write_pact(shop, "a product")
    subprocess.run(["git", "init", "--quiet"], cwd=shop.root, check=True)
    shop.write(".gitignore", "*.log\n")
    with watching(shop, "--lane", "pacts") as watched:
        watched.until("watching; Ctrl-C ends it")
        shop.write("service.log", "noise")
        shop.write(".counterfoil/results/x.json", "noise")
        shop.write("node_modules/x.json", "noise")
        shop.write("seen.txt", "a change")
        assert "changed: seen.txt\n" in watched.until("watching; Ctrl-C ends it")


@pytest.mark.parametrize("arguments", [["--list"], ["--format", "json"]])
def test_it_is_for_a_screen(shop: Workspace, arguments: list[str]) -> None:
    shop.configure("pacts")
    ran = shop.run_here("check", "--watch", *arguments)
    assert (ran.exit_code, "--watch is for a screen" in ran.stderr) == (2, True)
