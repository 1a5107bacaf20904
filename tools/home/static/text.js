// Every word of the page in Korean and English, and English glosses of what the gateway says.
// Owns the choice of language. Must never change what the firmware itself says.

const WORDS = {
  title: ["모의 가정", "Simulated home"],
  subtitle: ["응급 게이트웨이의 실제 펌웨어가 이 집을 지킵니다", "the real firmware of an emergency gateway looks after this home"],
  clock_label: ["모의 가정의 시각", "Time in the simulated home"], speed_label: ["시간 빠르기", "Speed of time"],
  sound: ["소리", "Sound"], restart: ["처음부터", "Restart"], language: ["English", "한국어"],
  mute_label: ["소리 끄기", "Mute"], hint_now: ["지금", "Now"], restart_home: ["모의 가정 다시 시작", "Restart the home"],
  gateway: ["게이트웨이", "Gateway"], screen: ["게이트웨이 화면", "Screen of the gateway"], rooms: ["방", "Rooms"], desk: ["119 상황실", "119 desk"], faults: ["고장 내 보기", "Break something"],
  faults_note: ["그래도 119는 걸려야 합니다", "119 must still be dialled"], booting: ["켜지는 중", "Starting"], beacon: ["경광등", "Beacon"],
  beacon_on: ["경광등이 켜짐", "Beacon is flashing"], key_119: ["응급", "Emergency"], key_centre: ["센터", "Centre"], key_call: ["통화", "Call"], key_cancel: ["취소", "Cancel"],
  lamp_on: ["불 켜짐", "lit"], hold_s: ["초", "s"], keys_hint: ["두 버튼 함께: 두 손가락으로, 또는 하나를 Shift+클릭하면 눌린 채로 있습니다. 그다음 다른 하나를 길게 누르세요", "Two keys at once: two fingers; or Shift+click one and it stays down, then hold the other"], rooms_hint: ["방을 누르면 그리로 걸어갑니다", "Press a room to walk there"],
  pick_up: ["받기", "Answer"], hang_up: ["끊기", "Hang up"], policy: ["119에 전화가 오면", "When 119 is called"],
  desk_auto: ["3초 뒤 받음", "After 3 s"], desk_manual: ["직접 받기", "By hand"], desk_busy: ["통화 중", "Busy"], desk_no_answer: ["안 받음", "No answer"], desk_drop: ["끊어짐", "Drops"],
  heard: ["상황실이 듣는 말", "What the operator hears"], heard_empty: ["전화가 오면 상황실이 듣는 말이 여기에 나옵니다", "What the operator hears appears here"],
  log: ["일어난 일", "Timeline"], filter: ["걸러 보기", "Filter"], search: ["찾기", "Search"], records: ["중계서버가 저장한 기록", "Records the relay has stored"],
  log_empty: ["아직 아무 일도 없습니다", "Nothing has happened yet"], records_empty: ["기록이 저장되면 여기에 쌓입니다", "Records appear here once they are stored"],
  k_person: ["사람", "Person"], k_voice: ["음성", "Voice"], k_call: ["전화", "Call"], k_sensor: ["감지기", "Sensor"], k_panel: ["화면·램프", "Panel"], k_record: ["기록", "Record"], k_system: ["시스템", "System"],
  mains: ["전원", "Mains"], voice: ["음성망", "Voice"], data: ["데이터망", "Data"], relay: ["중계서버", "Relay"], monitor: ["모니터", "Monitor"],
  on: ["정상", "working"], off: ["끊김", "off"], ncp: ["무선 칩", "Radio"], modem: ["모뎀", "Modem"],
  f_none: ["정상", "OK"], f_hang: ["멈춤", "Hang"], f_reset: ["재시작", "Reset"], f_garbage: ["쓰레기값", "Garbage"], f_no_sim: ["유심 없음", "No SIM"],
  power_cut: ["완전 정전 5초", "Cut all power 5 s"],
  smoke_on: ["연기 내기", "Make smoke"], smoke_off: ["연기 걷기", "Clear smoke"], door_open: ["문 열기", "Open door"], door_close: ["문 닫기", "Close door"],
  pendant: ["응급호출기", "Pendant"], pendant_call: ["응급", "Help"], pendant_cancel: ["취소", "Cancel"], confirmed: ["게이트웨이가 받았어요", "The gateway heard it"], walk_to: ["걸어가기", "walk here"],
  living: ["거실", "Living room"], kitchen: ["부엌", "Kitchen"], bedroom: ["침실", "Bedroom"], bathroom: ["화장실", "Bathroom"], entrance: ["현관", "Entrance"],
  desk_idle: ["대기", "Idle"], desk_ringing: ["울리는 중", "Ringing"], desk_active: ["통화 중", "On the line"],
  desk_idle_title: ["걸려 온 전화가 없습니다", "No call"], desk_idle_sub: ["게이트웨이가 119에 걸면 여기가 울립니다", "It rings here when the gateway dials 119"],
  desk_ringing_title: ["전화가 울립니다", "The phone rings"], desk_active_title: ["대상자 댁과 통화 중", "Talking with the home"], desk_dialling_title: ["전화가 걸리고 있습니다", "A call is coming in"],
  desk_no_attempts: ["", ""], attempt: ["번째 시도", "attempt"], to_number: ["받는 번호", "number called"],
  call_ended: ["통화 끝", "Call ended"], call_failed: ["연결 안 됨", "Not connected"], call_answered: ["전화를 받음", "Answered"],
  not_ready: ["준비 중", "Getting ready"], ready: ["119 연결 준비됨", "Ready to call 119"], on_battery: ["배터리로 동작 중", "On battery"], mains_ok: ["전원", "Mains"], relay_ok: ["중계서버", "Relay"], relay_off: ["중계서버 끊김", "Relay cut off"],
  to_dial: ["초 뒤 119에 전화합니다", "s until 119 is called"], to_dial_test: ["초 뒤 시험 번호로 겁니다", "s until the test number is called"], calling: ["전화를 거는 중", "Calling"],
  touch_test: ["시험 모드", "Test mode"], touch_leave: ["시험 끝내기", "Leave test mode"], touch_extend: ["10분 더", "10 min more"], touch_real: ["진짜입니다 · 119", "This is real · 119"], touch_silence: ["감지기 소리 끄기", "Silence the detector"],
  touch_sensors: ["감지기", "Sensors"], touch_register: ["감지기 등록", "Register a sensor"], touch_close: ["닫기", "Close"], touch_stop: ["그만", "Stop"], sensors: ["감지기", "Sensors"],
  registering: ["감지기 등록 중", "Registering sensors"], registered_end: ["등록을 마쳤습니다", "Registration is closed"], code_needed: ["설치 코드를 넣은 감지기만 들어올 수 있습니다", "Only sensors whose install code was entered can come in"], replaces: ["새 감지기가 ‘%s’ 자리를 이어받습니다", "The new one takes the place of ‘%s’"],
  link_good: ["좋음", "good"], link_weak: ["약함", "weak"], link_lost: ["끊김", "lost"], link_unknown: ["확인 중", "not known yet"], not_done: ["등록 중", "not done yet"],
  never_heard: ["소식 없음", "not heard yet"], just_now: ["방금", "just now"], min_ago: ["%s분 전", "%s min ago"], h_ago: ["%s시간 전", "%s h ago"],
  field_name: ["이름", "name"], field_place: ["장소", "place"], save: ["저장", "Save"], replace: ["교체", "Replace"], remove: ["삭제", "Remove"], remove_sure: ["정말 삭제", "Really remove"],
  kind_smoke: ["화재감지기", "smoke detector"], kind_call_button: ["응급호출기", "pendant"], kind_door: ["출입감지기", "door sensor"], kind_activity: ["활동량감지기", "activity sensor"],
  shelf: ["이 집의 감지기와 새 감지기", "The sensors of this home, and new ones"], box: ["새 감지기", "A new sensor"], box_product: ["제품", "Product"], box_place: ["놓을 곳", "Room"], box_on: ["상자에서 꺼내 켜기", "Unbox and switch on"],
  box_code: ["설치 코드 있음", "with an install code"], field_ieee: ["기기 주소 (16자리)", "address (16 digits)"], field_code: ["설치 코드", "install code"], give_code: ["설치 코드 넣기", "Enter the code"],
  set_install_code_required: ["설치 코드가 있어야 등록", "Install code required"], set_door_announce: ["출입문 음성 안내", "Door announcements"], set_status_period_h: ["상태 보고 주기(시간)", "Status every (hours)"], set_on: ["켜기", "on"], set_off: ["끄기", "off"],
  takeover: ["기기 교체", "Replacing this gateway"], takeover_make: ["인수 파일 만들기", "Make the takeover file"],
  own_profile: ["전용 감지기", "made for this gateway"], new_sensor: ["새 감지기", "New sensor"], radio_off: ["무선 끄기", "Radio off"], radio_back: ["무선 켜기", "Radio on"],
  air_looking: ["게이트웨이를 찾는 중", "looking for the gateway"], air_joined: ["네트워크에 들어옴", "on the network"], air_not_joined: ["들어가지 못함", "not let in"], air_left: ["나감", "has left"],
  f_unplugged: ["빠짐", "Unplugged"], f_replace: ["새 칩", "New chip"], pair: ["새 감지기", "A new sensor"],
  test_badge: ["시험 모드", "TEST MODE"], monitor_cut: ["모니터가 분리되었습니다", "The monitor is detached"], no_power: ["", ""],
  v_home: ["", ""], v_prompt: ["곧 119에 전화합니다", "119 will be called"], v_dialling: ["119에 전화를 거는 중", "Calling 119"], v_reporting: ["119가 받았습니다", "119 has answered"],
  v_talking: ["119와 통화 중", "Talking with 119"], v_cancelled: ["취소되었습니다", "Cancelled"], v_ended: ["통화가 끝났습니다", "The call has ended"], v_test: ["시험 모드", "Test mode"],
  cause_fire: ["화재 감지", "Fire detected"], cause_call: ["응급호출", "Pendant pressed"], cause_button: ["119 버튼", "119 button"],
  l_pressed: ["눌림", "Pressed"], l_heard: ["들음", "Heard"], l_prompting: ["안내", "Prompt"], l_dialling: ["전화 거는 중", "Dialling"], l_answered: ["받음", "Answered"], l_reported: ["신고됨", "Reported"], l_closed: ["종료", "Closed"], l_acknowledged: ["관제 확인", "Relay has it"],
  h_off: ["게이트웨이에 전원도 배터리도 없습니다. 곧 다시 켜집니다", "The gateway has neither mains nor battery. It comes back soon"],
  h_starting: ["게이트웨이가 켜지고 있습니다. 빨간 119 버튼은 바로 쓸 수 있습니다", "The gateway is starting. The red 119 button already works"], h_home: ["빨간 119 버튼을 누르거나 연기를 내 보세요", "Press the red 119 button, or make smoke in the kitchen"],
  h_prompt: ["안내가 두 번 나갑니다. 그 안에 초록색 취소를 누르면 아무 데도 전화하지 않습니다", "The prompt is spoken twice. Press the green cancel in that time and nobody is called"],
  h_dialling: ["119에 거는 중입니다. 119 상황실에서 받거나 ‘통화 중’으로 바꿔 보세요", "119 is being called. Answer at the 119 desk, or make it busy"],
  h_reporting: ["119가 받았습니다. 신고 문장을 두 번 말하고 나면 통화가 이어집니다", "119 answered. The report is spoken twice, then the line is open"],
  h_talking: ["통화가 열려 있습니다. 취소 버튼으로는 끊기지 않습니다. 상황실에서 끊어 보세요", "The line is open. The cancel button does not end it: hang up at the desk"],
  h_cancelled: ["취소되었습니다. 전화는 나가지 않았고, 취소했다는 기록만 중계서버로 갔습니다", "Cancelled. No call was placed; only the record of the cancel went to the relay"],
  h_ended: ["통화가 끝났습니다. 아래에서 중계서버가 저장한 기록을 보세요", "The call has ended. See below what the relay has stored"],
  h_test: ["시험 모드입니다. 119 대신 시험 번호로 걸고, 10분 뒤 저절로 끝납니다", "Test mode: the test number is called instead of 119. It ends by itself after 10 min"],
  h_fast: ["배속 중에는 소리를 내지 않습니다", "No sound while time runs fast"], h_sound: ["페이지를 한 번 누르면 소리가 납니다", "Click the page once to hear it"],
  can_cancel: ["실제 상황이 아니라면 취소버튼을 눌러주십시오", "If this is not a real emergency, press cancel"], test_ends: ["%s분 뒤 저절로 끝납니다", "Ends by itself in %s min"],
  lost: ["서버와 끊어졌습니다. 다시 잇는 중입니다…", "The server is gone. Reconnecting…"], dead: ["모의 가정이 멈췄습니다 (종료 코드 %s). 마지막으로 남긴 말:", "The simulated home has stopped (exit status %s). Its last words:"], dead_silent: ["(아무 말도 남기지 않았습니다)", "(it left no words)"],
  link_up: ["게이트웨이와 연결됨", "The gateway’s link is up"], link_cut: ["게이트웨이와 연결 끊김", "The gateway’s link is down"], link_none: ["게이트웨이가 아직 연결하지 않았습니다", "The gateway has not connected yet"], link_silent: ["소식이 없습니다", "it is silent"],
  relay_starting: ["중계서버를 켜는 중", "The relay is starting"], relay_dead: ["중계서버가 멈췄습니다. 다시 켭니다", "The relay has stopped and is started again"],
  waiting: ["게이트웨이에 남은 기록 %n개 (%s)", "%n records wait in the gateway (%s)"], committed: ["마지막 저장", "last stored"], repeats: ["되풀이", "repeats"], conflicts: ["어긋난 기록", "contradictions"],
  by_mosquitto: ["mosquitto와 실제 중계서버", "mosquitto and the real relay"], by_embedded: ["내장 브로커와 실제 중계서버", "embedded broker and the real relay"], by_simulated: ["모의 중계서버", "simulated relay"],
  order: ["관제 명령", "Command"], order_open: ["명령 보내기", "Send a command"], order_name: ["명령", "command"], order_fields: ["항목 (이름=값)", "fields (name=value)"], order_send: ["보내기", "Send"],
  order_done: ["수행함", "done"], order_refused: ["거절함", "refused"], order_expired: ["답 없이 때가 지남", "expired without an answer"],
  line_up: ["중계서버와 연결됨", "linked to the relay"], line_lost: ["중계서버와 연결이 끊어짐", "the link to the relay is lost"], line_down: ["게이트웨이가 연결을 끝냄", "the gateway ended the link"], line_silent: ["중계서버: 게이트웨이 소식이 없음", "relay: nothing heard from the gateway"], line_heard: ["중계서버: 게이트웨이 소식이 다시 옴", "relay: the gateway is heard again"],
  refused: ["할 수 없었습니다", "Refused"], seq: ["순번", "seq"],
};

