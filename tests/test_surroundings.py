"""What surrounds a run: closed streams, a full disk, files in the way, readers that leave, providers that die."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.builders import CLI, Workspace, interaction, pact

ID_IS_WHOLE = {"$.id": {"match": "integer"}}
ROUTES = {"GET /product": {"body": {"id": 1}}, "GET /dies": {"die": True}}


@pytest.fixture
def served(shop: Workspace) -> Workspace:
    """A workspace whose provider answers one interaction well."""
    shop.provide("catalog", {"routes": ROUTES})
    shop.pact(pact("web", "catalog", interaction("a product", body={"id": 1}, rules=ID_IS_WHOLE)))
    return shop


@pytest.mark.fires("PROVIDER_DIED", "INTERACTION_NOT_RUN")
@pytest.mark.silent("INTERACTION_FAILED")
def test_a_provider_that_dies_is_the_finding_of_what_it_did_not_survive(shop: Workspace) -> None:
    shop.provide("catalog", {"routes": ROUTES})
    first, second = interaction("a", path="/dies", body={"id": 1}), interaction("b", body={"id": 1})
    shop.pact(pact("web", "catalog", first, second))
    report = shop.judge("verify")
    assert report.verdict == "broken"
    killed, *rest = sorted(found["rule"] for found in report.findings), *report.findings
    assert killed == ["INTERACTION_NOT_RUN", "PROVIDER_DIED"]
    died = next(found for found in rest if found["rule"] == "PROVIDER_DIED")
    assert "catalog ended with exit code 9 while '" in died["message"]
    assert "fatal: the provider dies" in json.dumps(died["evidence"])


@pytest.mark.silent("PROVIDER_DIED")
def test_a_provider_that_lives_did_not_die(served: Workspace) -> None:
    report = served.judge("verify")
    assert (report.verdict, report.findings) == ("compatible", [])


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_standard_stream_changes_nothing(served: Workspace, closed: str) -> None:
    command = f'"$0" -m counterfoil verify {closed}'
    done = subprocess.run(["sh", "-c", command, sys.executable], cwd=served.root, timeout=60, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("arguments", [("verify",), ("verify", "--format", "json"), ("check", "--list"), ("doctor",)])
def test_a_full_disk_is_told_and_is_not_broken(served: Workspace, arguments: tuple[str, ...], unbuffered: str) -> None:
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - not a file to read
        done = subprocess.run(
            [*CLI, *arguments],
            cwd=served.root,
            env=environment,
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    assert b"No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", ["verify", "verify --format json", "check --list", "doctor"])
def test_a_reader_that_leaves_does_not_make_it_broken(served: Workspace, arguments: str) -> None:
    command = f'("$0" -m counterfoil {arguments}; echo "code $?" >&2) | true'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable], cwd=served.root, stderr=subprocess.PIPE, timeout=60, check=False
    )
    assert done.stderr.decode().splitlines()[-1] in {"code 0", "code 141"}, done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("in_the_way", [".counterfoil", ".counterfoil/stamps"])
def test_a_file_in_the_way_of_a_folder_is_told(served: Workspace, in_the_way: str) -> None:
    build = [{"run": ["true"], "inputs": ["*.json"]}]
    served.configure("participants.catalog", build=build)
    served.write(in_the_way, "")
    ran = served.run("check")
    assert ran.exit_code == 2
    assert in_the_way in ran.error["at"]


@pytest.mark.fires("INTERACTION_DUPLICATED")
def test_a_copy_of_a_pact_is_a_duplicate(served: Workspace) -> None:
    served.pact(pact("web", "catalog", interaction("a product", body={"id": 1}, rules=ID_IS_WHOLE)), "copy")
    report = served.judge("check")
    assert report.verdict == "unproven"
    found = report.the("INTERACTION_DUPLICATED")
    assert "contracts/pacts/copy.json and in contracts/pacts/web-catalog.json" in found["message"]


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf{}", b'{"consumer": NaN}'])
def test_what_the_verifier_cannot_read_is_no_pact(served: Workspace, content: bytes) -> None:
    served.write("contracts/pacts/odd.json", content)
    ran = served.run("check")
    assert ran.exit_code == 2
    assert ran.error["error"] == "'contracts/pacts/odd.json' is not a pact file"


def test_a_dangling_link_is_not_passed_over(served: Workspace) -> None:
    (served.root / "contracts/pacts/gone.json").symlink_to("nowhere")
    ran = served.run("check")
    assert ran.exit_code == 2
    assert "gone.json" in ran.error["error"]


def test_a_control_character_in_a_description_is_verified(shop: Workspace) -> None:
    shop.provide("catalog", {"routes": ROUTES})
    shop.pact(pact("web", "catalog", interaction("a\u0001b", body={"id": 1}), interaction("plain", body={"id": 1})))
    assert shop.judge("verify").verdict == "compatible"


def test_a_list_of_cases_is_json_when_asked(served: Workspace) -> None:
    listed = json.loads(served.run("check", "--list", "--format", "json").stdout)
    assert listed["cases"] == ["pacts::web→catalog::contracts/pacts/web-catalog.json", "verify::web→catalog::a product"]


@pytest.mark.fires("SCHEMA_UNUSABLE")
def test_a_baseline_that_does_not_exist_is_not_called_empty(shop: Workspace) -> None:
    shop.write("protos/a/v1/a.proto", 'syntax = "proto3";\npackage a.v1;\nmessage A {}\n')
    shop.configure("schema", dir="protos", against="nowhere")
    found = shop.judge("check", "--lane", "schema").the("SCHEMA_UNUSABLE")
    assert found["message"].startswith("there is no schema 'nowhere': it is neither a folder, nor an image, nor")
