# Each target makes .venv and installs what it needs, when that is missing or pyproject.toml changed.
# Another Python: make test PYTHON=python3.13

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

# What reads bytes that somebody else wrote, and what stands in the caller's way: no branch untested.
WHOLE := interceptor/sse.py,interceptor/exchange.py,interceptor/wire/*,interceptor/reading/*,interceptor/transports/*

.PHONY: demo test check bench test-matrix

demo: $(READY)
	$(BIN)/interceptor demo

test: check
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report
	$(BIN)/coverage report --include='$(WHOLE)' --fail-under=100

check: $(READY)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy

bench: $(READY)
	$(BIN)/interceptor bench

test-matrix: $(READY)
	$(BIN)/nox

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.13 …")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@
