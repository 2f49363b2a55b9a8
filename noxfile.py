"""The sessions. `python3 noxfile.py -s contracts` works without nox too: it installs nox for itself, once."""

from __future__ import annotations

import ast
import fcntl
import functools
import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import IO, TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

ROOT = Path(__file__).resolve().parent
STATE = ROOT / ".counterfoil"
CONSTRAINTS = ROOT / "constraints.txt"
RANKER_REQUIREMENTS = ROOT / "providers" / "ranker" / "requirements.txt"
PYTHON = "{}.{}".format(*sys.version_info)
RUNNER = ("nox", "uv")
UNPROVEN = 3  # Counterfoil's exit code for "could not be judged"


def complain(message: str) -> None:
    print(f"noxfile.py: {message}", file=sys.stderr)


class SetupLock:
    """Held by one process of a checkout while it makes environments; the system frees it when that process dies."""

    def __init__(self) -> None:
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        STATE.mkdir(exist_ok=True)
        self._file = (STATE / "setup.lock").open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            complain("another run is making its environments; waiting for it")
            fcntl.flock(self._file, fcntl.LOCK_EX)

    def release(self) -> None:
        if self._file:
            self._file.close()


SETUP = SetupLock()


def fingerprint(requirements: Iterable[str], files: Iterable[Path]) -> str:
    """What an environment is made from: when this changes, it is made anew."""
    digest = hashlib.sha256("\0".join([PYTHON, platform.machine(), str(ROOT), *requirements]).encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def holds(stamp: Path) -> str | None:
    """The fingerprint of a finished environment, "" for one that was left half-made, None for an empty one."""
    return stamp.read_text(encoding="utf-8") if stamp.exists() else None


# How `python3 noxfile.py` comes by nox. Older Pythons than 3.11 must be able to read this far.


def private_nox() -> str:
    """The Python of an environment of our own, with the pinned nox; made on the first run."""
    folder = STATE / f"nox-{PYTHON}"
    stamp = folder / "stamp"
    python = folder / "bin" / "python"
    wanted = fingerprint(RUNNER, [CONSTRAINTS])
    if holds(stamp) != wanted or not python.exists():  # its target goes when a Python is uninstalled
        SETUP.acquire()
        if holds(stamp) != wanted or not python.exists():
            make_private_nox(folder, python)
            stamp.write_text(wanted, encoding="utf-8")
        SETUP.release()
    return str(python)


def make_private_nox(folder: Path, python: Path) -> None:
    complain(f"making an environment for nox in {folder.relative_to(ROOT)}")
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            give_up(f"this Python has no module {module!r}; on Debian and Ubuntu: apt-get install python3-venv")
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--constraint", str(CONSTRAINTS), *RUNNER], check=True)
    except subprocess.CalledProcessError as failure:
        give_up(f"nox could not be installed (see above); this failed: {shlex.join(map(str, failure.cmd))}")


def give_up(message: str) -> NoReturn:
    complain(message)
    sys.exit(UNPROVEN)


def nox_suffices() -> bool:
    """Whether this Python has a nox that can read this file."""
    try:
        version = importlib.metadata.version("nox")
    except importlib.metadata.PackageNotFoundError:
        return False
    return [int(number) for number in re.findall(r"\d+", version)[:3]] >= [2025, 2, 9]


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever runs this with an older Python shall be told
        give_up(f"needs Python 3.11 or newer; this is {platform.python_version()} ({sys.executable})")
    interpreter = sys.executable if nox_suffices() else private_nox()
    os.execv(interpreter, [interpreter, "-m", "nox", "-f", str(ROOT / "noxfile.py"), *sys.argv[1:]])  # noqa: S606


import nox  # noqa: E402 - the lines above bring it
from nox.command import CommandFailed  # noqa: E402

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["lint", "tests", "contracts"]  # contracts last: its exit code ends the run

if __name__ == "user_nox_module":
    # Loaded by nox, which makes a session's environment before it calls the session: hence the lock is taken here.
    SETUP.acquire()
    # A cancelled CI job gets SIGTERM: the children end as they do after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)

TERMINATE_WITHIN_S = 10.0  # what an interrupted child gets to stop its services before it is killed


def uv_settings() -> dict[str, str]:
    """Pip's settings in uv's words: uv reads none of them, and a machine behind a mirror may have nothing else."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    listing = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    settings = [
        (*name.split(".", 1), ast.literal_eval(value)) for name, _, value in (line.partition("=") for line in listing)
    ]
    pip = {name: value for scope in ("global", "install", ":env:") for where, name, value in settings if where == scope}
    links = [link for link in pip.get("find-links", "").split() if "://" in link or Path(link).exists()]
    translated = {
        "UV_DEFAULT_INDEX": pip.get("index-url"),
        "UV_INDEX": pip.get("extra-index-url"),
        "UV_INDEX_STRATEGY": "unsafe-best-match" if "extra-index-url" in pip else None,
        "UV_INSECURE_HOST": pip.get("trusted-host"),
        "UV_FIND_LINKS": ",".join(links),
        "UV_NO_INDEX": pip.get("no-index"),
        "SSL_CERT_FILE": pip.get("cert"),
        "ALL_PROXY": pip.get("proxy"),
    }
    return {name: value for name, value in translated.items() if value and name not in os.environ}


def prepare(session: nox.Session, groups: Sequence[str]) -> None:
    """Install the harness, editable, and what these dependency groups ask for, unless that is what is there."""
    extra = nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), *groups) if groups else ()
    of_ranker = [str(RANKER_REQUIREMENTS)] if "lint" in groups else []
    wanted = fingerprint([*extra, *of_ranker], [ROOT / "pyproject.toml", CONSTRAINTS, *map(Path, of_ranker)])
    stamp = Path(session.virtualenv.location) / "stamp"
    found = holds(stamp)
    if found == wanted or session.run_install("python", "-c", "", log=False) is None:  # None: nox's --no-install
        return
    if found is not None:
        shutil.rmtree(session.virtualenv.location)
        session.virtualenv.create()
    stamp.write_text("", encoding="utf-8")
    options = ["--constraint", str(CONSTRAINTS), "--build-constraint", str(CONSTRAINTS)]
    for file in of_ranker:
        options += ["--requirement", file]
    session.install("--editable", str(ROOT), *options, *extra, env=uv_settings())
    stamp.write_text(wanted, encoding="utf-8")


def in_environment(*groups: str) -> Callable[[Callable[[nox.Session], None]], object]:
    """Make a session of a function: it runs with the harness and these dependency groups installed."""

    def decorate(body: Callable[[nox.Session], None]) -> object:
        @nox.session
        @functools.wraps(body)
        def prepared(session: nox.Session) -> None:
            try:
                prepare(session, groups)
            except CommandFailed:
                give_up("the session's environment could not be made (see above), so nothing was judged")
            SETUP.release()
            session.env["PACT_DO_NOT_TRACK"] = "true"
            session.env["BUF_CACHE_DIR"] = str(STATE / "buf")
            try:
                body(session)
            except Exception:
                SETUP.acquire()
                raise
            SETUP.acquire()  # nox is about to make the next session's environment

        return prepared

    return decorate


@in_environment()
def contracts(session: nox.Session) -> None:
    """Run every consumer's tests, then judge every contract. Arguments go to `counterfoil check`."""
    counterfoil(session, "consume", stdout=sys.stderr)
    counterfoil(session, "check", *session.posargs)


def counterfoil(session: nox.Session, *args: str, stdout: IO[str] | None = None) -> None:
    """Run Counterfoil. When it does not say "compatible", its exit code becomes nox's."""
    try:
        run(session, "counterfoil", *args, stdout=stdout)
    except CommandFailed as failure:
        sys.exit(failure.return_code if failure.return_code in {1, 2, UNPROVEN} else UNPROVEN)


def run(
    session: nox.Session, *command: str | Path, stdout: IO[str] | None = None, success_codes: Sequence[int] = (0,)
) -> None:
    """Run a program of the session's environment or of the machine; its stderr stays apart from its stdout."""
    session.run(
        *command,
        external=True,
        stdout=stdout,
        stderr=None,
        success_codes=success_codes,
        terminate_timeout=TERMINATE_WITHIN_S,
    )


def succeeds(session: nox.Session, *command: str | Path, success_codes: Sequence[int] = (0,)) -> bool:
    """Run a program that may fail, so that what comes after it runs too."""
    try:
        run(session, *command, success_codes=success_codes)
    except CommandFailed:
        return False
    return True


@in_environment("tests")
def tests(session: nox.Session) -> None:
    """Run the harness's tests, to which arguments go, and each service's own unit tests."""
    built = succeeds(session, "counterfoil", "build")
    python, ranker = Path(session.bin) / "python", ROOT / "providers" / "ranker"
    suites: dict[str, tuple[Path, list[str | Path]]] = {
        "harness": (ROOT, [python, "-m", "pytest", *HARNESS_OPTIONS, *session.posargs]),
        "storefront": (ROOT / "providers" / "storefront", ["npm", "test"]),
        "recommender": (ROOT, ["cargo", "test", "--locked", "-p", "recommender", "--lib", "--bins"]),
        "rust stubs": (ROOT, ["cargo", "test", "--locked", "-p", "counterfoil-stub", "-p", "recommender-stub"]),
        "node stub": (ROOT / "harness" / "stub-node", ["npm", "test"]),
        "ranker": (ranker, [ranker / ".venv" / "bin" / "python", "-m", "pytest", "tests"]),
    }
    results = {name: run_suite(session, folder, command) for name, (folder, command) in suites.items()}
    summary = "".join(f"{name}: {text}\n" for name, (_, text) in results.items())
    (STATE / "test-counts.txt").write_text(summary, encoding="utf-8")
    print(f"\n{summary}", end="", flush=True)
    failed = [name for name, (passed, _) in results.items() if not passed]
    if failed or not built:
        session.error(f"failed: {', '.join(failed if built else ['counterfoil build', *failed])}")


def run_suite(session: nox.Session, folder: Path, command: Sequence[str | Path]) -> tuple[bool, str]:
    """Run tests, and say whether they passed and how many there were. A suite without a test has not passed."""
    session.log(f"{shlex.join(map(str, command))} (in {folder})")
    environment = {name: value for name, value in (os.environ | session.env).items() if value is not None}
    environment["PATH"] = os.pathsep.join([session.bin, os.environ.get("PATH", os.defpath)])
    counts: Counter[str] = Counter()
    try:
        with subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            try:
                for line in process.stdout or ():
                    print(line, end="", flush=True)
                    counts.update(counted(line))
            except BaseException:
                process.terminate()
                process.wait(TERMINATE_WITHIN_S)
                raise
    except OSError as error:
        return False, f"could not be started: {error}"
    text = ", ".join(f"{counts[word]} {word}" for word in ("passed", "failed", "skipped"))
    return process.returncode == 0 and counts["passed"] > 0, f"{text} (exit code {process.returncode})"


# Some tests take half a minute, so a worker that has nothing left takes over what waits for another.
HARNESS_OPTIONS = ("-n", "auto", "--dist", "worksteal", "--tb", "short", "--durations", "25", "--durations-min", "3")
SUMMARY = re.compile(
    r"=* ?(?:\d+ \w+, )*\d+ \w+ in \d.*"  # pytest
    r"|test result: .*"  # cargo
    r"|[#\u2139] (?:pass|fail|cancelled|skipped|todo) \d+"  # node --test
)
WORDS = {"pass": "passed", "fail": "failed", "cancelled": "failed", "error": "failed", "errors": "failed"}
WORDS |= {"ignored": "skipped", "todo": "skipped"}


def counted(line: str) -> Counter[str]:
    """How many tests passed, failed and were skipped, if this line of a test runner's output sums that up."""
    counts: Counter[str] = Counter()
    plain = re.sub(r"\x1b\[[\d;]*m", "", line).strip()
    if SUMMARY.fullmatch(plain):
        for before, word, after in re.findall(r"(\d+ )?\b([a-z]+)\b( \d+)?", plain):
            counts[WORDS.get(word, word)] += int(before or after or 0)
    return counts


FORBIDDEN = r"/(root|work|home)/[a-z.]|registry[.]npm[j]s|p[y]pi[.]org|python[h]osted|index[.]crates[.]|d[e]b[.]debian"
"""A path of somebody's machine, or the host of a registry: what is written here holds everywhere."""


@in_environment("tests", "lint", "codegen")
def lint(session: nox.Session) -> None:
    """Check style, types, and that generated code is current: Rust's only with `-- --rust`, being slow at first."""
    checks = [
        ("ruff", "check"),
        ("ruff", "format", "--check"),
        ("mypy",),
        ("buf", "lint", "protos"),
        ("cargo", "fmt", "--all", "--check"),
        ("cargo", "clippy", "--locked", "--workspace", "--all-targets", "--", "--deny", "warnings"),
        ("counterfoil", "build"),
        ("providers/storefront/node_modules/.bin/tsc", "-p", "providers/storefront"),
        ("harness/stub-node/node_modules/.bin/tsc", "-p", "harness/stub-node"),
        ("python", "protos/generate.py", "--check", *session.posargs),
        ("python", "docs/generate.py", "--check"),
    ]
    failed = [shlex.join(check) for check in checks if not succeeds(session, *check)]
    if not succeeds(session, "git", "grep", "--no-index", "--exclude-standard", "-nIE", FORBIDDEN, success_codes=(1,)):
        failed.append("machine paths and registry hosts")
    if failed:
        session.error(f"failed: {'; '.join(failed)}")


@in_environment("codegen")
def codegen(session: nox.Session) -> None:
    """Write every language's generated code anew from protos/, all of it or none."""
    run(session, "python", "protos/generate.py")


@in_environment("tests")
def conformance(session: nox.Session) -> None:
    """Let protobuf's own conformance runner loose on our runtime stubs; arguments are their names."""
    run(session, "counterfoil", "build")
    run(session, "python", "-m", "tests.conformance.runner", "fetch")
    run(session, "python", "-m", "tests.conformance.runner", "run", *session.posargs)


@in_environment("docs")
def docs(session: nox.Session) -> None:
    """Build the documentation as a site, in .counterfoil/site; a dead link fails it."""
    run(session, "python", "docs/generate.py", "--check")
    run(session, "zensical", "build", "--strict", "--clean", *session.posargs)
    run(session, "python", "docs/links.py", STATE / "site")


@in_environment("packages", "tests")
def packages(session: nox.Session) -> None:
    """Build the wheel, the npm package and the crate; install each from its file alone, and use it."""
    folder = STATE / "packages"
    shutil.rmtree(folder, ignore_errors=True)
    run(session, "python", "-m", "tests.packages", folder)


@in_environment("tests")
def bench(session: nox.Session) -> None:
    """Measure. Arguments go to `python -m benchmarks`."""
    run(session, "python", "-m", "benchmarks", *session.posargs)


@nox.session
def constraints(session: nox.Session) -> None:
    """Pin what every session and the ranker install. With `-- --upgrade`, to the newest versions that work together."""
    session.install("uv", env=uv_settings())
    project = nox.project.load_toml("pyproject.toml")
    groups = nox.project.dependency_groups(project, *project["dependency-groups"])
    names = [*RUNNER, *project["build-system"]["requires"], *project["project"]["dependencies"], *groups]
    wanted = Path(session.create_tmp()) / "requirements.in"
    wanted.write_text("\n".join(names), encoding="utf-8")
    options = ["--python-version", "3.11", "--no-header", "--no-annotate", "--quiet", *session.posargs]
    session.env.update(uv_settings())
    run(session, "uv", "pip", "compile", *options, "--output-file", CONSTRAINTS, wanted, RANKER_REQUIREMENTS)
