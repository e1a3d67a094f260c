# make demo and make test need only Python 3.11 and make; everything else is installed from the locks.

PYTHON ?= python3.11
PORT ?= 8000
BIN := .venv/bin
# Node comes from a wheel; it leads PATH, because install scripts of packages call 'node' by name.
NPM := cd static && PATH="$(CURDIR)/$(BIN):$$PATH" npm
files_under = $(foreach path,$(wildcard $(1)/*),$(if $(wildcard $(path)/*),$(call files_under,$(path)),$(path)))
STATIC_SOURCES := $(foreach folder,static/src static/public templates,$(call files_under,$(folder))) static/vite.config.ts
MESSAGES := $(wildcard locale/*/LC_MESSAGES/*.po)
export MEDPORTAL_DEMO = 1
# Byte code is kept: without it, each of the tests' processes compiles torch again, for seconds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo demo-reset dev test test-one frontend-check frontend-tests coverage lint audit types imports tests build wheel bench fuzz lock clean

demo: build ## everything on this machine, with synthetic patients
	@$(BIN)/python manage.py demo --port $(PORT)

demo-reset: ## forget the demo's data, then start it
	rm -rf var
	@$(MAKE) --no-print-directory demo

dev: build ## the demo for developers: reload of web and worker, scripts and styles from Vite's server
	@MEDPORTAL_DEBUG=1 MEDPORTAL_VITE=1 $(BIN)/python manage.py demo --reload --port $(PORT)

build: .venv/installed static/dist/manifest.json $(MESSAGES:.po=.mo)

.venv/installed: requirements.lock
	@echo "• Python packages (a minute the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.8
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python requirements.lock
	@touch $@

static/node_modules/installed: static/package-lock.json .venv/installed
	@echo "• front-end packages"
	@$(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

static/dist/manifest.json: static/node_modules/installed $(STATIC_SOURCES)
	@echo "• front end"
	@$(NPM) run --silent build -- --logLevel warn

%.mo: %.po .venv/installed
	@$(BIN)/pybabel --quiet compile --use-fuzzy -i $< -o $@

SIDE_BY_SIDE := --output-sync=line --jobs=2
test: build ## what CI runs: beside the tests, one after another, what else is checked
	@$(MAKE) --no-print-directory $(SIDE_BY_SIDE) tests lint types imports frontend-tests

test-one: .venv/installed ## one test, file or folder, in seconds: make test-one TEST=tests/jobs/test_leases.py::test_a_retry_happens_once
	@$(BIN)/pytest -n 0 $(TEST)

frontend-check: build
	@$(NPM) run --silent check

frontend-tests: build
	@$(NPM) run --silent test

coverage: build ## branch coverage of Python by all tests but the journeys, slower: the tracer of Python 3.11 takes its time
	$(BIN)/pytest --ignore=tests/journeys --cov --cov-report=term:skip-covered

lint: build .venv/audited
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/bandit --quiet --severity-level medium --confidence-level medium --recursive apps medportal
	$(BIN)/djlint templates --lint --quiet
	$(NPM) run --silent check
	$(BIN)/python -m tests.licences

.venv/audited: requirements.lock .venv/installed # advisories of the locked packages, once for each lock
	@$(AUDIT) --stamp $@

AUDIT := $(BIN)/python -m tests.advisories requirements.lock
audit: .venv/installed ## known vulnerabilities of the locked packages; says so where no advisory service can be reached
	@$(AUDIT)

types: build
	$(BIN)/mypy apps medportal

imports: build
	$(BIN)/lint-imports

tests: build
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/pytest

wheel: build ## dist/medportal-VERSION.whl, with the front end and translations inside
	$(BIN)/uv build --quiet --wheel --python $(BIN)/python

bench: build ## speed and memory, as a table
	$(BIN)/python -m tests.benchmarks

FUZZ_INPUTS ?= 100000
fuzz: build ## hostile files, coverage-guided; what escapes is kept in tests/fuzz/found
	for target in film archive related; do $(BIN)/python -m tests.fuzz $$target $(FUZZ_INPUTS) || exit 1; done

# For the oldest Python 3.11: some packages ask for more there (redis for async-timeout before 3.11.3).
COMPILE := $(BIN)/uv pip compile --quiet --python-version 3.11.0 --no-emit-index-url --generate-hashes --no-header pyproject.toml
# PyPI has torch for Linux with CUDA only; the CPU worker takes it from elsewhere, without these.
CUDA_PACKAGES := $(shell sed -n 's/^\(torch\|torchvision\|triton\|nvidia-[a-z0-9-]*\|cuda-[a-z-]*\)==.*/--no-emit-package \1/p' requirements.lock)
lock: .venv/installed ## after a change of dependencies in pyproject.toml; UPGRADE=--upgrade takes newer releases
	$(COMPILE) $(UPGRADE) --extra worker --extra demo --extra sentences --group build --group dev -o requirements.lock
	$(subst pyproject.toml,,$(COMPILE)) --constraint requirements.lock --group build -o docker/build.lock
	$(COMPILE) --constraint requirements.lock -o docker/web.lock
	$(COMPILE) --constraint requirements.lock --extra worker --extra sentences -o docker/worker.lock
	$(COMPILE) --constraint requirements.lock --extra worker --extra sentences $(CUDA_PACKAGES) -o docker/worker-cpu.lock

clean:
	rm -rf .venv static/node_modules static/dist
