"""The page in headless Chromium, with the real firmware in the real simulator behind it.

A prompt takes 14.5 s: stories run at x10 once what has to be heard was heard.
"""

import json
import time

import pytest

FIRE = "화재가 감지되었습니다"


def holds(page, expression: str, arg=None) -> None:
    """The expression comes true. (Playwright's own wait needs eval, which the page's policy forbids.)"""
    end = time.monotonic() + 15
    while not page.evaluate(expression, arg):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(50)


def fast(page, x: int = 10) -> None:
    page.click(f"[data-x='{x}']")


def view(page, name: str) -> None:
    page.wait_for_selector(f"body[data-view='{name}']")


def row(page, text: str) -> None:
    """A timeline row with this text has appeared."""
    page.wait_for_selector(f"#lines li:has-text('{text}')")


def record(page, name: str) -> None:
    page.wait_for_selector(f"#records li:has-text('{name}')")


def dials(page) -> int:
    return page.locator("#lines li.k-call:has-text('전화를 겁니다')").count()


def sent(page, what: str, count: int) -> list:
    """The steps of this kind that were sent, as the raw timeline has them, once there are so many.

    The page draws what was asked for at once; that it was sent comes back from the server a moment later.
    """
    end = time.monotonic() + 15
    while True:
        found = page.evaluate("""what => [...document.querySelectorAll('#lines li')].map(li => li.raw)
            .filter(raw => raw && raw.what === 'did' && raw.step.do === what).map(raw => raw.step).reverse()""", what)
        if len(found) >= count or time.monotonic() >= end:
            return found
        page.wait_for_timeout(50)


def test_first_sight_is_alive_and_says_what_to_do(visit):
    page = visit(fresh=False)
    assert page.locator("#clock").inner_text() != "--:--:--"
    before = page.locator("#clock").inner_text()
    holds(page, "before => document.querySelector('#clock').textContent !== before", arg=before)
    assert page.locator("#hint_text").inner_text()
    assert page.locator(".key").count() == 4


def test_press_is_prompted_dialled_answered_reported_and_ended(visit):
    page = visit()
    page.click("[data-desk='manual']")
    page.click("[data-button='119']")
    view(page, "prompt")
    assert "119로 연결합니다" in page.locator("#screen .s-say").inner_text()
    holds(page, "window.played.length > 0")
    assert page.evaluate("window.played") == ["/sound/prompt_manual.wav"]
    page.wait_for_selector("#beacon.on")
    page.wait_for_selector("#grille.speaking")
    fast(page)
    view(page, "dialling")
    row(page, "119에 전화를 겁니다")
    page.wait_for_selector("#desk.ringing")
    page.click("#pick_up")
    page.wait_for_selector("#desk.active")
    page.wait_for_selector("#heard p:has-text('안심콜 시스템 확인 요청')")
    view(page, "talking")
    page.click(".key-cancel")  # once 119 is on the line only people hang up
    page.click("#hang_up")
    view(page, "ended")
    record(page, "emergency.ended")
    page.wait_for_selector("#screen .s-ladder li.done:last-child")
    assert page.locator("#screen .s-ladder li.done").count() == 8
    assert dials(page) == 1
    assert page.evaluate("window.played") == ["/sound/prompt_manual.wav"]  # at x10 nothing is played


@pytest.mark.req("EMG-05")
def test_cancel_in_the_window_dials_nothing(visit):
    page = visit()
    page.click("[data-button='119']")
    view(page, "prompt")
    holds(page, "window.played.length > 0")
    page.click(".key-cancel")
    view(page, "cancelled")
    record(page, "emergency.cancelled")
    fast(page, 60)
    view(page, "home")  # a minute later
    assert dials(page) == 0


def test_smoke_is_shown_spoken_and_cleared(visit):
    page = visit()
    page.click("text=연기 내기")
    view(page, "prompt")
    page.wait_for_selector("#plan.smoking")
    assert FIRE in page.locator("#screen .s-say").inner_text()
    holds(page, "window.played.includes('/sound/prompt_fire.wav')")
    page.click("text=연기 걷기")
    page.wait_for_selector("#plan:not(.smoking)")
    assert [step["on"] for step in sent(page, "smoke", 2)] == [True, False]


