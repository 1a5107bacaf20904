"""The server of the simulated home as a process, and pages open on it in headless Chromium."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from conftest import ROOT, need

START_LIMIT_S = 20
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync",
         "--disable-component-update", "--no-first-run", "--mute-audio", "--autoplay-policy=no-user-gesture-required"]
LOCALES = {"ko": "ko-KR", "en": "en-GB"}
NOTE_PLAYS = """
window.played = [];
HTMLMediaElement.prototype.play = function () {
  window.played.push(new URL(this.src).pathname);
  return Promise.resolve();
};
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_home(port: int, *options: str, env: dict | None = None) -> subprocess.Popen:
    """`python -m tools.home` on port, ready to serve."""
    process = subprocess.Popen([sys.executable, "-m", "tools.home", "--port", str(port), "--no-open", *options],
                               cwd=ROOT, env={**os.environ, **(env or {})},
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + START_LIMIT_S
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2):
            return process
        time.sleep(0.1)
    process.kill()
    out, err = process.communicate()
    pytest.fail(f"the server did not start: {out}{err}")


def stop_home(process: subprocess.Popen) -> tuple:
    """Ctrl-C; (exit status, standard error)."""
    process.send_signal(signal.SIGINT)
    try:
        _, err = process.communicate(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        pytest.fail("the server did not end within 15 s of Ctrl-C")
    return process.returncode, err


@pytest.fixture(scope="session")
def sounds():
    """build/sound, rendered when it is not there."""
    if not (ROOT / "build" / "sound" / "index.json").is_file():
        done = subprocess.run([sys.executable, "-m", "tools.sound"], cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            if os.environ.get("CI"):
                pytest.fail(done.stderr)
            pytest.skip(done.stderr.strip())
    return ROOT / "build" / "sound"


@pytest.fixture(scope="module")
def home(sounds):
    """Address of a running simulated home: the real firmware in the real simulator, with the relay in there too."""
    need("micropython")
    port = free_port()
    process = start_home(port, "--simulated")
    yield f"http://127.0.0.1:{port}/"
    status, err = stop_home(process)
    assert (status, err) == (0, "")


@pytest.fixture(scope="module")  # no longer: while it lives, asyncio.run() of other tests would be refused
def browser():
    chromium = need("chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=chromium, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def visit(browser, home):
    """visit(width, height, language) -> a page that must load nothing from elsewhere and log no error."""
    pages = []

    def open_page(width: int = 1366, height: int = 768, language: str = "ko", fresh: bool = True):
        context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce",
                                      locale=LOCALES[language])
        context.add_init_script(NOTE_PLAYS)
        page = context.new_page()
        page.set_default_timeout(15000)
        page.errors, page.asked = [], []
        page.on("console", lambda message: page.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(home)
        if fresh:
            restart(page)
        pages.append(page)
        return page

    yield open_page
    errors = [error for page in pages for error in page.errors]
    elsewhere = [url for page in pages for url in page.asked if not url.startswith((home, "data:"))]
    for page in pages:
        page.context.close()
    assert not errors
    assert not elsewhere


def restart(page) -> None:
    """The home from its beginning, ready for an emergency, at x1."""
    page.wait_for_selector("#lines li:not(.empty)")
    page.click("#restart")
    page.wait_for_selector("body[data-view='starting']")
    page.wait_for_selector("body[data-view='home']")
    page.wait_for_selector("[data-x='1'][aria-checked='true']")
