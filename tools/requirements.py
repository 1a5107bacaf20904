"""Which test shows which requirement: reads the marks in host_tests, writes docs/requirements.md.

Owns that page. `python -m tools.requirements` writes it, `--check` fails when it is not what the tests say, or when
a requirement or fault has no test. Reads source only: nothing is imported or run.
"""

from __future__ import annotations

import argparse
import ast
import pathlib
import re
import sys

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib  # type: ignore[import-not-found,no-redef]

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORDING = ROOT / "docs" / "requirements.toml"
PAGE = ROOT / "docs" / "requirements.md"
TESTS = ROOT / "host_tests"
_ID = {"req": re.compile(r"[A-Z]{2,5}-\d\d"), "fault": re.compile(r"\d{1,3}")}
_HEAD = """# Requirements and faults, and the tests that show them

Made by `python -m tools.requirements` from `docs/requirements.toml` and the marks in `host_tests`; a test keeps it
true.
"""


class MarkError(Exception):
    """A mark that names nothing."""


def wording(path: pathlib.Path = WORDING) -> dict[str, dict[str, str]]:
    """{"req": {id: text}, "fault": {number as text: text}}."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    return {"req": table["requirements"], "fault": table["faults"]}


def marks(source: str, name: str) -> set[tuple[str, str]]:
    """("req" or "fault", id) of every mark in a test file. Raises MarkError for one that is no id."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        kind, of = node.func.attr, node.func.value
        if kind not in _ID or not isinstance(of, ast.Attribute) or of.attr != "mark":
            continue
        for argument in node.args or [ast.Constant(None)]:
            value = str(argument.value) if isinstance(argument, ast.Constant) else ""
            if not _ID[kind].fullmatch(value):
                raise MarkError(f"{name}:{node.lineno}: mark {kind} needs an id, not {ast.unparse(node)}")
            found.add((kind, value))
    return found


def shown(tests: pathlib.Path = TESTS) -> dict[tuple[str, str], list[str]]:
    """(kind, id) -> the test files that show it, in order of name."""
    result: dict[tuple[str, str], list[str]] = {}
    for path in sorted(tests.rglob("test_*.py")):
        name = path.relative_to(tests.parent).as_posix()
        for mark in marks(path.read_text(encoding="utf-8"), name):
            result.setdefault(mark, []).append(name)
    return result


def missing(texts: dict[str, dict[str, str]], found: dict[tuple[str, str], list[str]]) -> list[str]:
    """Ids that no test shows."""
    return [name for kind, ids in texts.items() for name in ids if (kind, name) not in found]


def page(texts: dict[str, dict[str, str]], found: dict[tuple[str, str], list[str]]) -> str:
    """The text of docs/requirements.md."""
    lines = [_HEAD]
    for kind, title, label in (("req", "Requirements", "id"), ("fault", "Faults", "fault")):
        lines += [f"## {title}", "", f"| {label} | in short | shown by |", "| --- | --- | --- |"]
        for name, text in texts[kind].items():
            files = ", ".join(f"`{each.removeprefix('host_tests/')}`" for each in found.get((kind, name), []))
            lines.append(f"| {name} | {text} | {files or '**nothing yet**'} |")
        lines.append("")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.requirements", description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the page is not up to date")
    options = parser.parse_args()
    try:
        texts, found = wording(), shown()
    except MarkError as error:
        print(f"requirements: {error}", file=sys.stderr)
        return 1
    text = page(texts, found)
    if options.check and (not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text):
        print("requirements: docs/requirements.md is not up to date: python -m tools.requirements", file=sys.stderr)
        return 1
    if not options.check:
        PAGE.write_text(text, encoding="utf-8")
    lacking = missing(texts, found)
    if lacking:
        print("requirements: no test shows " + ", ".join(lacking), file=sys.stderr)
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
