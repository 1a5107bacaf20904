"""What the gateway says, in Korean, by name.

Owns the wording of every spoken text. The prompts and reports are those of the specification of
the service's in-home equipment, to the letter; the rest is ours and says only what is true at
that moment. Must never hold a text that is not spoken. `tools/sound.py` renders these names to
`sound/<name>.wav`; the speaker and the modem are told the name.
"""

PROMPTS = ("prompt_fire", "prompt_call", "prompt_manual")
REPORTS = ("report_fire", "report_call")

TEXTS = {
    # Fixed by the specification: spoken twice into the room before 119 is dialled.
    "prompt_fire": "화재가 감지되었습니다. 실제 상황이 아니라면 취소버튼을 눌러주십시오",
    "prompt_call": "응급호출이 감지되었습니다. 실제 상황이 아니라면 취소버튼을 눌러주십시오",
    "prompt_manual": "119로 연결합니다. 실제 상황이 아니라면 취소버튼을 눌러주십시오",
    # Fixed by the specification: spoken twice into the call to 119.
    "report_fire": "화재발생! 안심콜 시스템 확인 요청",
    "report_call": "응급호출! 안심콜 시스템 확인 요청",
    # Ours: how far the call for help has got.
    "cancelled": "취소되었습니다. 119에 전화하지 않습니다",
    "dialling": "119에 전화를 걸고 있습니다",
    "dialling_test": "시험 전화를 걸고 있습니다",
    "retrying": "연결되지 않아 다시 전화합니다",
    "ended": "119 통화가 끝났습니다",
    "ended_test": "통화 시험을 마쳤습니다",
    "silenced": "경보음을 껐습니다",
    "test_entered": "테스트 모드입니다. 10분 뒤에 끝납니다",
    "test_extended": "테스트 모드를 10분 연장합니다",
    "test_ending": "테스트 모드를 마칩니다",
    "test_refused": "시험 전화번호가 없어 시작할 수 없습니다",
    # Fixed by the specification: the door.
    "door_opened": "출입문이 열렸습니다",
    "door_closed": "출입문이 닫혔습니다",
    # Ours: what somebody should see to, said by day.
    "lost_smoke": "화재감지기와 연결이 끊겼습니다. 119 버튼은 쓸 수 있습니다",
    "lost_pendant": "응급호출기와 연결이 끊겼습니다. 급할 때는 119 버튼을 눌러 주세요",
    "battery_replace": "감지기의 건전지를 갈아 주세요",
    # Ours: putting sensors in.
    "register_open": "감지기를 등록합니다. 감지기의 버튼을 눌러 주세요",
    "register_joined": "감지기를 등록했습니다",
    "register_refused": "이 감지기는 등록할 수 없습니다",
    "register_closed": "등록을 마칩니다",
}
