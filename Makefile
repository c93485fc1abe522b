# make, or make help, lists what there is.

GOLANGCI_LINT = go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

# The name and checksum of every file below some folders; node_modules apart.
checksums = find $(1) -name node_modules -prune -o -type f -exec cksum {} + | sort -k 3

# Runs a target and fails if that changed a file below some folders, and names the files.
define unchanged
	@set -e; before=$$(mktemp); after=$$(mktemp); trap 'rm -f "$$before" "$$after"' EXIT; \
	$(call checksums,$(2)) > "$$before"; \
	$(MAKE) --no-print-directory $(1); \
	$(call checksums,$(2)) > "$$after"; \
	diff "$$before" "$$after" || { \
		echo "The files above (<: as committed, >: as generated) were not current. Run make $(1) and commit what it changes." >&2; \
		exit 1; \
	}
endef

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## Try it out: acquaint dev
	go run ./cmd/acquaint dev

.PHONY: test
test: ## Run the tests, on SQLite and on PostgreSQL
	go test ./...

.PHONY: lint
lint: ## Look for mistakes, and for imports against the architecture
	$(GOLANGCI_LINT) run --concurrency 2 --timeout 10m

.PHONY: generate
generate: ## Generate ent from ent/schema, and graph from graph/schema
	go generate ./ent ./graph

.PHONY: migration
migration: ## Write a migration from ent/schema: make migration NAME=what_changes
	@test -n "$(NAME)" || { echo "Say what changes: make migration NAME=what_changes" >&2; exit 2; }
	go run ./internal/store/migrations/diff "$(NAME)"

.PHONY: web
web: ## Build the browser pages into web/dist (needs Node)
	cd web && npm ci && npm run build

.PHONY: bench
bench: ## Measure everything into bench/RESULTS.md: 15 minutes, or two with QUICK=1 (needs PostgreSQL)
	go run ./bench $(if $(QUICK),-size quick -out bench/quick)

.PHONY: check-generated
check-generated: ## Fail if make generate changes anything
	$(call unchanged,generate,ent graph)

.PHONY: check-web
check-web: ## Fail if make web changes anything (needs Node)
	$(call unchanged,web,web/dist)

.PHONY: check-modules
check-modules: ## Fail if go.mod or go.sum is not tidy, or a module is not what go.sum says
	go mod tidy -diff
	go mod verify

.PHONY: test-race
test-race: ## Run the tests with the race detector
	go test -race -timeout 20m ./...

.PHONY: faults
faults: ## Do what goes wrong in production to real servers, for ROUNDS times as long as the tests do
	go test ./cmd/acquaint -count=1 -timeout 2h -v -run '$(FAULTS)' -args -rounds $(or $(ROUNDS),10)

FAULTS = ^Test(Nodes|NodeIs|Clients|Database|Rollout|Broker|Listeners|Standby|Disk|ReadOnly|Drain|InFlight|SecondSignal)

.PHONY: verify
verify: check-modules check-generated lint test-race ## Everything that CI does, but for e2e

.PHONY: e2e
e2e: check-web ## Run the browser tests (needs Node and Chromium)
	cd e2e && npm ci && npm test
