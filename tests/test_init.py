"""`counterfoil init` in repositories laid out in other ways than ours; what it writes is run at once."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from counterfoil.project.config import read_workspace

from tests.builders import Judged, Object, interaction, judged, pact, run_here


def write(root: Path, files: dict[str, str | Object]) -> None:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content)
        (root / path).write_text(text, encoding="utf-8")


def init(root: Path) -> dict[str, Any]:
    """Run it; the configuration that it wrote, which is valid."""
    ran = run_here(root, "init")
    assert ran.exit_code == 0, ran.stderr
    read_workspace(root / "counterfoil.toml")
    ast.parse((root / "noxfile.py").read_text(encoding="utf-8"))
    workflow = yaml.safe_load((root / ".github/workflows/contracts.yml").read_text(encoding="utf-8"))
    assert list(workflow["jobs"]) == ["contracts"]
    return tomllib.loads((root / "counterfoil.toml").read_text(encoding="utf-8"))


def git(root: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True).stdout


def check(root: Path, *arguments: str) -> Judged:
    return judged(run_here(root, "check", *arguments, "--format", "json"))


def test_a_repository_of_pacts_only(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "pacts/web-orders.json": pact("Web", "OrderService", interaction("an order", body={"id": 1})),
            "pacts/app-orders.json": pact("App", "OrderService", interaction("an order", body={"id": 1})),
            "elsewhere/web-stock.json": pact("Web", "Stock", interaction("a stock", body={"id": 1})),
            "order-service/package.json": {
                "name": "@acme/order-service",
                "scripts": {"start": "node --enable-source-maps ."},
            },
        },
    )
    written = init(tmp_path)
    assert written["pacts"] == {"dir": "pacts", "also": ["elsewhere"]}
    assert sorted(written["participants"]) == ["App", "OrderService", "Stock", "Web"]
    orders = written["participants"]["OrderService"]
    assert (orders["dir"], orders["provider"]["start"]) == ("order-service", ["node", "--enable-source-maps", "."])
    report = check(tmp_path, "--lane", "pacts")
    assert (len(report.cases), set(report.cases.values())) == (3, {"compatible"})


def test_a_repository_of_protos_only(tmp_path: Path) -> None:
    proto = 'syntax = "proto3";\npackage acme.v1;\nmessage Order {\n  string id = 1;\n}\n'
    write(tmp_path, {"api/proto/buf.yaml": "version: v2\n", "api/proto/acme/v1/order.proto": proto})
    written = init(tmp_path)
    assert written["schema"] == {"dir": "api/proto", "against": "api/proto"}
    assert "pacts" not in written
    report = check(tmp_path)
    assert report.verdict == "compatible"
    assert report.cases == {"schema::api/proto::lint": "compatible", "schema::api/proto::breaking": "compatible"}


@pytest.mark.parametrize("script", ["tsc && node out", "node . | cat", "node '.'", "NODE_ENV=x node .", "next start"])
def test_a_start_script_that_needs_a_shell_is_left_to_npm(tmp_path: Path, script: str) -> None:
    write(tmp_path, {"web/package.json": {"name": "web", "scripts": {"start": script}}})
    assert init(tmp_path)["participants"]["web"]["provider"]["start"] == ["npm", "run", "--silent", "start"]


@pytest.mark.parametrize("packed", [False, True])
def test_the_baseline_is_the_newest_release(tmp_path: Path, packed: bool) -> None:  # noqa: FBT001  (parametrized)
    write(tmp_path, {"proto/acme/v1/order.proto": 'syntax = "proto3";\npackage acme.v1;\nmessage Order {}\n'})
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "--quiet", "--message", "one")
    for tag in ("v1.9.0", "v1.10.0", "latest", "v2.0.0-rc1"):
        git(tmp_path, "tag", tag)
    if packed:
        git(tmp_path, "pack-refs", "--all")
    assert init(tmp_path)["schema"] == {"dir": "proto", "against": "git:v1.10.0"}
    assert check(tmp_path).verdict == "compatible"
    write(tmp_path, {"proto/acme/v1/order.proto": 'syntax = "proto3";\npackage acme.v1;\nmessage Other {}\n'})
    assert check(tmp_path).verdict == "broken"


def test_protos_without_a_release_or_a_style(tmp_path: Path) -> None:
    """Not one of buf's rules of style is asked for where no buf.yaml is."""
    write(tmp_path, {"protos/anything/order.proto": 'syntax = "proto3";\npackage shop;\nmessage Order {}\n'})
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "--quiet", "--message", "one")
    assert init(tmp_path)["schema"] == {"dir": "protos", "against": "git:HEAD"}
    assert check(tmp_path).verdict == "compatible"


