# Two commands on a fresh machine: `make demo` and `make test`. Beside them `make setup`, `make docs`,
# `make coverage`, `make test-lowest` and `make bench NAME=...`.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
WORKERS ?= 2
READY  := $(VENV)/.ready

# Two cores are the common case: one thread a process, and nothing asks a hub for anything.
export OMP_NUM_THREADS ?= 1
export TOKENIZERS_PARALLELISM ?= false
export HF_HUB_OFFLINE ?= 1

.PHONY: demo test test-lowest coverage setup lint types imports label-studio browser docs bench clean

demo: setup
	$(BIN)/wherefore demo

test: lint types imports label-studio browser
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

coverage: setup
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --cov=wherefore --cov-report=term

# The lower bounds of pyproject.toml, in an environment of their own: hospital images are older than this machine.
# Old packages warn of newer ones, so warnings are no errors here; what needs torch is left out.
LOWEST ?= $(HOME)/.cache/wherefore/lowest
test-lowest:
	$(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(LOWEST)/bin/uv pip install --quiet --python $(LOWEST)/bin/python --resolution lowest-direct \
	-e '.[agreement]' 'pytest>=8.3' 'hypothesis>=6.100' 'pytest-timeout>=2.3' 'pytest-xdist>=3.6'
	$(LOWEST)/bin/python -m pytest -n $(WORKERS) -o filterwarnings=default \
	-m "not slow and not service and not realmodel and not shared" \
	tests/study tests/cohort tests/synth tests/analysis tests/agreement

setup: $(READY)

# torch first and pinned: asked for by a range, the newest build with gigabytes of CUDA would come.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and "Python 3.11 or newer is needed; found %d.%d: set PYTHON=" % v[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(READY)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# The root folder is the package: mypy checks it under its own name, whatever the clone is called, from outside (a module
# that imports `__main__` would find ours in the working folder).
types: setup
	@d=$$(mktemp -d) && ln -s "$(CURDIR)" $$d/wherefore && \
	(cd $$d && MYPYPATH=$$d wherefore/$(BIN)/mypy --config-file wherefore/pyproject.toml --cache-dir wherefore/.mypy_cache -p wherefore); \
	s=$$?; rm -r $$d; exit $$s

imports: setup
	$(BIN)/lint-imports --no-cache

# The Label Studio server pins packages that ours do not allow, so it lives in an environment of its own.
label-studio: setup
	$(BIN)/wherefore annotate install

# The grading page is looked at in a real browser; without one those tests skip at home and fail in CI.
browser:
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; } || \
	echo "no chromium: tests that look at pages will skip (Debian: apt-get install chromium)"

# Offline: theme, fonts and search come with the packages. A warning is an error.
docs: setup
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html
	@echo "docs: docs/_build/html/index.html"

bench: setup
	@test -f benchmarks/$(NAME).py || { echo "make bench NAME=<one of: $$(ls benchmarks | grep '\.py$$' | grep -v '^_' | sed 's/\.py//' | tr '\n' ' ')>"; exit 2; }
	$(BIN)/python benchmarks/$(NAME).py

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
