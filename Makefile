# The only door: every task of the repository is a target here, and CI runs the same ones.
# Needs python3 >= 3.11 with venv, and make. Everything else is installed below .uv/ and .venv/.

# The Python to use; where none is given, scripts/choose_python.py takes the fastest on the PATH.
PYTHON     ?=
UV_VERSION := 0.13.9
UV         := .uv/bin/uv
BIN        := .venv/bin
SETUP      := .venv/.ready
# Passed on to pytest, for example: make test PYTEST_ARGS='tests/unit -x'
PYTEST_ARGS ?=
# Test processes; files stay together so that module fixtures are made once.
TEST_PROCESSES ?= logical

GHZ_VERSION     := v0.121.0
GRPCURL_VERSION := v1.9.4

# Where `make sbom` writes.
SBOM ?= build/sbom.json

# uv must use the Python it was given and never download one.
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := .venv
# Empty, which is off: without compiled files each process of a server starts in twice the time.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run demo demo-identity demo-shop demo-fx demo-risk test corpus check fmt lint types layers gen gen-check buf bench bench-payments bench-risk bench-fx bench-edge risk-bench risk-train tools tls-scan sbom ci clean

help: ## Show what can be done
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(SETUP) ## Install the locked environment (does nothing when it is up to date)

.uv/uv-$(UV_VERSION):
	@python=$$($(or $(PYTHON),python3) scripts/choose_python.py $(PYTHON)) && \
	  echo "using $$python" && "$$python" -m venv --clear .uv
	.uv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

$(SETUP): .uv/uv-$(UV_VERSION) uv.lock pyproject.toml clients/python/pyproject.toml
	$(UV) sync --frozen --compile-bytecode --python "$$(sed -n 's/^executable = //p' .uv/pyvenv.cfg)"
	@touch $@

run: setup ## Serve on 127.0.0.1:50051 with embedded Postgres (LONGMEN_* variables change that)
	@exec $(BIN)/longmen serve

demo: setup ## A day of a small bank; starts a server of its own when none runs
	@exec $(BIN)/longmen demo --serve

demo-identity: setup ## A customer's first day: registers, pays, is locked out and let in again
	@exec $(BIN)/longmen demo-identity --serve

demo-fx: setup ## A traveller's day in five currencies, its close, and books that agree
	@exec $(BIN)/longmen demo-fx --serve

demo-risk: setup ## A wallet taken over and a ring of mules, caught, frozen, appealed, released
	@exec $(BIN)/longmen demo-risk --serve

demo-shop: setup ## A market day of 50 merchants and 500 customers, to the last bill and webhook
	@exec $(BIN)/longmen demo-shop --serve

test: setup ## Run every test
	$(BIN)/pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

corpus: setup ## Send bad input to every method and look at the answers (about two minutes)
	$(BIN)/python -m corpus

check: lint types layers ## Formatting, lint, types and layers

lint: setup ## Formatting and lint only
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup ## Types only
	$(BIN)/mypy

layers: setup ## Import rules only
	$(BIN)/lint-imports

fmt: setup ## Format code and contract
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	@if [ -n "$$(find proto -name '*.proto' -print -quit)" ]; then $(BIN)/buf format -w proto; fi

gen: setup ## Generate the Python stubs and the protoset from proto/
	$(BIN)/python scripts/gen
	$(BIN)/python scripts/gen_docs.py

gen-check: setup ## Fail when generated code is out of date
	$(BIN)/python scripts/gen --check
	$(BIN)/python scripts/gen_docs.py --check

buf: setup ## Lint, format and compatibility of the contract
	scripts/buf-check

bench: setup ## Measure the bars and write bench/out/report.json
	$(BIN)/python -m bench

bench-payments: setup ## Measure payments by code and by order, and streams of orders
	$(BIN)/python -m bench.payments

bench-fx: setup ## Measure quotes, conversions and the import of the history
	$(BIN)/python -m bench.fx

bench-risk: setup ## Measure what judging payments costs
	$(BIN)/python -m bench.risk

bench-edge: setup ## Measure what the edge adds to a call
	$(BIN)/python -m bench.edge

risk-bench: setup ## Measure how well the shipped scorecard and rules find simulated fraud
	$(BIN)/python -m bench.detection

risk-train: setup ## Print the scorecard that ships, learned again
	@$(BIN)/python -m bench.detection learn

tools: ## Install ghz and grpcurl into .tools/bin through the Go module proxy
	@if command -v go >/dev/null; then \
	  mkdir -p .tools/bin; \
	  for tool in github.com/bojand/ghz/cmd/ghz@$(GHZ_VERSION) \
	              github.com/fullstorydev/grpcurl/cmd/grpcurl@$(GRPCURL_VERSION); do \
	    name=$$(basename $${tool%@*}); stamp=.tools/$$name-$${tool##*@}; \
	    [ -e $$stamp ] && continue; \
	    echo "installing $$tool"; \
	    GOBIN="$(CURDIR)/.tools/bin" GOFLAGS=-mod=mod go install $$tool || exit 1; touch $$stamp; \
	  done; \
	  echo "ghz and grpcurl are in .tools/bin"; \
	else \
	  echo "no Go toolchain: ghz and grpcurl were not installed (tests that use them do less)"; \
	fi

tls-scan: setup ## Look at the TLS port with sslscan and testssl.sh (apt-get install sslscan testssl.sh)
	$(BIN)/python scripts/tls_scan.py

sbom: setup ## Write the bill of materials of the server (CycloneDX, from uv.lock)
	@mkdir -p $(dir $(SBOM))
	$(UV) export --frozen --no-dev --quiet --format cyclonedx1.5 --output-file $(SBOM) >/dev/null

ci: ## What CI runs
	bash .ci/run

clean: ## Remove caches, environments and results; local data in .longmen/ stays
	rm -rf .venv .uv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache bench/out build dist
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