def test_a_monorepo_of_twenty_services(tmp_path: Path) -> None:
    files: dict[str, str | Object] = {}
    for number in range(20):
        name, folder = f"service-{number}", f"services/{number:02}"
        manifest: dict[str, str | Object] = {
            f"{folder}/package.json": {"name": name, "main": "main.js", "scripts": {"test:pact": "node --test"}},
            f"{folder}/main.js": "",
            f"{folder}/node_modules/x/package.json": {"name": "not-ours", "scripts": {"start": "x"}},
        }
        if number % 3 == 1:
            manifest = {f"{folder}/Cargo.toml": f'[package]\nname = "{name}"\n', f"{folder}/src/main.rs": ""}
        if number % 3 == 2:
            manifest = {f"{folder}/pyproject.toml": f'[project]\nname = "{name}"\n', f"{folder}/app.py": ""}
        files |= manifest
    write(tmp_path, files)
    participants = init(tmp_path)["participants"]
    assert sorted(participants) == sorted(f"service-{number}" for number in range(20))
    starts = [participants[f"service-{number}"]["provider"]["start"][0] for number in range(3)]
    assert starts == ["node", "cargo", "python3"]
    assert participants["service-0"]["consumer"]["run"] == ["npm", "run", "test:pact"]
    report = check(tmp_path)
    assert (report.verdict, report.exit_code) == ("unproven", 3)