@pytest.mark.req("EMG-16")
def test_pendant_shows_that_it_was_heard_and_its_cancel_counts(visit):
    page = visit()
    page.click(".pendant .call")
    page.wait_for_selector(".pendant.confirmed")
    view(page, "prompt")
    page.click(".pendant .cancel")
    view(page, "cancelled")
    record(page, "emergency.cancelled")
    assert dials(page) == 0


def test_busy_line_is_dialled_again(visit):
    page = visit()
    page.click("[data-desk='busy']")
    page.click("[data-button='119']")
    view(page, "prompt")
    fast(page)
    page.wait_for_selector("#heard p:has-text('busy')")
    holds(page, "document.querySelectorAll('#heard p.line').length >= 3")
    page.click("[data-desk='auto']")
    page.wait_for_selector("#desk.active")
    assert dials(page) >= 2


def test_hold_time_goes_with_the_press_by_mouse_and_keyboard(visit):
    page = visit()
    page.hover("[data-button='centre']")
    page.mouse.down()
    page.wait_for_timeout(900)
    page.wait_for_selector("[data-button='centre'].holding")
    page.mouse.up()
    page.focus("[data-button='call']")
    page.keyboard.down("Enter")
    page.wait_for_timeout(300)
    page.keyboard.up("Enter")
    holds(page, "document.querySelectorAll('#lines li.k-person').length >= 2")
    first, second = sent(page, "press", 2)
    assert first["button"] == "centre"
    assert 850 <= first["hold_ms"] <= 3000
    assert second["button"] == "call"
    assert 250 <= second["hold_ms"] <= 2000


@pytest.mark.req("ZB-02")
def test_one_mouse_holds_two_keys(visit):
    page = visit()
    page.click("[data-button='centre']", modifiers=["Shift"])
    page.wait_for_selector("[data-button='centre'].down")
    page.hover("[data-button='call']")
    page.mouse.down()
    page.wait_for_timeout(5400)
    page.mouse.up()
    holds(page, "!document.querySelector('.key.down')")  # what was pressed is shown for a moment more
    assert sorted(step["button"] for step in sent(page, "press", 2)) == ["call", "centre"]
    assert all(step["hold_ms"] >= 5000 for step in sent(page, "press", 2))
    page.wait_for_selector("#screen .s-open time")  # registration is open
    row(page, "감지기를 등록합니다")


def test_switches_send_their_steps_and_show_what_is(visit):
    page = visit()
    for name in ("mains", "voice", "data", "relay", "monitor"):
        page.click(f".switch[data-name='{name}']")
        page.wait_for_selector(f".switch[data-name='{name}'][aria-checked='false']")
    page.wait_for_selector("#screen .cut")
    page.click(".switch[data-name='monitor']")
    page.wait_for_selector(".switch[data-name='monitor'][aria-checked='true']")
    for choice in ("[aria-label='무선 칩'] [data-value='hang']", "[aria-label='모뎀'] [data-value='no_sim']"):
        page.click(choice)
        page.wait_for_selector(f"{choice}[aria-checked='true']")
    page.click("[aria-label='모뎀'] [data-value='reset']")
    page.wait_for_selector("[aria-label='모뎀'] [data-value='none'][aria-checked='true']")
    holds(page, "document.querySelectorAll('#lines li.k-person').length >= 9")
    assert sent(page, "mains", 1) == [{"do": "mains", "on": False}]
    assert sent(page, "modem", 4) == [{"do": "modem", "voice": False}, {"do": "modem", "data": False},
                                   {"do": "modem", "fault": "no_sim"}, {"do": "modem", "fault": "reset"}]
    assert sent(page, "relay", 1) == [{"do": "relay", "up": False}]
    assert sent(page, "ncp", 1) == [{"do": "ncp", "fault": "hang"}]
    assert sent(page, "monitor", 2) == [{"do": "monitor", "attached": False}, {"do": "monitor", "attached": True}]
    assert not page.locator(".toast").count()  # the simulator refused none of it


def test_power_cut_darkens_the_gateway_and_it_comes_back(visit):
    page = visit()
    page.click(".cut-power")
    view(page, "off")
    fast(page)
    view(page, "starting")
    view(page, "home")


