# Verbs for people and for CI. Everything needs only make, git and Python 3.11 or newer with venv;
# `setup` brings the rest.
# The local cluster's programs are built from Go modules once, into a cache.

PYTHON ?= python3
TIER ?= node
RUNS ?= 1
BIN := .venv/bin
HACK := PYTHONPATH=hack $(BIN)/python
CLUSTER := $(HACK) -m localcluster
PYTEST := $(BIN)/python -m pytest

# Only a KUBECONFIG named on the command line is the user's wish to play the demo there; one that
# happens to be in the environment is not.
ifeq ($(origin KUBECONFIG),command line)
export DEMO_KUBECONFIG := $(KUBECONFIG)
endif
unexport KUBECONFIG

.PHONY: help setup packages programs demo test verify unit property integration e2e field incluster pythons \
	bundles-e2e page-e2e observability faults bench record lint audit fmt docs docs-site docs-walk crd lock \
	image plugin release-artifacts cluster-up cluster-env cluster-down clean
.DEFAULT_GOAL := help

help: ## list the verbs
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-18s %s\n", $$1, $$2}'

setup: .venv/.complete ## make the virtual environment from the locked requirements

.venv/.complete: requirements.lock pyproject.toml
	@sh hack/preflight.sh "$(PYTHON)"
	@echo "setting up .venv" >&2
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

packages: setup ## install the Debian packages of the real node, where that is possible
	@$(CLUSTER) install-packages 1>&2

programs: setup ## build the local cluster's programs into the cache; install what tests need
	@$(CLUSTER) install-packages --with-tests 1>&2
	@$(CLUSTER) build --tier $(TIER)

demo: packages ## show the operator at work; KEEP=1 leaves the cluster, KUBECONFIG=… plays it on yours
	@DEMO_KEEP=$(KEEP) $(HACK) -m live_demo

test: programs ## lint, then every test level that this machine allows
	@$(HACK) -m run_levels

verify: programs ## all that test has, then bundles, browser, site and pasted pages: before a release
	@$(HACK) -m run_levels --all

unit: setup ## pure functions, milliseconds each
	$(PYTEST) tests/unit

property: setup ## rules that hold for any input and any interleaving
	$(PYTEST) tests/property

integration: programs ## the operator against a real API server
	$(PYTEST) tests/integration

e2e: programs ## the whole way: real Tekton, real containers
	$(PYTEST) tests/e2e

field: programs ## situations that people of comparable systems reported
	$(PYTEST) tests/field

incluster: programs ## the operator installed in a cluster, from its image and the manifests
	$(PYTEST) tests/incluster

pythons: programs ## unit, property and some integration tests on each supported Python; ONLY=3.13
	WFE_PYTHONS="$(or $(ONLY),all)" $(PYTEST) tests/pythons

bundles-e2e: programs ## every remediation bundle at work on real objects
	$(PYTEST) tests/bundles

observability: programs ## dashboard, rules, traces and CloudEvents at a real Prometheus and Tekton
	$(PYTEST) tests/observability

page-e2e: programs ## the status page in a real browser; KEEP=1 keeps the screenshots in docs/images
	@$(HACK) -m page_browser
	$(if $(KEEP),WFE_CAPTURES=$(CURDIR)/docs/images )$(PYTEST) tests/page

faults: programs ## hours of faults, with results for docs/reliability.md; ONLY="name …" runs some
	@$(HACK) -m reliability $(ONLY)

record: programs ## run the failing workflows and keep what Tekton wrote, for the unit tests
	WFE_RECORD=1 $(PYTEST) tests/e2e/test_failures.py

bench: programs ## measure the operator beside its floors: ONLY=burst,paced RUNS=5 BENCH=full KEEP=1
	@PYTHONPATH=hack:tests:tests/support $(BIN)/python -m benchmarks --only "$(ONLY)" --runs $(RUNS) \
		$(if $(filter full,$(BENCH)),--full) $(if $(KEEP),--keep)

lint: setup ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy operator tests hack examples
	$(BIN)/lint-imports

audit: setup ## report known vulnerabilities of the locked requirements; no gate
	-@timeout 300 $(BIN)/pip-audit --strict --progress-spinner=off --disable-pip --require-hashes \
		--requirement requirements-run.lock --requirement requirements.lock

fmt: setup ## format and sort
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

crd: setup ## write the CRDs from the models
	$(BIN)/wfe crd > manifests/crd/workflowexecutions.yaml
	$(BIN)/wfe crd holds > manifests/crd/workflowholds.yaml
	$(BIN)/wfe crd claims > manifests/crd/workflowclaims.yaml

docs: setup ## write the pages and pictures made from the code, and check all links
	$(HACK) -m docgen
	$(PYTEST) -q tests/unit/test_docs.py

docs-site: setup ## build the documentation as a site into build/site; warnings are errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "open build/site/index.html, or serve it: python3 -m http.server -d build/site"

docs-walk: programs ## paste the commands of all pages into a local cluster; CAPTURE=1 keeps what is printed
	WFE_CAPTURE=$(CAPTURE) $(PYTEST) tests/walks

lock: setup ## choose newest versions of all requirements within pyproject.toml's bounds
	$(BIN)/uv pip compile pyproject.toml --group dev --extra operator --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --upgrade --quiet -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra operator --extra traces --extra cloudevents --extra page \
		--universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet \
		--constraint requirements.lock -o requirements-run.lock
	$(BIN)/uv pip compile pyproject.toml --extra plugin --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --quiet \
		--constraint requirements.lock -o requirements-plugin.lock
	$(BIN)/uv pip compile tests/page/requirements.in --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --upgrade --quiet \
		--constraint requirements.lock -o tests/page/requirements.lock

image: setup ## put the operator's image into dist/image; REGISTRY=host:port pushes it; ARCH=arm64
	@$(HACK) -m operator_image \
		$(if $(REGISTRY),--registry $(REGISTRY)) $(if $(ARCH),--architecture $(ARCH))

plugin: setup ## put the archives of kubectl wfe, and krew's manifest, into dist/plugin
	@$(HACK) -m plugin_archive $(if $(URL),--url $(URL))

release-artifacts: setup ## put all that a release consists of into dist/release; IMAGE=registry/name
	@$(HACK) -m release_artifacts $(if $(IMAGE),--image $(IMAGE))

cluster-up: packages ## start a local cluster in the background: TIER=api|tekton|node
	@$(CLUSTER) up --tier $(TIER)

cluster-env: setup ## what a shell needs to use it: eval "$$(make -s cluster-env)"
	@$(CLUSTER) env

cluster-down: setup ## end it
	@$(CLUSTER) down

clean: ## remove what the verbs made in this folder
	rm -rf .venv .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