NODE_SERVICE = """
const answer = JSON.stringify({ id: Number(process.env.SHOWN ?? 1) });
require("http").createServer((_, response) => {
  response.setHeader("Content-Type", "application/json");
  response.end(answer);
}).listen(process.env.PORT, "127.0.0.1");
"""
PYTHON_SERVICE = """
import http.server, os

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"id": 1}')

http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


def test_a_monorepo_of_twenty_services_with_pacts(tmp_path: Path) -> None:
    """Each keeps the pact in which it is the consumer; one check reads them all and starts every service."""
    for number in range(20):
        name, folder = f"service-{number}", f"services/{number:02}"
        asked = f"service-{(number + 1) % 20}"
        files: dict[str, str | Object] = {
            f"{folder}/pacts/{name}-{asked}.json": pact(name, asked, interaction("one", body={"id": 1}))
        }
        if number % 2:
            files |= {f"{folder}/package.json": {"name": name, "main": "main.js"}, f"{folder}/main.js": NODE_SERVICE}
        else:
            files |= {f"{folder}/pyproject.toml": f'[project]\nname = "{name}"\n', f"{folder}/app.py": PYTHON_SERVICE}
        write(tmp_path, files)
    written = init(tmp_path)
    assert written["pacts"] == {"dir": "contracts/pacts", "also": ["services/*/pacts"]}
    assert len(written["participants"]) == 20
    report = check(tmp_path)
    assert (report.verdict, len(report.cases)) == ("compatible", 40)
    write(tmp_path, {"services/05/main.js": NODE_SERVICE.replace("?? 1", "?? 2")})
    broken = check(tmp_path)
    assert [case for case, verdict in broken.cases.items() if verdict == "broken"] == [
        "verify::service-4→service-5::one"
    ]


def test_pacts_among_other_files_are_named_each(tmp_path: Path) -> None:
    """A folder is named only where all JSON below it is pacts; a check reads its own files for pacts nowhere."""
    one = pact("web", "orders", interaction("an order", body={"id": 1}))
    two = pact("app", "orders", interaction("an order", body={"id": 1}))
    three = pact("shop", "orders", interaction("an order", body={"id": 1}))
    write(
        tmp_path,
        {
            "a[1].json": one,
            "package.json": {"name": "all"},
            "contracts/two.json": two,
            "test/fixtures/three.json": three,
            "test/fixtures/user.json": {"id": 1},
        },
    )
    assert init(tmp_path)["pacts"] == {
        "dir": "contracts/pacts",
        "also": ["a[[]1].json", "contracts/two.json", "test/fixtures/three.json"],
    }
    report = check(tmp_path, "--lane", "pacts")
    assert (len(report.cases), set(report.cases.values())) == (3, {"compatible"})


def test_names_that_no_configuration_can_hold_are_left_out(tmp_path: Path) -> None:
    """Names of files are bytes, and those of TOML are UTF-8."""
    document = json.dumps(pact("web", "orders", interaction("an order", body={"id": 1})))
    for path in (b"pacts/good.json", b"pacts/b\xff.json", b"other\xff/one.json"):
        file = tmp_path / os.fsdecode(path)
        file.parent.mkdir(exist_ok=True)
        file.write_text(document, encoding="utf-8")
    assert init(tmp_path)["pacts"] == {"dir": "contracts/pacts", "also": ["pacts/good.json"]}


def test_what_a_python_service_needs_is_installed(tmp_path: Path) -> None:
    """Into an environment of its own, so that the first check can start it."""
    wheel = tmp_path / "orders" / "answers-1-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("answers.py", PYTHON_SERVICE)
        archive.writestr("answers-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: answers\nVersion: 1\n")
        archive.writestr("answers-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("answers-1.dist-info/RECORD", "")
    write(
        tmp_path,
        {
            "pacts/web-orders.json": pact("web", "orders", interaction("one", body={"id": 1})),
            "orders/requirements.txt": f"# what it imports\n./{wheel.name}\n",
            "orders/main.py": "import answers\n",
        },
    )
    orders = init(tmp_path)["participants"]["orders"]
    assert [build["run"][:3] for build in orders["build"]] == [
        ["python3", "-m", "venv"],
        [".venv/bin/python", "-m", "pip"],
    ]
    assert check(tmp_path).verdict == "compatible"


@pytest.mark.parametrize(
    ("files", "runs"),
    [
        ({"package.json": {"main": "x.js"}}, []),
        ({"package.json": {"main": "x.js", "dependencies": {"a": "1"}}}, [["npm", "install", "--no-package-lock"]]),
        ({"package.json": {"main": "x.js", "dependencies": {"a": "1"}}, "package-lock.json": "{}"}, [["npm", "ci"]]),
        (
            {"package.json": {"main": "x.js", "devDependencies": {"a": "1"}}, "pnpm-lock.yaml": ""},
            [["pnpm", "install", "--frozen-lockfile"]],
        ),
        ({"pyproject.toml": '[project]\nname = "web"\n', "uv.lock": "", "app.py": ""}, [["uv", "sync", "--frozen"]]),
        ({"requirements.txt": "# none\n\n", "app.py": ""}, []),
    ],
)
def test_the_build_is_that_of_the_lock_file(tmp_path: Path, files: dict[str, str | Object], runs: list[object]) -> None:
    write(tmp_path, {"web/x.js": "", **{f"web/{path}": content for path, content in files.items()}})
    builds = init(tmp_path)["participants"]["web"].get("build", [])
    assert [build["run"] for build in builds] == runs


def test_services_of_one_node_workspace_are_installed_once(tmp_path: Path) -> None:
    """With one lock file at the root. What npm puts there is no service's own, so it is asked for once."""
    member = {"dependencies": {"shared": "1.0.0"}, "scripts": {"start": "node main.js"}}
    names = {"web": "apps/web", "orders": "services/shop/orders"}
    write(
        tmp_path,
        {
            "package.json": {"private": True, "workspaces": ["apps/*", "services/**", "shared"]},
            "shared/package.json": {"name": "shared", "version": "1.0.0"},
            **{f"{folder}/package.json": {"name": name, **member} for name, folder in names.items()},
            "pacts/web-orders.json": pact("web", "orders", interaction("one")),
        },
    )
    npm = shutil.which("npm")
    assert npm
    subprocess.run([npm, "install", "--package-lock-only", "--offline"], cwd=tmp_path, check=True, capture_output=True)
    participants = init(tmp_path)["participants"]
    assert [participants[name]["build"][0]["dir"] for name in names] == ["../..", "../../.."]
    assert all(one["build"][0]["run"] == ["npm", "ci"] for one in participants.values())
    for _ in range(2):
        ran = run_here(tmp_path, "build")
        assert ran.exit_code == 0, ran.stdout + ran.stderr
        assert (tmp_path / "node_modules/shared").is_dir()
        assert len(list((tmp_path / ".counterfoil/stamps").glob("build-*.stamp"))) == 1
        (tmp_path / "node_modules/kept").touch()
    (tmp_path / "package-lock.json").write_text("{}", encoding="utf-8")
    failed = run_here(tmp_path, "build")
    assert failed.exit_code == 3
    assert "run it by hand: cd . && npm ci" in failed.stdout
    file = tmp_path / "counterfoil.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"../.."', '"../nowhere"'), encoding="utf-8")
    error = run_here(tmp_path, "build").error
    assert error["error"] == "dir = '../nowhere' of a build of participant 'web' is not a folder"


@pytest.mark.parametrize("theirs", [".github/workflows/ci.yaml", ".gitlab-ci.yml", "Jenkinsfile"])
def test_no_second_ci_is_added_unasked(tmp_path: Path, theirs: str) -> None:
    ours = tmp_path / ".github/workflows/contracts.yml"
    write(tmp_path, {theirs: "theirs: 1\n"})
    first = run_here(tmp_path, "init")
    assert f"{theirs}: add a step that runs 'nox -s contracts'; or write " in first.stderr
    assert "counterfoil init --workflow" in first.stderr
    assert not ours.exists()
    assert "--- .github/workflows/contracts.yml\n" in run_here(tmp_path, "init", "--dry-run").stdout
    write(tmp_path, {theirs: "run: nox -s contracts\n"})
    assert "CI runs 'nox -s contracts' already" in run_here(tmp_path, "init").stderr
    assert run_here(tmp_path, "init", "--workflow").exit_code == 0
    assert ours.is_file()
    assert (tmp_path / theirs).read_text(encoding="utf-8") == "run: nox -s contracts\n"


