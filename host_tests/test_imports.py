"""Who may know whom (docs/architecture.md), read from the source itself."""

import ast
import pathlib
import re
import subprocess

import pytest
from conftest import ROOT

LAYERS = ("firmware", "drivers", "zigbee", "hal_sim")
BOARD = {"machine", "esp32", "esp", "network", "bluetooth", "neopixel", "espnow"}
HOST = {"tools", "host_tests"}
FORBIDDEN = {
    "firmware": {"hal_sim"} | BOARD | HOST,
    "drivers": {"firmware", "zigbee", "hal_sim"} | BOARD | HOST,
    "zigbee": {"firmware", "drivers", "hal_sim"} | BOARD | HOST,
    "hal_sim": {"firmware", "drivers", "zigbee"} | HOST,
}
BOARD_FILES = "firmware/boards/"  # the one folder that touches the board
# The stand-ins of the board's own modules, and what imports them as a program of the board would.
STAND_INS = "hal_sim/esp32/"
DYNAMIC = {"hal_sim/play.py": "app"}  # its argument names the firmware: the simulator knows none
TYPING_BRANCHES = ("_TYPE_CHECKING", "TYPE_CHECKING")
CPYTHON_ONLY = {"typing", "dataclasses", "abc", "enum", "functools", "pathlib", "subprocess", "threading"}


def sources(layer: str) -> list:
    found = sorted((ROOT / layer).rglob("*.py"))
    assert found, f"{layer} is empty"
    return found


def place(path: pathlib.Path) -> str:
    return path.relative_to(ROOT).as_posix()


def is_typing_branch(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id in TYPING_BRANCHES


def imports(tree: ast.AST, typing_only: bool = False):
    """(module, line, inside a typing branch) of every import, wherever it stands."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno, typing_only) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield ("." * node.level + (node.module or ""), node.lineno, typing_only)
        elif is_typing_branch(node):
            for child in node.body:
                yield from imports(ast.Module([child], []), True)
            for child in node.orelse:
                yield from imports(ast.Module([child], []), typing_only)
        else:
            yield from imports(node, typing_only)


def forbidden(layer: str, name: str) -> set:
    """Top-level modules that this file may not import at run time."""
    banned = FORBIDDEN[layer] | CPYTHON_ONLY
    if name.startswith(BOARD_FILES):
        banned = banned - BOARD
    if name.startswith(STAND_INS) or layer == "hal_sim":
        banned = banned - BOARD
    return banned


def breaches(layer: str, name: str, source: str) -> list:
    """What breaks the rules in one file, a line each."""
    found = []
    for module, line, typing_only in imports(ast.parse(source)):
        top = module.split(".")[0]
        banned = forbidden(layer, name)
        if typing_only:  # types cost nothing and know no hardware; the layers still hold
            banned = banned - BOARD - CPYTHON_ONLY
        if module.startswith("."):
            found.append(f"{name}:{line}: relative import {module}")
        elif top in banned:
            found.append(f"{name}:{line}: {layer} must not import {module}")
    return found


def dynamic(name: str, source: str) -> list:
    """Imports by name, which no rule could see, and code made from text."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and node.id == "__import__":
            found.append((node.lineno, "__import__"))
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            found += [(node.lineno, each) for each in names if each.split(".")[0] == "importlib"]
    return [f"{name}:{line}: {what}" for line, what in found]


@pytest.mark.parametrize("layer", LAYERS)
def test_layer_knows_only_what_it_may(layer):
    found = [each for path in sources(layer) for each in breaches(layer, place(path), path.read_text(encoding="utf-8"))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("layer", LAYERS)
def test_nothing_is_imported_by_a_computed_name(layer):
    for path in sources(layer):
        found = dynamic(place(path), path.read_text(encoding="utf-8"))
        if place(path) in DYNAMIC:
            assert len(found) == 1, found
            assert f"__import__({DYNAMIC[place(path)]}," in path.read_text(encoding="utf-8")
        else:
            assert not found, found


def test_only_the_board_file_opens_the_board():
    """Within firmware/boards, one file a board: board.py itself stays free of hardware."""
    touching = [
        place(path) for path in sources("firmware")
        if any(module.split(".")[0] in BOARD and not typed
               for module, _, typed in imports(ast.parse(path.read_text(encoding="utf-8"))))
    ]
    assert touching == ["firmware/boards/esp32s3.py"]


@pytest.mark.parametrize("layer", ["firmware", "drivers", "zigbee"])
def test_the_product_knows_no_simulator(layer):
    """No name, no text, no branch: only comments and docstrings may speak of it."""
    for path in sources(layer):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            words = [getattr(node, field, None) for field in ("id", "attr", "name", "arg", "module")]
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" not in node.value:
                words.append(node.value)
            said = [word for word in words if isinstance(word, str) and re.search("simulat|hal_sim", word, re.I)]
            assert not said, f"{place(path)}: {said}"


def tracked() -> list:
    """Text files of the repository; without git, every file outside build and caches."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode == 0 and done.stdout:
        names = [name for name in done.stdout.split("\0") if name]
    else:
        names = [place(path) for path in ROOT.rglob("*") if path.is_file()]
        names = [name for name in names if not (name.startswith((".", "build/")) or "__pycache__" in name)]
    return [ROOT / name for name in names if (ROOT / name).is_file() and not name.endswith((".png", ".wav", ".ico"))]


def test_nothing_names_a_folder_of_one_machine():
    pattern = re.compile("(?<![\\w.])/(tmp|root|work|" + "home" + ")/[a-zA-Z]")  # web and device paths are others
    found = []
    for path in tracked():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if pattern.search(line):
                found.append(f"{place(path)}:{number}: {line.strip()[:100]}")
    assert not found, "\n".join(found)


def test_the_check_itself_sees_what_it_should():
    """Each rule, broken once in a made-up file."""
    bad = {
        ("firmware", "firmware/x.py"): ("import machine", "from hal_sim.home import Home", "def f():\n    import esp32",
                                       "import tools.scenario", "try:\n    import network\nexcept OSError:\n    pass",
                                       "import typing", "from . import y"),
        ("drivers", "drivers/x.py"): ("from firmware import clock", "import zigbee.link", "import machine"),
        ("zigbee", "zigbee/x.py"): ("import firmware", "if x:\n    pass\nelse:\n    from machine import UART"),
        ("hal_sim", "hal_sim/x.py"): ("import drivers.at", "from zigbee import frames", "import firmware.app"),
    }
    for (layer, name), programs in bad.items():
        for source in programs:
            assert breaches(layer, name, source), (name, source)
    typed = "if _TYPE_CHECKING:\n    from machine import UART\n    from typing import Any\nelse:\n    import json"
    assert not breaches("drivers", "drivers/x.py", typed)
    assert breaches("drivers", "drivers/x.py", typed.replace("json", "machine"))
    assert breaches("drivers", "drivers/x.py", typed.replace("machine", "firmware"))
    assert dynamic("x.py", "y = __import__(z)") and dynamic("x.py", "from importlib import import_module")
