# `make run` and `make test` install what is missing and say so first; see scripts/setup.sh.
# One build profile serves everything here, so RocksDB's C++ is compiled once.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Where setup puts tools, and where rustup puts cargo.
export PATH := $(HOME)/.cargo/bin:$(CURDIR)/target/tools/bin:$(CURDIR)/target/tools/node_modules/.bin:$(PATH)
TARGET := $(or $(CARGO_TARGET_DIR),target)/release
WORKSPACE := --release --workspace --all-features

# Settings that may be given to `make run` by their short name: make run SHARDS=4
SETTINGS := DATA_DIR SHARDS COMMAND_ADDR QUERY_ADDR REGISTRY_ADDR CACHE_MIB DOCUMENT_CACHE_MIB \
	WRITE_BUFFER_MIB QUERY_INSTANCES LOG KAFKA_FILE REPLICATION_FACTOR MIN_INSYNC_REPLICAS REGISTRY REGISTRY_USER \
	REPLICA_SET INSTANCE_ID ADVERTISE ZONE LOG_FILTER
GIVEN := $(foreach s,$(SETTINGS),$(if $(filter command line,$(origin $s)),TANDEM_$s='$($s)'))
# Properties of librdkafka: make run LOG=kafka://... KAFKA="security.protocol=SSL ssl.ca.location=ca.pem"
PROPERTIES := $(if $(filter command line,$(origin KAFKA)),$(foreach p,$(KAFKA),--kafka '$p'))
ARGS ?=
SEEDS ?= 1000

.PHONY: help
help: ## List the targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20
	@echo
	@echo '  make run takes $(SETTINGS) KAFKA and ARGS="...":'
	@echo '    make run DATA_DIR=/var/lib/tandem SHARDS=8'
	@echo '    make run LOG=kafka://127.0.0.1:9092 REGISTRY=http://127.0.0.1:8081'

.PHONY: run
run: ## Build, and start everything in one process
	@scripts/setup.sh run
	@cargo build --release -p tandem-standalone
	@exec env $(GIVEN) $(TARGET)/tandem $(PROPERTIES) $(ARGS)

.PHONY: test
test: ## Run all tests
	@scripts/setup.sh test
	cargo test $(WORKSPACE)

.PHONY: sim
sim: ## Simulate many instances, SEEDS=1000 worlds; ARGS="--seed N" runs one world again
	@scripts/setup.sh run
	cargo build $(WORKSPACE) --bins
	$(TARGET)/tandem-sim --seeds $(SEEDS) $(ARGS)

# Tests start the services' binaries, which are other packages': `--test` alone builds none.
.PHONY: test-kafka
test-kafka: ## Run the slow tests, on a real Apache Kafka and a real schema registry
	@scripts/setup.sh test-kafka
	@scripts/servers.sh fetch
	@scripts/foreign.sh
	cargo build $(WORKSPACE) --bins
	cargo test $(WORKSPACE) --test kafka

# The built page is committed, so that building Tandem takes no Node.
.PHONY: web
web: ## Build the web page anew, into web/dist
	@scripts/setup.sh test-web
	cd web && npm ci && npm run build

# What was committed has to be what its sources make, to the byte.
.PHONY: test-web
test-web: web ## Test the web page in a browser, on a real Kafka too, and the HTTP paths
	@scripts/servers.sh fetch
	@scripts/schemathesis.sh fetch
	@changed=$$(git status --porcelain -- web/dist web/src/gen); test -z "$$changed" || { echo "$$changed"; \
		echo 'the built page is not current: run npm run build in web/ and commit' >&2; exit 1; }
	cd web && npm test
	cd clients/typescript && npm ci && npm run --silent build && npm run --silent bundle
	cargo build $(WORKSPACE) --bins
	cd web/e2e && npm ci && TANDEM_BINARIES='$(abspath $(TARGET))' npm test

# What was committed of the stubs has to be what their generators make, to the byte. Java's and Rust's
# are made when they are built.
LANGUAGES := python go typescript java rust
STUBS := clients/python/src/tandem/v1 clients/python/src/tandem/service_config.json \
	clients/go/tandem clients/go/service_config.json clients/typescript/src/gen
.PHONY: stubs
stubs: ## Generate the clients' stubs anew from proto/
	@scripts/setup.sh test-clients
	@for language in python go typescript java; do echo "clients/$$language/gen.sh" && clients/$$language/gen.sh; done

.PHONY: test-clients
test-clients: ## Build and test the clients in every language, against three instances
	@scripts/setup.sh test-clients
	@for language in $(LANGUAGES); do echo "clients/$$language/check.sh" && clients/$$language/check.sh; done
	@changed=$$(git status --porcelain -- $(STUBS)); test -z "$$changed" || { echo "$$changed"; \
		echo 'the stubs are not current, or not committed: run make stubs and commit' >&2; exit 1; }
	cargo build $(WORKSPACE) --bins
	cargo test $(WORKSPACE) --test clients

.PHONY: bench-clients
bench-clients: ## Measure what each client's layer costs over the plain stub
	@scripts/setup.sh test-clients
	cargo build $(WORKSPACE) --bins
	TANDEM_BINARIES='$(abspath $(TARGET))' clients/bench.sh

.PHONY: lint
lint: proto-lint ## Formatting, clippy, licences, the gRPC contract, shell scripts, docker-compose.yml
	cargo fmt --all --check
	cargo clippy $(WORKSPACE) --all-targets -- -D warnings
	cargo clippy $(WORKSPACE) --test kafka --test clients -- -D warnings
	cargo deny --locked check --hide-inclusion-graph bans licenses sources
	shellcheck scripts/*.sh .ci/run clients/*.sh clients/*/*.sh
	scripts/compose-lint.sh

.PHONY: proto-lint
proto-lint: ## The gRPC contract alone: style, what may not change, its reference and table of reasons
	@scripts/setup.sh lint
	scripts/contract.sh check

.PHONY: audit
audit: ## Known vulnerabilities in dependencies (fetches their list)
	@scripts/setup.sh lint
	cargo deny --locked check advisories

.PHONY: bench
bench: ## Measure, with LOG=kafka on a broker; ARGS="..." goes to tandem-bench
	@scripts/setup.sh $(if $(filter kafka,$(LOG)),test-kafka,run)
	cargo run --release -p tandem-bench -- $(if $(LOG),--log $(LOG)) $(ARGS)

.PHONY: load
load: ## Put load on a running Tandem; ARGS="..." goes to tandem-load
	@scripts/setup.sh run
	@cargo build --release -p tandem-load
	@exec $(TARGET)/tandem-load $(ARGS)