const GLOSS = [
  [/^119로 연결합니다/, "“Connecting to 119. If it is not real, press cancel.”"],
  [/^화재가 감지/, "“Fire was detected. If it is not real, press cancel.”"],
  [/^(응급호출|119호출)이 감지/, "“A call for help was detected. If it is not real, press cancel.”"],
  [/^119에 전화를 걸고/, "“Calling 119.”"], [/^시험 전화를 걸고/, "“Calling the test number.”"], [/^연결되지 않아/, "“Not connected; calling again.”"],
  [/^취소되었습니다/, "“Cancelled. 119 is not called.”"], [/^119 통화가 끝/, "“The call with 119 has ended.”"], [/^경보음을/, "“The alarm sound is off.”"],
  [/^테스트 모드입니다/, "“Test mode. It ends in 10 minutes.”"], [/^테스트 모드를 10분/, "“Test mode goes on for 10 minutes.”"], [/^테스트 모드를 마/, "“Test mode ends.”"],
  [/^시험 전화번호가/, "“There is no test number; cannot begin.”"], [/^실제 상황으로/, "“Connecting to 119 for real.”"],
  [/^감지기를 등록합니다/, "“Registering sensors. Press the sensor’s button.”"], [/^감지기를 등록했/, "“The sensor is registered.”"], [/^등록을 마/, "“Registration ends.”"],
  [/^출입문이 열/, "“The front door was opened.”"], [/^출입문이 닫/, "“The front door was closed.”"],
  [/^감지기 연결을 준비/, "The sensors are being connected. The 119 button works"], [/^전화 모듈을 준비/, "The telephone is getting ready"],
  [/^전화 신호를/, "Check the telephone signal. 119 is tried all the same"],
  [/^등록되었습니다: /, "Registered"], [/^설치 코드를 받/, "The install code is taken"], [/^삭제되었습니다: /, "Removed"], [/^등록하고 있/, "Being registered"],
  [/^감지기의 버튼을 한/, "Press its button once"], [/^들어온 감지기가 없/, "No sensor came in. An install code is needed"], [/^감지기가 스스로/, "It left by itself"],
  [/^등록 모드가 아닐/, "A device that came while registration was closed was kept out"], [/^지원하지 않/, "Not a kind of device that can be used"], [/^설치 코드가 필요/, "An install code is needed"],
  [/^주소가 중복/, "Its address is used twice"], [/^더 등록할 수/, "No more sensors (32)"], [/^다른 집/, "It belongs to another home"], [/^등록을 마치지 못/, "It could not be made to work. Press its button once"],
  [/^알 수 없는 명령/, "Unknown command"], [/^그런 감지기가/, "There is no such sensor"], [/^같은 이름이/, "That name is taken"], [/^쓸 수 없는 이름/, "That name cannot be used"], [/^쓸 수 없는 장소/, "That place cannot be used"],
  [/^지금은 /, "Not now"], [/^비상 중에는/, "Not during an emergency"], [/^넘겨받을 파일/, "There is no file to take over"], [/^코드를 다시/, "Check the code"], [/^그런 화재감지기/, "There is no such smoke detector"],
  [/^할 수 없습니다: /, "Cannot be done"], [/^무선 칩의 펌웨어를/, "Unknown firmware in the radio chip: no registration"], [/^인수 코드/, "The takeover code. Write it down"], [/^파일을 쓰지/, "The file could not be written"],
  [/^이전 기기의 설정을 넘겨받고/, "Taking over"], [/^이전 기기의 설정을 넘겨받지/, "Not taken over. Check code and file"], [/^이전 기기의 설정 파일/, "A takeover file is here. Enter its code"],
  [/^관제 서버와 연결이/, "The care centre cannot be reached. Records are kept; the 119 button works"], [/^설정을 읽을 수/, "The settings cannot be read. The 119 button works"], [/^감지기 무선망을/, "The sensors’ network could not be had back. The 119 button works"], [/^감지기의 무선 신호/, "No sensor can be heard. The 119 button works"],
  [/^화재감지기와 연결/, "“A smoke detector cannot be heard. The 119 button works.”"], [/^응급호출기와 연결/, "“A pendant cannot be heard. Use the 119 button.”"], [/^감지기의 건전지/, "“Replace a sensor’s battery.”"], [/^이 감지기는 등록/, "“This sensor cannot be registered.”"],
  [/^통화 시험을/, "“The test call is over.”"],
  [/^화재발생/, "“Fire! Requesting a check by the safe-call system.”"],
  [/^응급호출!/, "“Emergency call! Requesting a check by the safe-call system.”"],
];

