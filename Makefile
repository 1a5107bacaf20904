# Every target sets up what it needs, in .venv and build/, from pinned versions. `make help` lists them.

PYTHON ?= python3
JOBS ?= 3
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
READY := $(VENV)/.ready
STUBS := build/typings/.ready
BOARD_TYPES = $(BIN)/mypy --config-file tools/mypy-board.ini --custom-typeshed-dir build/typings

.DEFAULT_GOAL := help
ifeq ($(origin GET),default) # make has a GET of its own, from the days of SCCS
GET :=
endif
.PHONY: help setup sound run test test-fast lint types check scenario serve-ncp serve-modem serve-board bench soak image \
	flash takeover certs relay fleet clean
.DELETE_ON_ERROR:

# $(call require,TARGET,NAME,example): nothing is set up for a command that lacks something; make's own status is then 2
require = $(if $(filter $(1),$(MAKECMDGOALS)),$(if $($(2)),,$(error $(1): $(2) is missing: make $(1) $(3))))
$(call require,scenario,FILE,FILE=scenarios/press.json OUT=timeline.jsonl)
$(call require,scenario,OUT,FILE=$(FILE) OUT=timeline.jsonl)
$(call require,serve-ncp,LINK,LINK=build/ncp [FILE=home.json])
$(call require,serve-modem,LINK,LINK=build/modem)
$(call require,serve-board,LINK,LINK=build/board DIR=build/board-files)
$(call require,serve-board,DIR,LINK=$(LINK) DIR=build/board-files)
$(call require,flash,PORT,PORT=/dev/ttyACM0)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# ---------------------------------------------------------------------------- what the others stand on
setup: $(READY) ## the Python environment in .venv; PYTHON=... chooses the Python (3.10 to 3.13)

$(READY): requirements.txt
	@command -v $(PYTHON) >/dev/null || { echo "setup: $(PYTHON) is not installed: apt-get install python3 python3-venv" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 10) <= v <= (3, 13) or sys.exit("setup: Python 3.10 to 3.13 is needed, this is %d.%d: make PYTHON=/path/to/python3" % v)' || exit 2
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "setup: Python cannot make environments: apt-get install python3-venv" >&2; exit 2; }
	$(PYTHON) -m venv --clear $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.txt
	@touch $@

$(STUBS): requirements-stubs.txt $(READY)
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target build/typings -r requirements-stubs.txt
	@touch $@

sound: $(READY) ## the spoken texts, into build/sound
	@mkdir -p build
	@$(PY) -m tools.sound > build/sound.log

# ---------------------------------------------------------------------------- using it
run: sound ## the simulated home in a browser; ARGS="--port 8120 --no-open"
	@$(PY) -m tools.home $(ARGS)

scenario: sound ## a scenario in virtual time: FILE=x.json OUT=y.jsonl (docs/simulator.md)
	@$(PY) -m tools.scenario "$(FILE)" "$(OUT)"

serve-ncp: $(READY) ## the simulated Zigbee coprocessor on a pty: LINK=path [FILE=home.json]
	@PYTHONPATH=host_tests/shims $(PY) tools/serve_ncp.py "$(LINK)" $(if $(FILE),"$(FILE)")

serve-modem: $(READY) ## the simulated modem on a pty: LINK=path
	@$(PY) tools/serve_modem.py "$(LINK)"

serve-board: sound ## a simulated board's REPL on a pty, for mpremote: LINK=path DIR=dir
	@$(PY) -m tools.serve_board "$(LINK)" "$(DIR)"

image: sound ## what a board gets, compiled and checked, into build/image
	@$(PY) -m tools.image

flash: sound ## put the firmware on a board: PORT=/dev/ttyACM0 (docs/flashing.md)
	@$(PY) -m tools.flash "$(PORT)"

takeover: $(READY) ## a replaced gateway: PORT=/dev/ttyACM0 GET=file or PUT=file [CODE=...], or CHECK=file
	@$(PY) -m tools.takeover --port "$(PORT)" $(if $(CODE),--code "$(CODE)") $(if $(GET),--get "$(GET)") \
		$(if $(PUT),--put "$(PUT)") $(if $(CHECK),--check "$(CHECK)")

certs: $(READY) ## certificates of a lab: ARGS="DIR ca", "DIR server NAME", "DIR gateway NUMBER" (docs/relay.md)
	@$(PY) -m tools.certs $(ARGS)

relay: $(READY) ## the reference relay, or its broker: ARGS="--lab DIR", "broker DIR", "export --csv", "send GW NAME"
	@$(PY) -m tools.relay $(ARGS)

fleet: $(READY) ## many gateways against a real broker and relay: ARGS="--gateways 200 --minutes 2 --outage 20"
	@$(PY) -m tools.fleet $(ARGS)

# ---------------------------------------------------------------------------- proving it
test: sound ## all tests; ARGS="-k press" for some, JOBS=1 for one after the other
	@$(BIN)/pytest -n $(JOBS) --dist worksteal $(ARGS)

test-fast: sound ## the tests of parts; not the long proofs nor the browser
	@$(BIN)/pytest -n $(JOBS) --dist worksteal -q --ignore=host_tests/proofs --ignore=host_tests/home $(ARGS)

lint: $(READY) ## ruff over everything
	@$(BIN)/ruff check .

types: $(READY) $(STUBS) ## mypy: what MicroPython runs against its stubs, the tools against CPython
	@MYPYPATH=build/typings $(BOARD_TYPES) firmware drivers zigbee hal_sim tools/bench_zigbee_port.py tools/bench_zigbee_home_port.py tools/bench_home_port.py tools/bench_flashlog_port.py tools/bench_link_port.py --exclude hal_sim/esp32
	@MYPYPATH=hal_sim/esp32:build/typings $(BOARD_TYPES) -m machine -m esp32 -m simboot -m simhome -m board_end -m board_files -m network
	@MYPYPATH=host_tests/shims $(BIN)/mypy --follow-imports=silent tools

check: lint types test ## lint, types and test

bench: sound ## decoding, allocation, speed of the simulated home, peak heap: one table; ARGS="flashlog link" for some
	@$(PY) -m tools.bench $(ARGS)

soak: sound ## the seeded random tests with large counts; takes hours (docs/testing.md)
	@FUZZ_COUNT=10000000 SOAK=1 $(BIN)/pytest -n $(JOBS) --dist worksteal -m "" host_tests $(ARGS)

clean: ## remove .venv, build and caches
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
