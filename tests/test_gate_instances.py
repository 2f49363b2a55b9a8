"""What the gate advises where versions are live at instances: commands that are right as they are printed."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.gated import Gate, gate_in


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """Web 1 has a pact with shop, of which version 1 is live."""
    made = gate_in(tmp_path)
    made.publish("web@1", "shop")
    made.publish("shop@1")
    made.deploy("shop@1")
    return made


def test_a_provider_is_advised_for_each_instance_that_the_failing_one_is_at(gate: Gate) -> None:
    gate.deploy("shop@1", instance="blue one")
    gate.verify("web@1", "shop@1", success=False)
    gate.verify("web@1", "shop@2")
    reason = gate.deployable("web@1").the("VERIFICATION_FAILED")
    assert "deploy it first, without instance and at instance blue one" in reason["message"]
    advised = []
    while (answer := gate.deployable("web@1")).verdict == "broken":
        following = answer.the("VERIFICATION_FAILED")["next"]
        for command in gate.ask(*shlex.split(following)[1:]).document["next"]:
            gate.ok(*shlex.split(command)[1:])
            advised.append(command)
    assert advised == [
        "counterfoil record-deployment -a shop -e 2 --environment production",
        "counterfoil record-deployment -a shop -e 2 --environment production --instance 'blue one'",
    ]
    assert answer.verdict == "compatible"


def test_no_provider_is_advised_that_would_leave_the_failing_release_in_its_place(gate: Gate) -> None:
    gate.ok("record-release", "-a", "shop", "-e", "1", "--environment", "production")
    gate.verify("web@1", "shop@1", success=False)
    gate.verify("web@1", "shop@2")
    following = gate.deployable("web@1").the("VERIFICATION_FAILED")["next"]
    assert shlex.split(following) == ["counterfoil", "verify", "-k", "::web→shop::"]


def test_what_is_asked_about_an_instance_is_advised_for_it(gate: Gate) -> None:
    gate.verify("web@1", "shop@1", success=False)
    gate.verify("web@1", "shop@2")
    gate.ok("record-undeployment", "-a", "shop", "--environment", "production")
    gate.deploy("shop@1", instance="blue")
    asked = ("--instance", "blue", "--ignore", "web", "-e", "7")
    together = gate.deployable("web@1", more=asked).the("VERIFICATION_FAILED")["next"]
    words = "can-i-deploy -a web -e 1 -a shop -e 2 --to-environment production --instance blue --ignore web -e 7"
    assert together == f"counterfoil {words}"
    answer = gate.ask(*words.split())
    assert answer.verdict == "compatible"
    assert all(command.endswith("--environment production --instance blue") for command in answer.document["next"])


def test_whoever_is_live_at_named_instances_alone_is_deployed_to_each(gate: Gate) -> None:
    gate.publish("web@2")
    gate.verify("web@2", "shop@1")
    for instance in ("green", "blue"):
        gate.deploy("web@1", instance=instance)
    assert gate.deployable("web@2").document["next"] == [
        f"counterfoil record-deployment -a web -e 2 --environment production --instance {instance}"
        for instance in ("blue", "green")
    ]
