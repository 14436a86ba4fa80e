# Everything happens in .venv, whose packages are pinned by hash (requirements/).
# Other environments: .venv-uv makes the locks, .venv-plain is what `make bench-gateway` compares with, .venv-docs builds the site,
# .venv-panels draws the dashboard, .venv-mutate changes the code to see whether the tests notice.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MODEL ?=
PORT ?= 4000
IMAGE ?= langop/model
TAG ?= dev
# Whichever is installed and answers: a docker command without its service does not.
CONTAINER ?= $(shell for tool in docker podman buildah; do $$tool info >/dev/null 2>&1 && echo $$tool && break; done)
BUILD_ARGS ?=
# One image for several platforms, such as linux/amd64,linux/arm64: each is built with its own packages, those of another machine
# by emulation. docker's buildx keeps such an image in a registry only, so BUILD_ARGS=--push; podman and buildah make a manifest.
PLATFORMS ?=
ENGINE := $(notdir $(CONTAINER))
BUILD_COMMAND = $(if $(PLATFORMS),$(if $(filter docker,$(ENGINE)),buildx )build --platform $(PLATFORMS),build) \
	$(if $(filter-out docker,$(ENGINE)),--format docker) \
	$(if $(and $(PLATFORMS),$(filter-out docker,$(ENGINE))),--manifest,--tag) $(IMAGE):$(TAG)
SBOM ?= build/sbom.cdx.json
# The tests of units, of imports and of golden files; some of them start commands and launch, none a provider.
COVERED_BY ?= tests/unit tests/importing tests/test_goldens.py
VERSION ?=
# The one place where LiteLLM's version is written by hand; `make bump-litellm` changes it, and all that follows from it.
LITELLM := $(shell sed -n 's/^ *"litellm.*==\([^"]*\)".*/\1/p' pyproject.toml)

# A run of the tests starts a hundred interpreters: without what they keep compiled, each of them compiles this project.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
# Every target that help lists makes no file of its name.
.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*\#\#.*/\1/p' $(firstword $(MAKEFILE_LIST)))

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.ready ## Prepare .venv with the pinned dependencies

$(VENV)/.ready: requirements/dev.txt requirements/installer.txt pyproject.toml
	@echo "installing the pinned packages into $(VENV): about a minute"
	@sh requirements/install.sh "$(PYTHON)" $(VENV) requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv-uv/.ready: requirements/uv.txt requirements/installer.txt
	@sh requirements/install.sh "$(PYTHON)" .venv-uv requirements/uv.txt
	@touch $@

.venv-plain/.ready: requirements/plain-litellm.txt requirements/installer.txt
	@echo "installing a plain litellm[proxy] into .venv-plain: about a minute"
	@sh requirements/install.sh "$(PYTHON)" .venv-plain requirements/plain-litellm.txt
	@touch $@

.venv-panels/.ready: requirements/panels.txt requirements/installer.txt
	@sh requirements/install.sh "$(PYTHON)" .venv-panels requirements/panels.txt
	@touch $@

.venv-mutate/.ready: requirements/mutate.txt requirements/installer.txt
	@sh requirements/install.sh "$(PYTHON)" .venv-mutate requirements/mutate.txt
	@touch $@

.venv-docs/.ready: requirements/docs.txt requirements/installer.txt
	@sh requirements/install.sh "$(PYTHON)" .venv-docs requirements/docs.txt
	@touch $@

run: setup ## Serve a model on port 4000: a stand-in, or MODEL=examples/openai-model.yaml
	@$(BIN)/python -m tools.run --port $(PORT) $(MODEL)

test: setup lint ## Everything that CI checks; one live OpenAI request more when OPENAI_API_KEY is set
	@$(BIN)/python -m pytest -n 2 --no-loadscope-reorder

test-fast: setup ## The tests that start no LiteLLM
	@$(BIN)/python -m pytest --ignore tests/live --ignore tests/litellm

test-local: setup ## A chat with a local server that needs no key: Ollama if it runs, else the stand-in
	@$(BIN)/python -m tools.try_local

