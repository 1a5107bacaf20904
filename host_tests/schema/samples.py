"""One good record of every form, and one good message of every topic, as the firmware sends them."""

AT = 1772323200000
KITCHEN = {"sensor": "부엌 화재", "ieee": "00124b0000000001", "place": "부엌"}
LADDER = {"pressed": 0, "heard": 0, "prompting": 0, "dialling": 15000, "answered": 21000, "reported": 39000,
          "closed": 51000}
CELL = {"percent": 85, "mv": 2600}
STATE = {"version": "0.1.0", "boot": 12, "up": 5, "armed": True, "mains": True, "waiting": 0, "sensors": 4,
         "troubles": ["전화 모듈을 준비하고 있습니다"]}


def record(kind: str, **fields) -> dict:
    return {"boot": 12, "seq": 34, "up": 86400000, "at": AT, "clock": "set", "kind": kind, "test": False, **fields}


def _event(name: str, **fields) -> dict:
    return record("event", event=name, **fields)


def _test(name: str, **fields) -> dict:
    return {**_event(name, **fields), "test": True}


EVENTS = {  # a definition of event.json: records of it, the fullest first
    "emergency.triggered": [_event("emergency.triggered", incident=1, cause="fire", source="부엌 화재", **KITCHEN),
                            _event("emergency.triggered", incident=1, cause="button", source="119"),
                            _event("emergency.triggered", incident=1, cause="call", source="?")],
    "emergency.dialled": [_event("emergency.dialled", incident=1, number="119", attempt=1)],
    "call.ended": [_event("call.ended", incident=1, number="119", attempt=1, outcome="busy")],
    "emergency.answered": [_event("emergency.answered", incident=1, number="119", attempt=2)],
    "emergency.cancelled": [_event("emergency.cancelled", incident=1, by="care", causes=["fire"], after_ms=900,
                                   ladder=LADDER, **KITCHEN),
                            _event("emergency.cancelled", incident=1, by="목걸이", causes=["fire", "call"], after_ms=0,
                                   ladder={"pressed": 0, "heard": 0, "closed": 3})],
    "emergency.ended:answered": [_event("emergency.ended", incident=1, outcome="answered", number="119",
                                        causes=["button"], started=AT, ended=None, ladder=LADDER)],
    "emergency.ended:test_over": [_test("emergency.ended", incident=1, outcome="test_over", number="")],
    "emergency.ended:in_test": [_test("emergency.ended", outcome="superseded", number="01012345678"),
                                _test("emergency.ended", outcome="reset_in_test", number="")],
    "emergency.withdrawn": [_event("emergency.withdrawn", incident=1, by="care", causes=["call"], **KITCHEN)],
    "emergency.alarm_silenced": [_event("emergency.alarm_silenced", incident=1, by="gateway")],
    "door.opened": [_event("door.opened", **KITCHEN)],
    "door.closed": [_event("door.closed", **KITCHEN)],
    "sensor.link": [_event("sensor.link", now="lost", before="weak", dbm=-80, heard=AT, **KITCHEN),
                    _event("sensor.link", now="good", before="lost", dbm=None, heard=None, **KITCHEN)],
    "sensor.battery": [_event("sensor.battery", state="replace", radio_mv=2900, days=0, **CELL, **KITCHEN),
                       _event("sensor.battery", state="good", percent=None, mv=None, **KITCHEN)],
    "sensor.tamper": [_event("sensor.tamper", on=True, **KITCHEN)],
    "sensor.fault": [_event("sensor.fault", fault="stuck", on=False, **KITCHEN)],
    "sensor.joined": [_event("sensor.joined", sensor_kind="smoke", maker="", model="SD-8", code=True, **KITCHEN)],
    "sensor.left": [_event("sensor.left", why="replaced", **KITCHEN)],
    "sensor.refused:reason": [_event("sensor.refused", ieee="00124b0000000009", reason="no_code")],
    "sensor.refused:unknown": [_event("sensor.refused", ieee="00124b0000000009", reason="unknown", value=1)],
    "gateway.booted": [_event("gateway.booted", reason="power", version="0.1.0", safe=False)],
    "gateway.fault:task": [_event("gateway.fault", fault="task", task="screen", error="OSError(5)")],
    "gateway.fault:button_stuck": [_event("gateway.fault", fault="button_stuck", button="119")],
    "gateway.fault:file": [_event("gateway.fault", fault="file", file="settings.json")],
    "gateway.fault:store": [_event("gateway.fault", fault="store", block="sensors", what="cannot be read")],
    "gateway.fault:takeover": [_event("gateway.fault", fault="takeover", error="the code is wrong")],
    "gateway.fault:radio_chip": [_event("gateway.fault", fault="radio_chip", reason="no_backup")],
    "gateway.fault:radio_silence": [_event("gateway.fault", fault="radio_silence", asked=3, answered=0, **{"from": AT}),
                                    _event("gateway.fault", fault="interference", asked=9, answered=2,
                                           **{"from": None})],
    "gateway.fault:flood": [_event("gateway.fault", fault="flood")],
    "gateway.fault:queue": [_event("gateway.fault", fault="queue", what="sector 7 cannot be erased")],
    "gateway.fault:link": [_event("gateway.fault", fault="link", what="certificate")],
    "gateway.recovered:radio_chip": [_event("gateway.recovered", fault="radio_chip", reason="silent", down_ms=4000)],
    "gateway.recovered:blind": [_event("gateway.recovered", fault="blind", why="start", to=AT, **{"from": None})],
    "gateway.recovered:radio_silence": [_event("gateway.recovered", fault="interference", to=AT, **{"from": AT})],
    "gateway.recovered:flood": [_event("gateway.recovered", fault="flood")],
    "gateway.recovered:link": [_event("gateway.recovered", fault="link", why="network", down_ms=1296000000)],
    "queue.dropped": [_event("queue.dropped", stream="periodic", count=250, first=[3, 1], last=[12, 30])],
    "settings.changed": [_event("settings.changed", setting="status_period_h", value=2, by="care")],
    "test.entered": [_test("test.entered", minutes=10)],
    "test.extended": [_test("test.extended", minutes=10)],
    "test.left": [_test("test.left", why="real")],
    "command.done": [_event("command.done", id="c-7f3a", state=STATE), _event("command.done", id="c-7f3a")],
    "command.refused": [_event("command.refused", id="c-7f3a", reason="unknown command")],
}

