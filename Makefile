# make demo   the main job on a real example        make setup  what the demo and the tests need
# make quick  lint and the fast tests, in a minute  make test   everything, as CI runs it
# make unit   the tests without Nix and a network   make nix    those with Nix
# make box    those on a machine without /lib       make proof  the same, and write docs/nixos-box.md
# make docs   the pages in docs/, into .docs        make corpus the ELF reader against 44 real wheels
# make patchelf   the ELF reader on files that every release of patchelf rewrites
# make fuzz   every reader with bytes that libFuzzer chooses, FUZZ_SECONDS each
# make requirement-sets   60 sets of real packages, resolved by nixpy, uv and pip; starts again after make clean
# make trace   what packages open at run time against what nixpy supplies, into docs/explanation/trace.md
# make address   the public address of nixpy, from templates/address.json into the texts that name it
# make screenshots   every page in Chromium, at three widths, light and dark, into .screenshots
PYTHON ?= python3
BIN := .venv/bin
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# The tests start many Pythons, each of which would compile nixpy where none may keep what it compiled.
unexport PYTHONDONTWRITEBYTECODE

# Tests in two processes; what shares a costly value is a group and runs in one of them (tests/suite/marks.py). With
# those that wait for a package index, a disk or a clock it takes three to keep two processors busy.
PROCESSES := 2
PYTEST = $(BIN)/python -m pytest -n $(PROCESSES) --dist loadgroup
UNIT := not nix and not box and not network
OUTCOMES := .outcomes.json
# For each reader, `make fuzz` takes this time and some seconds to start.
FUZZ_SECONDS ?= 60

.PHONY: address demo quick fast unit nix box test proof docs screenshots lint format corpus fuzz patchelf requirement-sets trace benchmark benchmark-scan setup tools clean

demo: .venv/ready
	PATH="$(CURDIR)/$(BIN):$$PATH" examples/demo

# Both at once, since mypy is one process.
quick: .venv/ready
	@$(MAKE) --no-print-directory --jobs=2 lint fast

fast: .venv/ready
	$(PYTEST) -q -m "$(UNIT) and not slow"

unit: .venv/ready
	$(PYTEST) -m "$(UNIT)"

nix: .venv/ready tools
	$(PYTEST) -m nix

quick fast box proof test: PROCESSES := 3

box: setup
	$(PYTEST) -m box

# The tests that judge the others, by what those came to, are a run of their own behind them.
test: setup lint
	rm -f $(OUTCOMES)
	$(PYTEST) --write-outcomes=$(OUTCOMES); status=$$?; \
	  $(BIN)/python -m pytest -q --read-outcomes=$(OUTCOMES) && exit $$status

proof: setup
	NIXPY_WRITE_RESULTS=1 $(PYTEST) -m box tests/nixos/box

address: .venv/ready
	$(BIN)/python docs/address.py

# Strict: any warning, such as a link to nowhere, ends it.
docs: .venv/ready
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --nitpicky --quiet docs .docs

# Fails where a page is wider than its window, or a figure has text that is too small to read.
screenshots: docs
	$(BIN)/python -m pip install -q --group screenshots
	command -v chromium >/dev/null || { $(SUDO) apt-get update -q && $(SUDO) apt-get install -yq chromium; }
	$(BIN)/python docs/screenshots.py $(PAGES)

lint: .venv/ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: .venv/ready
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

corpus: .venv/ready tools
	$(BIN)/python tests/corpus/corpus.py --all

patchelf: .venv/ready tools
	PYTHONPATH=tests $(BIN)/python -m corpus.patchelf

# Coverage-guided; docs/fuzzing.md tells more. What it finds is in .fuzz/findings.
fuzz: .venv/ready
	$(BIN)/python -m pip install -q --group fuzz
	PYTHONPATH=tests $(BIN)/python -m fuzz.run --seconds $(FUZZ_SECONDS)

# tests/sets/README.md tells more. uv and pip build packages, which runs their code.
requirement-sets: .venv/ready
	$(BIN)/python -m pip install -q --upgrade 'pip>=26.1'  # it knows --uploaded-prior-to
	PATH="$(CURDIR)/$(BIN):$$PATH" PYTHONPATH=tests:tests/helpers $(BIN)/python -m sets.compare

# tests/tracing/README.md tells more. It installs many packages and runs them in the box: about an hour.
trace: setup
	PYTHONPATH=tests:tests/helpers $(BIN)/python -m tracing.run $(PACKAGES)

benchmark: .venv/ready
	$(BIN)/python benchmarks/run.py

# It downloads 560 MB once, and needs 3 GB on the disk for some minutes. RATE is in megabytes a second, 0 for no limit.
benchmark-scan: .venv/ready
	$(BIN)/python benchmarks/cold_scan.py --rate $(or $(RATE),0)

# The last part builds the packages of the box: minutes on a fresh machine, a second afterwards.
setup: .venv/ready tools
	PYTHON=$(CURDIR)/$(BIN)/python tests/nixos/box/setup

# Debian's Nix, a current one, bubblewrap, patchelf and a compiler; at once where they are there already.
tools:
	tests/nixos/setup

.venv/ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "nixpy needs Python 3.11 or newer")'
	$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { $(SUDO) apt-get update -q && $(SUDO) apt-get install -yq python3-venv; }
	[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install -q --no-compile --group dev -e .  # what is imported is compiled then
	touch $@

clean:
	rm -rf .venv .demo .docs .screenshots .outcomes.json dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .fuzz .sets
