# Verbs of the project. Each works from a clean clone; run and test need no Node.
.DEFAULT_GOAL := help
SHELL := /bin/bash
export CGO_ENABLED := 0
GO ?= go
FUZZTIME ?= 10s
STORM ?= 10000000
ARGS ?=

help: ## print these verbs
	@grep -hE '^[a-z][a-z0-9-]*:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

deps: ## install what run and test use: Go modules, and ffmpeg, apertium and chromium where that is permitted
	@bash internal/deps/deps.sh

build: ## build bin/atalaya
	$(GO) build -trimpath -o bin/atalaya ./cmd/atalaya

run: deps build ## simulate and run the demo campaign, and open the workbench
	./bin/atalaya demo $(ARGS)

test: deps ## run every test, browser tests included; ends with the count
	@bash internal/deps/test.sh

soak: ## the long proofs at full size: kills, coverage, simulations
	ATALAYA_SOAK=1 $(GO) test -count=1 -timeout 3h ./store/... ./internal/app/... ./cmd/... ./locate/...

race: ## the tests of what runs concurrently, under the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GO) test -race -short -timeout 30m ./store/... ./serve/... ./internal/app/... ./numeric/...

fuzz: ## fuzz every parser: guided for FUZZTIME, then STORM executions of blind edits
	@bash internal/deps/fuzz.sh $(FUZZTIME) $(STORM)

bench: build ## the project's own benchmarks, as ratios to a reference of the same run
	./bin/atalaya bench $(ARGS)

web: ## rebuild the workbench (needs Node 20)
	cd web && npm ci --ignore-scripts && npm run build

e2e: deps ## the browser tests alone, with screenshots in build/screenshots
	$(GO) test -count=1 -v ./internal/e2e/...

golden: ## rewrite the golden files of the commands; then read the diff
	ATALAYA_GOLDEN=1 $(GO) test -count=1 ./cmd/atalaya/... ; git diff --stat

check: ## formatting, vet, and every test
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	$(MAKE) test

.PHONY: help deps build run test soak race fuzz bench web e2e golden check