const EVENTS = {
  "emergency.triggered": ["응급 시작", "emergency began"], "emergency.cancelled": ["사용자 취소", "cancelled by the user"], "emergency.dialled": ["119 발신", "dialled"],
  "emergency.answered": ["119 응답", "answered"], "emergency.ended": ["119 통화 종료", "call ended"], "emergency.alarm_silenced": ["감지기 소리 끔", "alarm silenced"],
  "power.mains_lost": ["전원 끊김", "mains lost"], "power.mains_back": ["전원 돌아옴", "mains back"], "monitor.detached": ["모니터 분리", "monitor detached"], "monitor.attached": ["모니터 연결", "monitor attached"],
  "test.entered": ["시험 모드 시작", "test mode entered"], "test.extended": ["시험 모드 연장", "test mode extended"], "test.left": ["시험 모드 끝", "test mode left"],
  "gateway.booted": ["게이트웨이 켜짐", "gateway booted"], "gateway.fault": ["고장", "fault"], "gateway.recovered": ["복구", "recovered"], "call.ended": ["통화 종료", "call ended"], "call.refused": ["전화 거부", "call refused"],
  "door.opened": ["문 열림", "door opened"], "door.closed": ["문 닫힘", "door closed"], "sensor.link": ["감지기 연결", "sensor link"], "sensor.joined": ["감지기 등록", "sensor joined"], "sensor.refused": ["감지기 등록 거절", "sensor refused"], "sensor.left": ["감지기 나감", "sensor left"],
  "sensor.battery": ["감지기 배터리", "sensor battery"], "sensor.fault": ["감지기 고장", "sensor fault"], "settings.changed": ["설정 변경", "setting changed"], "command.done": ["명령 수행", "command done"], "command.refused": ["명령 거절", "command refused"],
  "sensor.tamper": ["감지기 분해", "sensor tamper"], "emergency.withdrawn": ["원격 알람 해제", "alarm withdrawn"], status: ["상태 보고", "status"], activity: ["활동 보고", "activity"],
};