def test_walking_and_the_door(visit):
    page = visit()
    page.click(".room[data-place='침실']", position={"x": 20, "y": 60})
    page.click("text=문 열기")
    page.wait_for_selector("#plan.door-open")
    page.focus(".room[data-place='부엌']")
    page.keyboard.press("Enter")
    holds(page, "document.querySelectorAll('#lines li.k-person').length >= 3")
    assert [step["place"] for step in sent(page, "move", 2)] == ["침실", "부엌"]
    assert not page.locator(".toast").count()


def test_test_mode_is_entered_and_left_on_the_screen(visit):
    page = visit()
    page.click("#screen button:has-text('시험 모드')")
    page.wait_for_selector("#screen.test")
    record(page, "test.entered")
    page.click("#screen button:has-text('시험 끝내기')")
    page.wait_for_selector("#screen:not(.test)")
    record(page, "test.left")


def test_language_is_switched_and_remembered(visit):
    page = visit()
    page.click("#language")
    assert page.locator("h2:has-text('119 desk')").count() == 1
    assert page.evaluate("document.documentElement.lang") == "en"
    page.reload()
    page.wait_for_selector("h2:has-text('119 desk')")
    korean = page.evaluate("""() => [...document.querySelectorAll('button, h1, h2, label, legend, .hint, .label')]
        .filter(node => node.offsetParent && /[가-힣]/.test(node.textContent) && node.id !== 'language')
        .map(node => node.textContent)""")
    assert korean == []
    page.click("#language")
    assert page.locator("h2:has-text('119 상황실')").count() == 1


@pytest.mark.parametrize(("locale", "language"), [("ko-KR", "ko"), ("ko", "ko"), ("en-US", "en"), ("fr-FR", "en")])
def test_the_first_visit_is_in_the_browsers_language(browser, home, locale, language):
    context = browser.new_context(locale=locale)
    page = context.new_page()
    page.goto(home)
    holds(page, "language => document.documentElement.lang === language", language)
    assert page.locator("h2:has-text('Break something')").count() == (language == "en")
    context.close()


def test_what_was_refused_is_shown_until_something_is_done(visit):
    page = visit()
    page.click(".order summary")
    page.fill("#order_fields", "x")
    page.click("#order button")
    page.wait_for_selector(".toast:has-text('할 수 없었습니다')")
    page.click("text=문 열기")
    page.wait_for_selector(".toast", state="detached", timeout=3000)


def test_details_of_a_record_can_be_read(visit):
    page = visit(fresh=False)
    record = {"boot": 1, "seq": 2, "kind": "activity", "from": 1795904772000, "mask": "0" * 37 + "5", "known": [1, 1],
              "troubles": [], "state": {"up": 5, "since": 1795904772000, "of": None}, "id": "c-4c334e76610b"}
    assert page.evaluate("record => import('/static/words.js').then(words => words.recordDetail(record))", record) == (
        "from 07:26:12 · mask 0000… (38) · known 1, 1 · troubles – · state (up 5, since 07:26:12, of null)"
        " · id c-4c334e76610b")


def test_what_the_system_says_again_is_counted_in_one_row(visit):
    page = visit()
    said = ["link: open: 1"] + ["link: tls: 1"] * 3
    add = """said => import('/static/log.js').then(log => log.add(
        said.map((text, n) => ({t: 99000 + n, what: "log", level: "info", text})), said.map(() => null)))"""
    page.evaluate(add, said)
    page.evaluate(add, ["link: tls: 1"])
    rows = """[...document.querySelectorAll('#lines li .text')].map(each => each.textContent)
        .filter(each => /link: .*1/.test(each))"""
    assert page.evaluate(rows) == ["info link: tls: 1 ×4", "info link: open: 1"]
    page.click("#language")  # all is drawn again
    assert page.evaluate(rows) == ["info link: tls: 1 ×4", "info link: open: 1"]


@pytest.mark.parametrize("language", ["ko", "en"])
def test_on_a_low_screen_the_keys_are_in_sight(visit, language):
    page = visit(800, 480, language, fresh=False)
    page.wait_for_selector("#lines li:not(.empty)")
    for key in page.locator(".key").all():
        box = key.bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= 480
    assert page.evaluate("document.documentElement.scrollWidth") <= 800