def test_a_folder_of_a_repository_gets_no_workflow(tmp_path: Path) -> None:
    """GitHub reads those at the root alone."""
    write(tmp_path, {"services/orders/app.py": ""})
    git(tmp_path, "init", "--quiet")
    ran = run_here(tmp_path, "init", "services/orders")
    assert "it is not the root of the repository" in ran.stderr
    assert sorted(file.name for file in (tmp_path / "services/orders").iterdir()) == [
        ".gitignore",
        "app.py",
        "counterfoil.toml",
        "noxfile.py",
    ]


def test_a_repository_without_a_commit_is_its_own_baseline(tmp_path: Path) -> None:
    write(tmp_path, {"protos/anything/order.proto": 'syntax = "proto3";\npackage shop;\nmessage Order {}\n'})
    git(tmp_path, "init", "--quiet")
    assert init(tmp_path)["schema"] == {"dir": "protos", "against": "protos"}
    assert check(tmp_path).verdict == "compatible"


def test_what_is_kept_between_runs_is_ignored_by_git(tmp_path: Path) -> None:
    write(tmp_path, {"protos/anything/order.proto": 'syntax = "proto3";\npackage shop;\nmessage Order {}\n'})
    git(tmp_path, "init", "--quiet")
    init(tmp_path)
    check(tmp_path)
    assert (tmp_path / ".counterfoil").is_dir()
    git(tmp_path, "add", ".")
    assert ".counterfoil/" not in git(tmp_path, "diff", "--cached", "--name-only")


def test_an_ignore_file_that_is_there_is_left_with_a_word(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "*.log\n"})
    told = "kept     .gitignore: it exists already; add the line /.counterfoil/, where results are kept between runs"
    assert told in run_here(tmp_path, "init").stderr
    assert (tmp_path / ".gitignore").read_text(encoding="utf-8") == "*.log\n"
    write(tmp_path, {".gitignore": ".counterfoil\n"})
    assert "add the line" not in run_here(tmp_path, "init").stderr


def test_an_empty_repository(tmp_path: Path) -> None:
    assert init(tmp_path) == {"format": 1, "pacts": {"dir": "contracts/pacts"}}
    report = check(tmp_path)
    assert report.rules == {("PACT_MISSING", "contracts/pacts")}
    assert report.the("PACT_MISSING")["fix"].startswith("say how tests write them in [participants.NAME.consumer]")


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    write(tmp_path, {"noxfile.py": "mine = 1\n"})
    first = run_here(tmp_path, "init")
    written = (tmp_path / "counterfoil.toml").read_text(encoding="utf-8")
    (tmp_path / "counterfoil.toml").write_text(f"{written}# mine\n", encoding="utf-8")
    second = run_here(tmp_path, "init")
    told = "kept     noxfile.py: it exists already; add a session "
    assert told in first.stderr
    assert "counterfoil init --dry-run prints one" in first.stderr
    assert "kept     counterfoil.toml" in second.stderr
    assert (tmp_path / "noxfile.py").read_text(encoding="utf-8") == "mine = 1\n"
    write(tmp_path, {"noxfile.py": "@nox.session\ndef contracts(session):\n"})
    assert told not in run_here(tmp_path, "init").stderr
    write(tmp_path, {"noxfile.py": "mine = 1\n"})
    assert (tmp_path / "counterfoil.toml").read_text(encoding="utf-8").endswith("# mine\n")


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    ran = run_here(tmp_path, "init", "--dry-run")
    assert ran.exit_code == 0
    assert "--- counterfoil.toml\n" in ran.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ['a"] \n[evil]\nx = "', "a\n[evil]", "\x1b[31mred", "{{ 7 * 7 }}", "../../etc", "-p"])
def test_names_from_files_stay_names(tmp_path: Path, name: str) -> None:
    write(
        tmp_path,
        {
            "pacts/one.json": pact(name, "orders", interaction("an order", body={"id": 1})),
            "orders/package.json": {"name": name, "main": "x.js", "scripts": {"start": name, "pact": name}},
            "broken/package.json": "{",
            "broken/Cargo.toml": "[",
            "deep/package.json": "[" * 100_000,
        },
    )
    written = init(tmp_path)
    assert set(written) == {"format", "pacts", "participants"}
    assert "orders" in written["participants"]
    told = "# There is no table for " in (tmp_path / "counterfoil.toml").read_text(encoding="utf-8")
    assert told is (name not in written["participants"])
    assert "\x1b" not in (tmp_path / "counterfoil.toml").read_text(encoding="utf-8")
