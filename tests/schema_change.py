"""One change of a small schema, from the folder `old` to the folder `new` of a workspace."""

from __future__ import annotations

import subprocess
from pathlib import Path

from counterfoil.system.toolchain import find

from tests.builders import Object, Workspace

PROTO = """\
syntax = "proto3";

package shop.v1;

message Product {
  string name = 1;
  int32 stock = 2;
}
"""
RETYPED = PROTO.replace("int32 stock", "string stock")
STOCK = "shop.v1.Product.stock"
BREAKING = "schema::new::breaking"


def change(shop: Workspace, text: str, side: str = "new") -> None:
    """Write one side anew."""
    shop.write(f"{side}/shop/v1/shop.proto", text)


def evidence(found: Object, kind: str) -> list[Object]:
    return [one for one in found["evidence"] if one["kind"] == kind]


def image(folder: Path, path: Path) -> Path:
    """An image of a folder, in the form that the file's name asks for."""
    command = [str(find("buf")), "build", str(folder), "-o", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return path
