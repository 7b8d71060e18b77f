# make demo   the main job on a real example        make test   everything, as CI runs it
# make setup  what both need                        make corpus the ELF reader against 44 real wheels
# make docs   the pages in docs/, into .docs
# make box    what is rendered, on a machine without /lib        make proof  the same, and write docs/nixos-box.md
PYTHON ?= python3
BIN := .venv/bin
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test box proof docs lint format corpus benchmark setup nix clean

demo: .venv/ready
	PATH="$(CURDIR)/$(BIN):$$PATH" examples/demo

test: setup lint
	$(BIN)/python -m pytest

proof: setup
	NIXPY_WRITE_RESULTS=1 $(BIN)/python -m pytest -m box tests/nixos/box

box: setup
	$(BIN)/python -m pytest -m box tests/nixos/box

# Strict: any warning, such as a link to nowhere, ends it.
docs: .venv/ready
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --nitpicky --quiet docs .docs

lint: .venv/ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: .venv/ready
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

corpus: .venv/ready nix
	$(BIN)/python tests/corpus/corpus.py --all

benchmark: .venv/ready
	$(BIN)/python benchmarks/run.py

# The last part builds the packages of the box: minutes on a fresh machine, a second afterwards.
setup: .venv/ready nix
	PYTHON=$(CURDIR)/$(BIN)/python tests/nixos/box/setup

# Debian's Nix, a current one, bubblewrap, patchelf and a compiler; at once where they are there already.
nix:
	tests/nixos/setup

.venv/ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "nixpy needs Python 3.11 or newer")'
	$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { $(SUDO) apt-get update -q && $(SUDO) apt-get install -yq python3-venv; }
	[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install -q --group dev -e .
	touch $@

clean:
	rm -rf .venv .demo .docs dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