const KEY = "home.language";
const listeners = [];
let english = read() === "en";

function read() {
  const first = navigator.language.toLowerCase().startsWith("ko") ? "ko" : "en";
  try { return localStorage.getItem(KEY) || first; } catch { return first; }
}

export const isEnglish = () => english;
export const t = (key) => (WORDS[key] || [key, key])[english ? 1 : 0];
export const has = (key) => key in WORDS;
export const gloss = (said) => (english && (GLOSS.find(([start]) => start.test(said)) || [])[1]) || "";
export const eventName = (name) => (EVENTS[name] || ["", ""])[english ? 1 : 0];
export const onLanguage = (listener) => listeners.push(listener);

export function switchLanguage() {
  english = !english;
  try { localStorage.setItem(KEY, english ? "en" : "ko"); } catch { /* a private window forgets */ }
  apply();
}

export function apply() {
  document.documentElement.lang = english ? "en" : "ko";
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of document.querySelectorAll("[data-t-label]")) node.setAttribute("aria-label", t(node.dataset.tLabel));
  for (const node of document.querySelectorAll("[data-t-placeholder]")) node.placeholder = t(node.dataset.tPlaceholder);
  const button = document.getElementById("language");
  button.textContent = t("language");
  button.lang = english ? "ko" : "en";
  document.title = `${t("title")} · ${t("gateway")}`;
  for (const listener of listeners) listener();
}
