"""The page in headless Chromium over a home with a real broker and the real relay: the link, the records, a command."""

import pytest
from home.conftest import free_port, start_home, stop_home
from home.real import need_broker
from home.test_page import fast, holds, record, row, view

from tools.relay import broker


@pytest.fixture(scope="module")
def home(sounds):
    """With mosquitto; where it is not installed, with the embedded broker."""
    need_broker("embedded" if broker.find() is None else "mosquitto")
    port = free_port()
    process = start_home(port)
    yield f"http://127.0.0.1:{port}/"
    status, err = stop_home(process)
    assert (status, err) == (0, "")


def link(page, state: str) -> None:
    page.wait_for_selector(f"#linkbar[data-link='{state}']", timeout=40_000)


@pytest.mark.req("EMG-11")
def test_what_was_pressed_is_stored_and_the_screen_says_so(visit):
    page = visit()
    link(page, "up")
    page.click("[data-button='119']")
    view(page, "prompt")
    page.click(".key-cancel")
    view(page, "cancelled")
    record(page, "emergency.cancelled")
    page.wait_for_selector("#screen .s-ladder li.done:has-text('관제 확인')")
    holds(page, "/마지막 저장 \\d\\d:\\d\\d:\\d\\d/.test(document.querySelector('#link_facts').textContent)")
    assert "실제 중계서버" in page.locator("#link_how").inner_text()


def test_the_relays_switch_cuts_the_link_and_brings_it_back(visit):
    page = visit()
    link(page, "up")
    page.click(".switch[data-name='relay']")
    link(page, "lost")
    row(page, "중계서버와 연결이 끊어짐")
    page.wait_for_selector("#screen .bad:has-text('중계서버 끊김')")
    page.click(".switch[data-name='relay']")
    fast(page)
    link(page, "up")
    row(page, "중계서버와 연결됨")
    holds(page, "!document.querySelector('#screen .s-icons .bad')")


def test_a_command_is_sent_and_its_answer_is_a_record(visit):
    page = visit()
    link(page, "up")
    page.click(".order summary")
    page.select_option("#order_name", "sensors.register")
    assert page.input_value("#order_fields") == "seconds=60"
    page.click("#order button")
    row(page, "관제 명령: sensors.register")
    record(page, "command.done")
    page.wait_for_selector("#screen .s-open time")
    page.select_option("#order_name", "settings.set")
    page.fill("#order_fields", "setting")
    page.click("#order button")
    page.wait_for_selector(".toast:has-text('name=value')")


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_link_and_a_command_have_room(visit, width, height, language):
    page = visit(width, height, fresh=False)
    if language == "en":
        page.click("#language")
    link(page, "up")
    page.click(".order summary")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    cut = page.evaluate("""() => [...document.querySelectorAll('.records button, .records select, .records input,' +
        ' .linkbar p, .linkbar small, .order summary')].filter(node => node.offsetParent).filter(node => {
          const box = node.getBoundingClientRect();
          return box.left < -1 || box.right > innerWidth + 1 || node.scrollWidth > node.clientWidth + 2;
        }).map(node => node.textContent || node.id)""")
    assert cut == []
