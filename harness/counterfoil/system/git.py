"""What git knows: commits, and the files in them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from counterfoil.errors import UsageError
from counterfoil.system import toolchain
from counterfoil.system.processes import Completed, Processes

DEADLINE_S = 300.0
LINK = b"120000"
DIFFERING = ("-z", "--name-only", "--no-renames", "--no-ext-diff", "--no-relative", "--ignore-submodules=none")
"""Whatever the user's configuration of git says."""
LOOKED_AT = "H "
"""How git marks a tracked file of which it would tell a change: not one that it is told to skip or to assume so."""


@dataclass(frozen=True, slots=True)
class Git:
    """git in one folder."""

    processes: Processes
    cwd: Path

    def has_commit(self, reference: str) -> bool:
        """Whether a reference names a commit that is here. A reference never starts with a dash; an option does."""
        if reference.startswith("-") or not reference or toolchain.find("git") is None:
            return False
        return self._run("rev-parse", "--verify", "--quiet", f"{reference}^{{commit}}").exit_code == 0

    def files(self, reference: str, folder: str) -> Mapping[str, str]:
        """The ids of the files below a folder at a commit, by their paths in that folder. Raises UsageError."""
        if toolchain.find("git") is None:
            raise UsageError("'git' is not on PATH", fix=toolchain.INSTALL["git"][1])
        if not self.has_commit(reference):
            outside = "run it in the repository; or name a folder of protos, or an image, in place of the commit"
            raise self._no_commit(reference, outside)
        done = self._run("ls-tree", "-r", "-z", reference, "--", folder)
        prefix = "" if folder == "." else f"{folder.rstrip('/')}/"
        found = {}
        for entry in done.stdout.split(b"\0"):
            mode, _, rest = entry.partition(b" ")
            kind, _, named = rest.partition(b" ")
            object_id, _, raw_path = named.partition(b"\t")
            path = raw_path.decode("utf-8", "surrogateescape")
            if kind == b"commit" and any((self.cwd / path).rglob("*.proto")):
                raise UsageError(
                    f"'{path}' at '{reference}' is a submodule, whose protos are not in that commit",
                    fix="name a folder or an image as the baseline",
                )
            if kind != b"blob" or not path.startswith(prefix):
                continue
            if mode == LINK and (path.endswith(".proto") or self._leads_to_protos(reference, path, object_id.decode())):
                raise UsageError(
                    f"'{path}' at '{reference}' is a link, which is not followed",
                    fix="commit the file itself, or name a folder or an image as the baseline",
                )
            found[path.removeprefix(prefix)] = object_id.decode()
        return found

    def _leads_to_protos(self, reference: str, link: str, object_id: str) -> bool:
        """Whether a link leads to a folder that has protos at a commit; not one that leads out of the repository."""
        target = self.contents([object_id])[object_id].decode("utf-8", "surrogateescape")
        folder = os.path.normpath(PurePosixPath(link).parent / target)
        listed = self._run("ls-tree", "-r", "-z", "--name-only", reference, "--", f"{folder}/")
        return listed.exit_code == 0 and any(name.endswith(b".proto") for name in listed.stdout.split(b"\0"))

    def differing(self, reference: str) -> tuple[frozenset[Path], frozenset[Path]]:
        """The files whose content is another than at a commit, or that are new or gone; and all that git may see.

        Absolute paths. Raises UsageError.
        """
        if not self.has_commit(reference):
            raise self._no_commit(reference, "run it in the repository, or leave the reference out")
        top = self._run("rev-parse", "--show-toplevel").stdout.decode("utf-8", "surrogateescape").rstrip("\n")
        listing = ("ls-files", "-z", "--full-name", "--exclude-standard")
        changed = self._names(top, "diff", *DIFFERING, reference, "--")
        new = self._names(top, *listing, "--others", "--", top)
        tracked = self._names(top, *listing, "--cached", "-v", "--", top, tag=LOOKED_AT)
        return changed | new, tracked | new

    def modified(self) -> frozenset[Path]:
        """The tracked files whose content is another than in the last commit, or that are gone; none without one."""
        if not self.has_commit("HEAD"):
            return frozenset()
        top = self._run("rev-parse", "--show-toplevel").stdout.decode("utf-8", "surrogateescape").rstrip("\n")
        return self._names(top, "diff", *DIFFERING, "HEAD", "--")

    def ignored(self, paths: Iterable[Path]) -> frozenset[Path]:
        """Those of the paths that git ignores; none where there is no git."""
        if toolchain.find("git") is None:
            return frozenset()
        named = "\0".join(str(path) for path in paths).encode("utf-8", "surrogateescape")
        done = self._run("check-ignore", "-z", "--stdin", stdin=named)
        names = done.stdout.decode("utf-8", "surrogateescape").split("\0") if done.exit_code == 0 else []
        return frozenset(Path(name) for name in names if name)

    def _names(self, top: str, *arguments: str, tag: str = "") -> frozenset[Path]:
        """The files that git names; only those that it marks with the tag."""
        done = self._run(*arguments)
        if done.exit_code != 0:
            raise UsageError("git cannot say what changed", why=" ".join(done.tail[-1:]), fix="git status")
        names = done.stdout.decode("utf-8", "surrogateescape").split("\0")
        return frozenset(Path(top, name.removeprefix(tag)) for name in names if name and name.startswith(tag))

    def _no_commit(self, reference: str, outside: str) -> UsageError:
        """Why there is no such commit; `outside` says what to do where there is no repository."""
        shallow = self._run("rev-parse", "--is-shallow-repository")
        is_shallow = shallow.stdout.strip() == b"true"
        if shallow.exit_code != 0:
            return UsageError(
                f"'{self.cwd}' is not in a git repository, so '{reference}' names no commit",
                why=" ".join(shallow.tail[-1:]),
                fix=outside,
            )
        why = "this clone is shallow and may lack it" if is_shallow else "there is no such commit, branch or tag here"
        name = reference if reference.replace("/", "").replace("-", "").replace(".", "").isalnum() else "REF"
        fetch = "git fetch --unshallow" if is_shallow else f"git fetch origin {name}"
        return UsageError(f"git has no '{reference}'", why=why, fix=f"{fetch}; or correct the reference")

    def contents(self, object_ids: Iterable[str]) -> Mapping[str, bytes]:
        """What these files hold, by their ids."""
        wanted = list(dict.fromkeys(object_ids))
        done = self._run("cat-file", "--batch", stdin="".join(f"{one}\n" for one in wanted).encode())
        found: dict[str, bytes] = {}
        data, position = done.stdout, 0
        for one in wanted:
            end = data.find(b"\n", position)
            words = data[position:end].split(b" ")
            if end < 0 or len(words) != 3:  # noqa: PLR2004 - id, type and size
                raise UsageError(f"git cannot read the file {one}", why=" ".join(done.tail[-1:]), fix="git fsck")
            size = int(words[2])
            found[one] = data[end + 1 : end + 1 + size]
            position = end + 2 + size
        return found

    def _run(self, *arguments: str, stdin: bytes = b"") -> Completed:
        command = [str(toolchain.find("git")), *arguments]
        return self.processes.run(command, cwd=self.cwd, deadline_s=DEADLINE_S, stdin=stdin)