test-rate-limit: setup ## Watch a rate limit at work against the stand-in
	@$(BIN)/python -m tools.try_rate_limit

coverage: setup ## Which branches of the product the fast tests take; fails below the threshold in pyproject.toml
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -q -n 2 --no-loadscope-reorder $(COVERED_BY)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

mutate: .venv-mutate/.ready ## Change the code of OF=limits, routing, renderer or renderer.MODULE in small ways, SAMPLE of them, and say which changes the tests notice
	@.venv-mutate/bin/python -m tools.mutate $(OF) $(if $(SAMPLE),--sample $(SAMPLE))

golden: setup ## Write tests/golden again; read the difference before you commit it
	@$(BIN)/python -m pytest -q tests/test_goldens.py tests/unit/test_diff.py tests/unit/test_explain.py -k golden --update-golden

lint: setup ## Style and types
	@$(BIN)/ruff format --check --quiet . || (echo "run: $(BIN)/ruff format ." && exit 1)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy

bench: setup ## How fast the renderer is, in ratios
	@$(BIN)/python -m tools.bench

bench-gateway: setup ## How fast the gateway is, against a plain litellm[proxy] installation (.venv-plain), in ratios
	@$(BIN)/python -m tools.gateway_bench

architecture: setup ## Write the picture in docs/architecture.md from tools/architecture.yaml
	@$(BIN)/python -m tools.architecture

field-table: setup ## Write the table of fields in docs/fields.md
	@$(BIN)/python -m tools.field_table

metrics-doc: setup ## Write docs/metrics.md from the gateway's metrics
	@$(BIN)/python -m tools.metrics_doc

page-picture: setup ## Write docs/explain.png, the picture of a page of explain (needs chromium, which root of a Debian installs)
	@$(BIN)/python -m tools.page_picture

health-page: setup ## Draw docs/health.png, the page of GET /health, with chromium
	@$(BIN)/python -m tools.health_page

field-reference: setup ## Write docs/fields.md, with the lines that each field renders to
	@$(BIN)/python -m tools.field_reference

findings-doc: setup ## Write docs/findings.md, with an input for each finding
	@$(BIN)/python -m tools.findings_reference

environment: setup ## Write the tables of environment variables in docs/environment.md
	@$(BIN)/python -m tools.environment_reference

command-help: setup ## Write docs/commands.md from what --help says
	@$(BIN)/python -m tools.command_help

operations-doc: setup ## Write the findings in docs/operations.md
	@$(BIN)/python -m tools.operations_doc

dashboard: setup ## Write deploy/monitoring/dashboard.json from tools/dashboard.py
	@$(BIN)/python -m tools.dashboard

panels: .venv-panels/.ready ## Draw three panels of the dashboard into docs/, from a gateway under load and a Prometheus
	@.venv-panels/bin/python -m tools.draw_panels

scale: setup ## Measure and simulate the figures of docs/scale.md: ten minutes
	@$(BIN)/python -m tools.scale.costs
	@$(BIN)/python -m tools.scale.replicas
	@$(BIN)/python -m tools.scale.simulation

lint-table: setup ## Write the rules in docs/lint.md
	@$(BIN)/python -m tools.lint_table

extra-configuration: setup ## Write the table of docs/extra-configuration.md from schema/extra-configuration.json
	@$(BIN)/python -m tools.extra_configuration

providers: setup ## Write the schema's providers and the documentation's tables, and compare them with LiteLLM
	@$(BIN)/python -m tools.provider_catalogue --write
	@$(BIN)/python -m tools.provider_catalogue

new-provider: setup ## Add a provider: NAME=acme ADDRESS=https://api.acme.example/v1, and TITLE, LINK and KEY
	@test -n "$(NAME)" || { echo "which provider? make new-provider NAME=acme ADDRESS=https://api.acme.example/v1" >&2; exit 2; }
	@$(BIN)/python -m tools.new_provider "$(NAME)" --address "$(ADDRESS)" --title "$(TITLE)" --link "$(LINK)" --key "$(KEY)"

