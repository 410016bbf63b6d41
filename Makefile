# The commands of this project; `make help` lists them. Go and make are all that a machine needs beforehand.

# Settings have no defaults here: to the commands, a variable that is not set means "as at the last start".

MODULES := libs sql services/accounts services/orders gateway deploy deploy/servers
# Our own tools are checked as all modules are; they are no part of the system.
CHECKED := $(MODULES) .ci/tools/testrun .ci/tools/apilint .ci/tools/oasdiff
# The race detector needs a C compiler; a machine without one runs the same tests without it.
RACE    := $(if $(shell command -v $(or $(CC),gcc) 2>/dev/null),-race)
BIN     := $(CURDIR)/.data/bin
# The go command builds it only if its sources have changed. A build needs space on the disk, which an operator may just be looking for.
OMS     := { test -x $(BIN)/oms || echo "building the oms command (a minute, once)"; go build -o $(BIN)/oms ./deploy/cmd/oms || { test -x $(BIN)/oms && echo "what was built last runs"; }; } && $(BIN)/oms

.PHONY: help
help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: up down ps logs clean replication failover rejoin backup backup-check restore poc admin import-drf keys
up: ## start everything and wait until it is ready (MODE=docker|native)
	@$(OMS) up
down: ## end what `make up` started; the data stays
	@$(OMS) down
ps: ## show what runs
	@$(OMS) ps
logs: ## show the last log lines (SERVICE=accounts for one), or those of one request (REQUEST=its request_id)
	@$(OMS) logs --request '$(REQUEST)' $(SERVICE)
clean: ## down, and remove data, logs, secrets and binaries
	@$(OMS) clean
replication: ## compare the two database servers
	@$(OMS) replication
failover: ## promote the replica: the primary is lost or to be taken down (FORCE=1: even if the replica lacks data)
	@$(OMS) failover
rejoin: ## make the server that is not the primary its replica again
	@$(OMS) rejoin
backup: ## write all data into FILE=…
	@$(OMS) backup --file '$(FILE)'
backup-check: ## verify the backup FILE=… and show what is in it; nothing needs to run
	@$(OMS) backup-check --file '$(FILE)'
restore: ## replace all data with the backup FILE=… (FORCE=1: even if there is data; FORCE=unsealed: even if the file does not show whether it is whole; both: FORCE=1,unsealed)
	@$(OMS) restore --file '$(FILE)'
poc: ## walk through the running system
	@$(OMS) poc
admin: ## make EMAIL=… an admin; the password is asked for, or read from standard input
	@$(OMS) admin --email '$(EMAIL)'
import-drf: ## bring members, sessions and orders from drf-oms; FILE=… holds the address of its database: user:password@tcp(host:3306)/database (DRY_RUN=1 changes nothing)
	@$(OMS) import-drf --file '$(FILE)'
keys: ## sign tokens with a new key; old tokens stay valid; a later run removes keys no longer needed
	@$(OMS) keys rotate

