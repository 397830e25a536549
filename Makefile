# `make` lists what there is. Every target that runs something makes or updates the environment first; exchange-worker
# needs none.
# PYTHON=python3.13 uses another interpreter, in a separate environment. ARGS="…" goes to the command.
# WORKERS=0 runs the tests in one process, as a debugger needs it.
PYTHON ?= python3
ARGS ?=
WORKERS ?= 2
SEEDS ?= 1000
FROM ?= 0
interpreter := $(notdir $(PYTHON))
VENV ?= .venv$(if $(filter-out python python3,$(interpreter)),-$(patsubst python%,%,$(interpreter)))
python := $(VENV)/bin/python
pytest := $(python) -m pytest --numprocesses $(WORKERS)

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test test-all cover format picture lint simulate bench detections infra az-check package package-responder package-console lock exchange-worker clean

help:  ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:  ## make or update the environment (.venv, Azurite); quick when nothing changed
	@$(PYTHON) sandbox/setup.py $(VENV)

demo: setup  ## an attack on a stand-in tenant, from audit record to contained account; ARGS="--records FILE --json"
	@$(python) -m sandbox demo $(ARGS)

serve: setup  ## keep the sandbox running, to try things out; Ctrl-C ends it
	@$(python) -m sandbox serve $(ARGS)

test: setup  ## the quick tests, ten minutes on two cores; ARGS="-k name -x" goes to pytest
	@$(pytest) -m "not slow" $(ARGS)

test-all: setup  ## all tests, with the slow ones: seeds by the thousand, outages in real time, hosts that are killed
	@$(pytest) $(ARGS)

cover: setup  ## branch coverage of the quick tests, printed per package; ARGS as for test
	@code=0; COVERAGE_PROCESS_START=$(CURDIR)/pyproject.toml $(pytest) -m "not slow" --cov --cov-report= $(ARGS) || code=$$?; \
	  $(python) -m tests.coverage_per_package && exit $$code

format: setup  ## format the code and apply the fixes of the linter that are safe
	@$(python) -m ruff check --fix --exit-zero --quiet
	@$(python) -m ruff format

picture: setup  ## draw docs/run.svg again, after a text of the response log changed
	@PYTHONPATH=src $(python) -m tests.picture

lint: setup  ## style, types and the directions of imports
	$(python) -m ruff check
	$(python) -m ruff format --check
	$(python) -m mypy
	$(VENV)/bin/lint-imports --no-logo

simulate: setup  ## play seeded schedules of hosts, people, faults and crashes; SEEDS=1000 FROM=0 ARGS="--all --hits"
	@PYTHONPATH=src PYTHONHASHSEED=0 $(python) -m tests.simulation --seeds $(SEEDS) --from $(FROM) $(ARGS)

bench: setup  ## measure against peers and floors; writes bench/results.json
	@$(python) -m bench $(ARGS)

detections: setup  ## write the detection pack from its Sigma rules, and run it on its fixtures
	@$(python) -m detections

infra: setup .venv-infra/made-from  ## check the deployment, as far as that goes without Azure; ARGS="--only NAME", --list
	@$(python) -m infra.checks $(ARGS)

az-check: setup  ## parse the az commands of hooks, workflows and documents, if azure-cli is in .venv-az
	@$(python) -m pytest --numprocesses 0 tests/infra/hooks/test_az_commands.py $(ARGS)

.venv-infra/made-from: infra/requirements-checks.txt
	@$(PYTHON) -m venv --clear .venv-infra
	@.venv-infra/bin/python -m pip install --quiet --no-compile --disable-pip-version-check --requirement $<
	@cp $< $@

package: package-responder exchange-worker  ## both packages, into build/; says where each zip is

package-console: setup  ## package the console, an optional app, into build/console.zip
	@$(python) -m infra.package_console $(ARGS)

package-responder: setup  ## package the Python app with all that it needs, into build/responder.zip
	@$(python) -m infra.package_responder $(ARGS)

lock: setup  ## write the lock files of infra anew from the requirements; PYTHON=python3.13
	@$(python) -m infra.package_responder --write-lock $(ARGS)
	@$(python) -m infra.package_console --write-lock $(ARGS)

exchange-worker:  ## package the PowerShell app, with its modules from MODULES_FROM=FOLDER or GALLERY_URL=ADDRESS
	@$(PYTHON) -m infra.package_exchange_worker $(ARGS)

clean:  ## remove everything that was made here
	rm -rf .venv .venv-* node_modules .sandbox build dist src/*.egg-info bench/results.json \
	  .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage .coverage.* htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