def test_mute_is_remembered_and_plays_nothing(visit):
    page = visit()
    page.click("#mute")
    page.click("[data-button='119']")
    view(page, "prompt")
    page.wait_for_selector("#grille.speaking")
    assert page.evaluate("window.played") == []
    page.reload()
    page.wait_for_selector("#mute[aria-pressed='true']")


def test_timeline_is_filtered_searched_and_opened(visit):
    page = visit()
    page.click("text=문 열기")
    row(page, "문 열기")
    page.click("#filters .k-person")
    holds(page, "!document.querySelector('#lines li.k-person')")
    page.click("#filters .k-person")
    page.fill("#search", "현관")
    holds(page, "[...document.querySelectorAll('#lines li')]"
                ".every(li => JSON.stringify(li.raw).includes('현관'))")
    page.click("#lines li.k-person")
    raw = json.loads(page.locator("#lines pre").inner_text())
    assert raw["step"] == {"do": "door", "sensor": "현관 출입감지기", "open": True}


def test_another_page_sees_the_same_home(visit):
    one = visit()
    two = visit(fresh=False)
    one.click("text=연기 내기")
    two.wait_for_selector("#plan.smoking")
    view(two, "prompt")
    two.click(".key-cancel")
    view(one, "cancelled")


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1920, 1080), (390, 844)])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_nothing_overflows_sideways(visit, width, height, language):
    page = visit(width, height, fresh=False)
    if language == "en":
        page.click("#language")
    page.wait_for_selector("#lines li:not(.empty)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    cut = page.evaluate("""() => [...document.querySelectorAll('button, h1, h2, .label, .hint span')]
        .filter(node => node.offsetParent).filter(node => {
          const box = node.getBoundingClientRect();
          return box.left < -1 || box.right > innerWidth + 1 || node.scrollWidth > node.clientWidth + 2;
        }).map(node => node.textContent)""")
    assert cut == []


def test_every_control_has_a_name_and_can_be_reached(visit):
    page = visit(fresh=False)
    page.wait_for_selector("#lines li:not(.empty)")
    nameless = page.evaluate("""() => [...document.querySelectorAll('button, input, [role=button]')]
        .filter(node => !(node.getAttribute('aria-label') || node.textContent.trim())).map(node => node.outerHTML)""")
    assert nameless == []
    unreachable = page.evaluate("""() => [...document.querySelectorAll('button:not(:disabled), [role=button]')]
        .filter(node => node.tabIndex < 0 && node.getAttribute('role') !== 'radio').map(node => node.outerHTML)""")
    assert unreachable == []


@pytest.mark.req("ZB-02")
@pytest.mark.req("ZB-03")
@pytest.mark.req("ZB-09")
def test_a_sensor_from_its_box_is_registered_named_used_and_removed(visit):
    page = visit()
    page.click("#shelf summary")
    page.click("#screen button:has-text('감지기')")
    page.wait_for_selector("#screen .s-sensor:nth-child(4)")
    page.click("#screen button:has-text('감지기 등록')")
    page.wait_for_selector("#screen .s-open time")
    page.select_option("#box_product", "door|")
    page.click("#box_on")
    page.wait_for_selector("#screen .s-ok:has-text('등록되었습니다')")
    record(page, "sensor.joined")
    page.wait_for_selector("#devices li:last-child em.joined")
    fast(page)  # the list is told every 10 s
    page.click("#screen .s-sensor:nth-child(5) .s-name")
    fast(page, 1)
    page.fill("#screen .s-form input[name='name']", "베란다 문")
    page.fill("#screen .s-form input[name='place']", "베란다")
    page.click("#screen .s-form button:has-text('저장')")
    page.wait_for_selector("#screen .s-sensor:has-text('베란다 문')")
    page.click("#devices li:last-child button:has-text('문 열기')")
    record(page, "door.opened")
    row(page, "출입문이 열렸습니다")
    page.click("#screen .s-sensor:has-text('베란다 문') .s-name")
    page.click("#screen .s-form button:has-text('삭제')")
    page.click("#screen .s-form button:has-text('정말 삭제')")
    record(page, "sensor.left")


def test_a_name_that_is_being_typed_stays_while_the_screen_changes(visit):
    page = visit()
    page.click("#screen button:has-text('감지기')")
    page.click("#screen .s-sensor:nth-child(1) .s-name")
    page.fill("#screen .s-form input[name='name']", "새 이름")
    fast(page, 60)  # the clock on the screen goes on
    page.focus("#screen .s-form input[name='name']")
    page.wait_for_timeout(2500)
    assert page.input_value("#screen .s-form input[name='name']") == "새 이름"


def test_a_page_loaded_anew_knows_what_was_unboxed(visit):
    page = visit()
    page.click("#shelf summary")
    page.click("#box_on")
    page.wait_for_selector("#devices li[data-sensor='새 감지기 1']")
    page.reload()
    page.click("#shelf summary")
    page.wait_for_selector("#devices li[data-sensor='새 감지기 1']")
    page.click("#box_on")
    page.wait_for_selector("#devices li[data-sensor='새 감지기 2']")
    one, two = sent(page, "pair", 2)
    assert one["ieee"] != two["ieee"]


@pytest.mark.req("ZB-05")
def test_with_codes_required_a_sensor_gets_in_by_its_label_only(visit):
    page = visit()
    page.click("#shelf summary")
    page.click("#screen button:has-text('감지기')")
    page.click("#screen .s-set:has-text('설치 코드가 있어야') button:has-text('켜기')")
    record(page, "settings.changed")
    page.click("#screen button:has-text('감지기 등록')")
    page.check("#box_code")
    page.click("#box_on")
    label = page.locator("#devices .label").inner_text()
    ieee, code = label.split(" · ")
    page.fill("#screen input[name='ieee']", ieee)
    page.fill("#screen input[name='code']", code)
    page.click("#screen button:has-text('설치 코드 넣기')")
    page.wait_for_selector("#screen .s-ok:has-text('설치 코드를 받았습니다')")
    fast(page)
    page.wait_for_selector("#screen .s-ok:has-text('등록되었습니다')")
    record(page, "sensor.joined")


def test_the_list_goes_on_after_ten_minutes_and_after_a_power_cut(visit):
    page = visit()
    page.click("#screen button:has-text('감지기')")
    page.wait_for_selector("#screen .s-sensor:nth-child(4)")
    first = page.evaluate("document.querySelector('#clock').textContent")
    fast(page, 600)
    heard = "[...document.querySelectorAll('#screen .s-sensor .s-heard')].map(each => each.textContent)"
    page.wait_for_timeout(4000)  # 40 minutes
    assert page.evaluate("document.querySelector('#clock').textContent") != first
    fast(page, 1)
    holds(page, f"{heard}.some(each => parseInt(each) >= 12)")  # the door says something every 4 h only
    page.click(".cut-power")
    fast(page)
    view(page, "off")
    view(page, "home")
    fast(page, 1)
    page.wait_for_selector("#screen .s-sensor:nth-child(4)")
    assert not page.locator("#lines li.k-person:has-text('sensors.show')").count()


def test_a_mistyped_code_is_said_in_korean_and_buttons_stay_in_sight(visit):
    page = visit()
    page.click("#screen button:has-text('감지기')")
    page.fill("#screen input[name='ieee']", "00124b00c0de0001")
    page.fill("#screen input[name='code']", "83FED3407A939723A5C639B26916D505C3B0")
    page.click("#screen button:has-text('설치 코드 넣기')")
    page.wait_for_selector("#screen .s-notice:has-text('코드를 다시 확인해 주세요')")
    page.click("#screen button:has-text('감지기 등록')")
    page.wait_for_selector("#screen .s-open time")
    assert page.evaluate("""() => { const box = document.querySelector('#screen .s-register');
        return box.scrollHeight - box.clientHeight; }""") <= 1
    page.click("#screen button:has-text('닫기')")
    page.wait_for_selector("#screen .view-home .s-open")
    inside = """() => { const box = document.querySelector('#screen').getBoundingClientRect();
        return [...document.querySelectorAll('#screen .s-touch button')].every(each => {
          const at = each.getBoundingClientRect(); return at.bottom <= box.bottom && at.right <= box.right; }); }"""
    assert page.evaluate(inside)