# Which tests there are follows from the packages: a test that imports what starts servers needs servers (SERVED), and packages
# called "plans" examine query plans in large tables. Those of deploy take longest and mostly wait, so they come first, and two more
# packages than there are cores run at a time. No result of an earlier run counts (-count=1): the tests of deploy build the
# services themselves, and the go command does not know of that. What the system does under load takes minutes, as do imports that are
# killed ten times, so chaos and the tests with such names (LONG) have a target of their own. `make build` vets, so that tests need not (-vet=off), and without
# symbols for a debugger (-w) test binaries are linked in half the time.
ALL_TESTS = ./deploy/... ./deploy/servers/... $(patsubst %,./%/...,$(filter-out deploy deploy/servers,$(MODULES)))
LIST      = all=$$(go list -f '{{.ImportPath}} {{.TestImports}} {{.XTestImports}}' $(ALL_TESTS))
SERVED    = /[ [](oms.internal\/servers|oms.internal\/libs\/[a-z]+\/(mysqlx|service)test)/
UNIT      = $$(echo "$$all" | awk '!$(SERVED) {print $$1}')
MOST      = $$(echo "$$all" | awk '$$1 !~ /\/(plans|chaos|browser)$$/ {print $$1}')
DATABASE  = $$(echo "$$all" | awk '$$1 ~ /\/(dbpair|backup|mysqlx|events|idempotency|accounts\/.*|orders\/.*)$$/ && $(SERVED) {print $$1}')
PLANS     = $$(echo "$$all" | awk '$$1 ~ /\/plans$$/ {print $$1}')
LONG      = UnderLoad|KilledTenTimes
AT_ONCE   = -p $$(($$(getconf _NPROCESSORS_ONLN) + 2))
TESTRUN   = $(BIN)/testrun $(RACE) -vet=off -ldflags=-w
TEST_TOOLS = for tool in testrun apilint; do (cd .ci/tools/$$tool && GOWORK=off go test -count=1 ./...) || exit 1; done

.PHONY: setup test-unit test test-plans test-load test-mysql test-browser test-hostile hostile-load test-sessions chaos
setup: ## install what tests need: MariaDB's packages, nats-server
	@$(OMS) setup
test-unit: $(BIN)/testrun ## the tests that need no server: a minute on an idle machine
	@$(TEST_TOOLS)
	@$(LIST) && $(TESTRUN) -timeout 5m $(UNIT)
test: setup $(BIN)/testrun ## everything a contributor must pass: unit, integration and end-to-end tests
	@echo "testing with $(or $(RACE),no race detector: there is no C compiler)"
	@$(TEST_TOOLS)
	@$(LIST) && $(TESTRUN) $(AT_ONCE) -count=1 -timeout 20m -skip '$(LONG)' $(MOST)
test-plans: setup $(BIN)/testrun ## examine the plans of all queries at 200,000 members and 1,000,000 orders
	@$(LIST) && $(BIN)/testrun -timeout 20m $(PLANS)
test-load: setup $(BIN)/testrun ## the system under load while it is upgraded, attacked and broken in each way once; imports that are killed
	@$(TESTRUN) -p 1 -count=1 -timeout 20m -run '$(LONG)' ./deploy/e2e/ ./services/accounts/cmd/accounts/ ./services/orders/cmd/orders/
	@$(TESTRUN) -count=1 -timeout 20m ./deploy/chaos/
test-mysql: $(BIN)/testrun ## the tests that use a database, on MySQL in containers, one package at a time
	@$(LIST) && OMS_TEST_ENGINE=mysql $(TESTRUN) -p 1 -count=1 -timeout 20m $(DATABASE)
test-browser: setup $(BIN)/testrun ## the gateway's pages in Chromium, against a system of its own
	@$(TESTRUN) -count=1 -timeout 20m ./deploy/browser/
test-hostile: setup ## 120,000 generated hostile requests
	OMS_HOSTILE_REQUESTS=120000 go test -count=1 -timeout 30m -v -run Hostile ./deploy/e2e/
hostile-load: setup ## 60 s of attacks from three addresses in all ways at once, 60 s of invented tokens, and what other members notice
	OMS_HOSTILE_SECONDS=60 go test -count=1 -timeout 30m -v -run 'ThreeAddresses|InventedTokens' ./deploy/e2e/
test-sessions: setup ## 1,000 logouts at one gateway, asked for at another; rotations; 30 s of logins
	OMS_LOGOUTS=1000 OMS_LOGIN_SECONDS=30 go test -count=1 -timeout 60m -v -run 'Logout|Rotation|TwoHundred' ./deploy/e2e/
chaos: setup ## break the system under load, each fault ROUNDS=20 times; lag, cut answers, events (OMS_TEST_ENGINE=mysql for MySQL)
	OMS_CHAOS_ROUNDS=$(or $(ROUNDS),20) OMS_CHAOS_RATE=210 OMS_CHAOS_PAIRS=100000 OMS_CHAOS_ANSWERS=10000 OMS_CHAOS_KILLS=4 \
		go test -count=1 -timeout 8h -v ./deploy/chaos/

.PHONY: bench profile
BENCH = go build -o $(BIN)/bench ./deploy/bench && $(BIN)/bench
bench: ## measure it against what the machine can do (QUICK=1 for a short run, GROWTH=1 for small data against large, ONLY=rows)
	@$(BENCH) $(if $(QUICK),-quick) $(if $(GROWTH),-growth) -only '$(ONLY)'
profile: ## profile the services under load on ROUTE='GET /orders/' (QUICK=1 with little data)
	@$(BENCH) $(if $(QUICK),-quick) -profile '$(or $(ROUTE),GET /orders/)'

.PHONY: fmt lint api-check gen pages pictures build
fmt: ## format the code
	gofmt -w $(CHECKED)
lint: $(BIN)/golangci-lint $(BIN)/apilint $(BIN)/oasdiff ## check conventions and layers, module by module, and the description of the API
	@set -e; for module in $(CHECKED); do echo "lint $$module"; (cd $$module && GOWORK=off $(BIN)/golangci-lint run ./...); done
	@echo "lint gateway/openapi.yaml"
	@$(BIN)/apilint gateway/openapi.yaml
	@$(BIN)/oasdiff validate --fail-on INFO gateway/openapi.yaml
api-check: $(BIN)/oasdiff ## find what breaks clients of the last release, which gateway/openapi.released.yaml describes
	@$(BIN)/oasdiff breaking --fail-on WARN --severity-levels .ci/tools/oasdiff/levels.txt \
		--err-ignore gateway/openapi.accepted.md --warn-ignore gateway/openapi.accepted.md gateway/openapi.released.yaml gateway/openapi.yaml
	@cd .ci/tools/oasdiff && GOWORK=off go test -count=1 ./...
gen: $(BIN)/sqlc $(BIN)/oapi-codegen ## write generated code anew
	cd sql && $(BIN)/sqlc generate
	cd libs/client/api && $(BIN)/oapi-codegen -config oapi-codegen.yaml ../../../gateway/openapi.yaml
pages: ## write anew what the gateway's pages take from npm (needs npm)
	@.ci/tools/pages/copy
pictures: setup ## take the pictures of the pages that README shows
	OMS_PICTURES=$(CURDIR)/.github/images go test -count=1 -timeout 20m -run LightAndInDark ./deploy/browser/
build: ## build each module by itself, without go.work
	@set -e; for module in $(CHECKED); do echo "build $$module"; (cd $$module && GOWORK=off go build -o /dev/null ./... && GOWORK=off go vet ./...); done

# Tools are pinned in modules of their own, so that their dependencies are not ours.
$(BIN)/golangci-lint: TOOL = github.com/golangci/golangci-lint/v2/cmd/golangci-lint
$(BIN)/sqlc:          TOOL = github.com/sqlc-dev/sqlc/cmd/sqlc
$(BIN)/oasdiff:       TOOL = github.com/oasdiff/oasdiff
$(BIN)/oapi-codegen:  TOOL = github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen
$(BIN)/testrun $(BIN)/apilint: TOOL = .
$(BIN)/golangci-lint $(BIN)/sqlc $(BIN)/oasdiff $(BIN)/oapi-codegen: $(BIN)/%: .ci/tools/%/go.mod
$(BIN)/testrun: $(wildcard .ci/tools/testrun/*)
$(BIN)/apilint: $(wildcard .ci/tools/apilint/*)
$(BIN)/golangci-lint $(BIN)/sqlc $(BIN)/oasdiff $(BIN)/oapi-codegen $(BIN)/testrun $(BIN)/apilint: $(BIN)/%:
	@echo "building $* (a minute, once)"
	@mkdir -p $(BIN)
	@cd .ci/tools/$* && GOWORK=off CGO_ENABLED=0 go build -o $@ $(TOOL)