litellm-schema: setup ## Write schema/litellm-config.schema.json from the installed LiteLLM
	@$(BIN)/python tools/litellm_schema.py --write

lock: .venv-uv/.ready ## Pin the dependencies of pyproject.toml; .venv follows with the next command that uses it
	@sh tools/lock.sh .venv-uv/bin/uv

bump-litellm: .venv-uv/.ready ## Change LiteLLM to VERSION=1.2.3 in all that follows from it, if it resolves, and say what changes
	@test -n "$(VERSION)" || { echo "which version? make bump-litellm VERSION=$(LITELLM)" >&2; exit 2; }
	-@$(MAKE) --no-print-directory setup && $(BIN)/python -m tools.gateway_bench.translation --save build/before-bump.json
	@sh tools/bump_litellm.sh .venv-uv/bin/uv "$(VERSION)"
	@$(MAKE) --no-print-directory after-bump

.PHONY: after-bump
after-bump: setup
	-@$(BIN)/python tools/litellm_schema.py --check
	@$(MAKE) --no-print-directory litellm-schema golden extra-configuration field-reference
	-@$(MAKE) --no-print-directory providers
	@$(BIN)/python -m pytest -q -n 2 --no-loadscope-reorder tests/wire tests/translator tests/litellm tests/differential tests/live
	-@$(BIN)/python -m tools.gateway_bench.translation --against build/before-bump.json

site: .venv-docs/.ready ## Build the documentation's site in build/site; a wrong link stops it
	@NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --quiet

build: ## Build the image $(IMAGE):$(TAG), for PLATFORMS=linux/amd64,linux/arm64 if given
	@test -n "$(CONTAINER)" || { echo "not built: none of docker, podman and buildah answers here" >&2; exit 1; }
	$(CONTAINER) $(BUILD_COMMAND) $(BUILD_ARGS) \
		--label org.opencontainers.image.version="$$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)" \
		--label org.opencontainers.image.revision="$$(git rev-parse HEAD 2>/dev/null)" \
		--label org.opencontainers.image.created="$$(git log -1 --format=%cI 2>/dev/null)" \
		--label ai.litellm.version="$(LITELLM)" .

image-test: setup ## Build the image, run it as deploy/ does, and look at what it does (needs docker or podman)
	@test -z "$(CONTAINER)" || $(MAKE) --no-print-directory build
	@$(BIN)/python -m tools.image_test --engine "$(CONTAINER)" $(IMAGE):$(TAG)

scan: ## Scan the image for known vulnerabilities (needs trivy)
	@command -v trivy >/dev/null || { echo "not scanned: trivy is not installed (https://trivy.dev)"; exit 1; }
	trivy image --exit-code 1 --severity HIGH,CRITICAL $(IMAGE):$(TAG)

sbom: setup ## Write $(SBOM): the packages that the image locks, in CycloneDX
	@mkdir -p $(dir $(SBOM))
	@PYTHONWARNINGS=ignore $(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible \
		--output-file $(SBOM) requirements/gateway.txt
	@echo $(SBOM)

dist: setup ## Build the wheel and the sdist in dist/
	@rm -rf dist
	@$(BIN)/hatchling build

release: ## Write VERSION=1.2.3 wherever the version is, and date the changes in CHANGELOG.md (RELEASING.md)
	@test -n "$(VERSION)" || { echo "which version? make release VERSION=1.2.3" >&2; exit 2; }
	@$(PYTHON) tools/release.py prepare "$(VERSION)"

push: ## Push the image to IMAGE's registry; several PLATFORMS of docker are pushed by build
	$(CONTAINER) $(if $(and $(PLATFORMS),$(filter-out docker,$(ENGINE))),manifest push --all,push) $(IMAGE):$(TAG)

clean: ## Remove the environments and what tests leave behind
	rm -rf $(VENV) .venv-plain .venv-uv .venv-docs .venv-mutate .venv-panels mutants .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
