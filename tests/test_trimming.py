"""Trimmed images show buf, and our rules, what whole ones show; over a generated schema."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from counterfoil.breaking import schema_sides
from counterfoil.compat.compare import compare
from counterfoil.compat.trimming import raw_files, same_content, trim
from counterfoil.schema.descriptors import parse_image
from counterfoil.system.toolchain import find

from benchmarks.breaking import edit, write_schema
from tests import schema_corpus

FILES = 120
RULES = json.dumps({"version": "v2", "breaking": {"use": ["FILE", "PACKAGE", "WIRE_JSON", "WIRE"]}})


def built(folder: Path) -> bytes:
    image = folder.with_suffix(".binpb")
    subprocess.run([str(find("buf")), "build", str(folder), "-o", str(image)], check=True)
    return image.read_bytes()


def buf_says(folder: Path, old: bytes, new: bytes) -> set[str]:
    for name, data in (("a.binpb", old), ("b.binpb", new)):
        (folder / name).write_bytes(data)
    command = [str(find("buf")), "breaking", "b.binpb", "--against", "a.binpb", "--config", RULES]
    done = subprocess.run([*command, "--error-format", "json"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 100}, done.stderr
    return set(done.stdout.splitlines())


@pytest.mark.parametrize("kind", ["edited", "deleted", "package"])
def test_what_is_left_shows_the_same(tmp_path: Path, kind: str) -> None:
    for name in ("old", "new"):
        write_schema(tmp_path / name, FILES)
    edit(tmp_path / "new", 3, FILES)
    if kind == "deleted":
        (tmp_path / "new/p11/v1/f119.proto").unlink()
    if kind == "package":
        for file in (tmp_path / "old/p11/v1").iterdir():
            file.write_text(file.read_text().replace("package p11.v1;", "package p11.v1;\noption deprecated = true;"))
    old, new = built(tmp_path / "old"), built(tmp_path / "new")
    trimmed = trim(raw_files(old), raw_files(new))
    assert len(trimmed.new) < len(new)
    assert buf_says(tmp_path, old, new) == buf_says(tmp_path, trimmed.old, trimmed.new) != set()
    whole = compare(parse_image(old), parse_image(new))
    assert compare(parse_image(trimmed.old), parse_image(trimmed.new)) == whole


HOLDS = 'syntax = "proto2";\npackage t;\nmessage Held { optional int32 a = 1; }\nenum E { ZERO = 0; ONE = 1; }\n'
HOLDER = """syntax = "proto2";
package h;
import "held.proto";
message Holder { optional t.E e = 1; optional t.Held h = 2; }
"""
OUTER = 'syntax = "proto2";\npackage o;\nimport "holder.proto";\nmessage Outer { optional h.Holder holder = 1; }\n'


@pytest.mark.parametrize(
    ("edited", "whole", "carrying"),
    [
        ((" ONE = 1;", ""), {"held.proto", "holder.proto"}, {"held.proto", "holder.proto", "outer.proto"}),
        (("int32", "string"), {"held.proto"}, {"held.proto", "holder.proto", "outer.proto"}),
    ],
    ids=["seen by who imports it", "seen by nobody else"],
)
def test_who_imports_a_changed_file_is_kept_where_it_matters(
    tmp_path: Path, edited: tuple[str, str], whole: set[str], carrying: set[str]
) -> None:
    for side, held in (("old", HOLDS), ("new", HOLDS.replace(*edited))):
        (tmp_path / side).mkdir()
        for name, text in (("held.proto", held), ("holder.proto", HOLDER), ("outer.proto", OUTER)):
            (tmp_path / side / name).write_text(text)
    old, new = built(tmp_path / "old"), built(tmp_path / "new")
    images = (old, new)
    trimmed, for_whom = (trim(raw_files(old), raw_files(new), carriers=carriers) for carriers in (False, True))
    for kept, names in ((trimmed, whole), (for_whom, carrying)):
        assert {file.name for file in parse_image(kept.new).proto.file if file.message_type[0].field} == names
        assert buf_says(tmp_path, *images) == buf_says(tmp_path, kept.old, kept.new) != set()
        assert compare(parse_image(kept.old), parse_image(kept.new)) == compare(*map(parse_image, images))


@pytest.mark.parametrize("syntax", ['syntax = "proto2"', 'syntax = "proto3"', 'edition = "2023"'])
def test_runtimes_take_files_that_are_there_to_be_linked_against(tmp_path: Path, syntax: str) -> None:
    chain = (("a", "b"), ("b", "c"), ("c", ""))
    for side, type_ in (("old", "int32"), ("new", "string")):
        (tmp_path / side).mkdir()
        for name, held in chain:
            text = f'import "{held}.proto";\nmessage M {{ repeated {held}.M m = 1; repeated {type_} x = 2; }}\n'
            body = text.replace(type_, "bool") if name != "a" else text
            (tmp_path / side / f"{name}.proto").write_text(
                f"{syntax};\npackage {name};\n{body if held else 'message M {}'}\n"
            )
    trimmed = trim(*(raw_files(built(tmp_path / one)) for one in ("old", "new")))
    for image in (trimmed.old, trimmed.new):
        assert schema_sides.side(image).messages == {"a.M", "b.M", "c.M"}


@pytest.mark.parametrize("name", schema_corpus.names())
def test_a_pair_of_the_corpus_shows_the_same_trimmed(name: str) -> None:
    old, new = (schema_corpus.image(name, one) for one in ("old", "new"))
    trimmed = trim(raw_files(old), raw_files(new))
    assert compare(parse_image(trimmed.old), parse_image(trimmed.new)) == compare(parse_image(old), parse_image(new))


def test_the_same_images_leave_nothing(tmp_path: Path) -> None:
    write_schema(tmp_path / "old", 5)
    files = raw_files(built(tmp_path / "old"))
    assert trim(files, files[::-1]).changed == frozenset()
    assert same_content(files[0], files[0] + b"\x4a\x00"), "source info says nothing of a schema"
    assert not same_content(files[0], files[1])