PERIODIC = {
    "status": [
        record("status", type="smoke", now="good", before="weak", dbm=-27, value=False, heard=AT, state="good",
               radio_mv=3000, days=300, temperature=21.5, tamper=True, trouble=True, stuck=True, covered=True,
               battery_suspect=True, **CELL, **KITCHEN),
        record("status", type="activity", now="good", before="good", dbm=None, value=1073741823, heard=None,
               state=None, percent=None, mv=None, **KITCHEN)],
    "activity": [
        record("activity", mask="3" + 37 * "f", known=[1, 1, 0, 1, 1], **KITCHEN, **{"from": AT}),
        {**record("activity", mask=38 * "0", known=[0, 0, 0, 0, 0], from_up=300000, **KITCHEN), "from": None,
         "at": None, "clock": "unset"}],
}

UNDATED = {"at": None, "clock": "unset"}
MESSAGES = {  # a topic: its messages
    "up/event": [{"boot": 12, "batch": 57, "records": [EVENTS["queue.dropped"][0], EVENTS["door.opened"][0]]}],
    "up/data": [{"boot": 12, "batch": 58, "records": [PERIODIC["status"][0], PERIODIC["activity"][0]]}],
    "up/beat": [{"boot": 12, "up": 86400000, "at": AT, "clock": "set", "every": 60, "mains": True, "waiting": 0},
                {"boot": 12, "up": 1, **UNDATED, "every": 900, "mains": False, "waiting": 25000,
                 "test": True}],
    "up/link": [{"link": "up", "boot": 12, "up": 2412, **UNDATED, "version": "0.1.0", "counter": AT},
                {"link": "lost"}, {"link": "down"}],
    "down/ack": [{"boot": 12, "batch": 57}],
    "down/command": [{"id": "c-7f3a", "counter": AT + 1, "expires": AT + 300000, "name": "settings.set",
                      "setting": "status_period_h", "value": 2},
                     {"id": "c-1", "counter": 1, "expires": AT, "name": "time", "at": AT},
                     {"id": "c-2", "counter": 2**53, "expires": AT, "name": "smoke.silence"}],
}
