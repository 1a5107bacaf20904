"""What the documents name is there: links, events, steps, fields, timings and what is spoken."""

import ast
import re

import pytest
from conftest import ROOT

from hal_sim import steps

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
RECORDERS = {"event", "_event", "_record", "tell"}


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"https?://|#", target):
            continue
        path = page.parent / target.split("#")[0]
        assert path.exists(), f"{page.name}: {target}"


def first_column(name: str) -> str:
    return "\n".join(re.findall(r"^\|([^|]*)\|", text(name), re.M))


def constants(node: ast.AST) -> list:
    """Texts of an expression: itself, or both arms of a conditional."""
    if isinstance(node, ast.IfExp):
        return constants(node.body) + constants(node.orelse)
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def events() -> set:
    """Names of all event records the firmware makes."""
    found = set()
    for path in (ROOT / "firmware").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in RECORDERS:
                found |= {name for name in constants(node.args[0]) if "." in name} if node.args else set()
    return found


def test_every_event_is_documented_and_every_documented_event_exists():
    listed = set(re.findall(r"`([a-z]+\.[a-z_]+)`", first_column("docs/events.md")))
    assert len(listed) > 15
    assert listed == events()


def test_every_step_and_field_is_documented():
    table = text("docs/simulator.md").split("| `do` |")[1].split("\n\n")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^\n]*)$", table, re.M))
    assert set(rows) == set(steps.STEPS)
    for do, fields in steps.STEPS.items():
        for field in fields:
            assert f"`{field}`" in rows[do], f"{do}: {field}"
    for do in steps.NOT_YET:
        assert f"`{do}`" in text("docs/simulator.md")


def test_timeline_lines_are_documented():
    """Every first argument of emit(...) in the simulator."""
    made = set()
    for path in (ROOT / "hal_sim").rglob("*.py"):
        made |= set(re.findall(r"emit\(\s*\"(\w+)\"", path.read_text(encoding="utf-8")))
    assert len(made) >= 10 and made <= set(re.findall(r"`(\w+)`", first_column("docs/simulator.md")))


def test_the_installers_page_quotes_what_the_gateway_says():
    """Quoted Korean is a spoken text, a line or a title of the screen, whole or its beginning."""
    said = text("firmware/texts.py") + text("firmware/screen.py") + text("firmware/app.py")
    said += text("firmware/takeover.py") + text("firmware/sensing/registration.py")
    page = text("docs/installer.ko.md")
    quoted = [quote for quote in re.findall(r"`([^`]+)`", page) if re.search("[가-힣]", quote) and quote != "시험 전화"]
    table = re.findall(r"^\| ([^|]*(?:있습니다|시도합니다)) \|", page, re.M)
    assert len(quoted) > 12 and len(table) == 5
    for quote in [*quoted, *table]:
        assert quote.rstrip("…") in said, quote
    named = re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)", page)
    words = text("tools/home/static/text.js")
    assert len(named) > 10
    for button in named:
        assert f'["{button}", ' in words or f"### {button}" in page, button
