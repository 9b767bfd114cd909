# Everything here needs Go and nothing else; `make help` says what there is.
.DEFAULT_GOAL := help
GO ?= go

# The sandbox is a module of its own. It is built with -trimpath, and so is everything else in it: without the flag
# all of Kubernetes would be compiled a second time.
SANDBOX_GO = GOFLAGS="$$($(GO) env GOFLAGS) -trimpath" $(GO) -C sandbox

# Its packages that have tests; none of them links Kubernetes' servers, so they build in seconds.
SANDBOX_PACKAGES = $$($(SANDBOX_GO) list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' ./...)

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
ACTIONLINT  = github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

.PHONY: help
help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# By name, for what they need lies in other chapters' folders.
.PHONY: demo
demo: ## run the chapter of traffic management on the sandbox (the first build takes some minutes)
	$(GO) tool ginkgo ./suites -- --scenario gateway --scenario green --scenario canary --scenario 'blue*' \
	  --scenario no-policy --scenario 'user-agent-*'

.PHONY: demo-all
demo-all: ## run all chapters of the tutorial
	$(GO) tool ginkgo ./suites

.PHONY: test
test: ## run all tests, those on the sandbox too
	$(GO) test ./...
	$(SANDBOX_GO) run ./crd/fetch
	$(SANDBOX_GO) build -ldflags='-s -w' -o $(CURDIR)/bin/sandbox .
	ASSAY_SANDBOX_BINARY=$(CURDIR)/bin/sandbox $(SANDBOX_GO) test $(SANDBOX_PACKAGES)
	$(GO) run ./cmd/assay sandbox -- $(GO) test ./runner ./runner/kube
	ASSAY_E2E=1 $(GO) test -timeout 40m ./suites/e2e

.PHONY: race
race: ## run the tests again under the race detector (needs a C compiler)
	$(GO) test -race ./...
	$(SANDBOX_GO) run ./crd/fetch
	$(SANDBOX_GO) test -race $(SANDBOX_PACKAGES)

.PHONY: check
check: ## check the scenarios without a cluster
	$(GO) run ./cmd/assay check scenarios

.PHONY: lint
lint: ## formatting, vet, staticcheck, workflows, tidy modules
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "not gofmt-ed: the files above"; exit 1; }
	$(GO) mod tidy -diff
	$(GO) -C sandbox mod tidy -diff
	$(GO) -C examples/own-suite mod tidy -diff
	$(GO) vet ./...
	$(GO) -C examples/own-suite vet ./...
	$(SANDBOX_GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	$(GO) run $(ACTIONLINT)

.PHONY: tidy
tidy: ## tidy all modules: after a change of one, the others may need it
	$(GO) mod tidy
	$(GO) -C sandbox mod tidy
	$(GO) -C examples/own-suite mod tidy

.PHONY: transcript
transcript: ## write the README's transcripts anew, from real runs
	ASSAY_E2E=1 $(GO) test -count=1 ./suites/e2e -run TestREADMEShows -update

.PHONY: generate
generate: ## write the JSON Schemas and docs/reference.md anew
	$(GO) run ./internal/reference

# Every input that finds something new is made smaller first, by default for up to a
# minute: a page of two screens would take all the time there is.
.PHONY: fuzz
fuzz: ## fuzz every parser for half a minute each
	@for f in $$(grep -rl --include='*_test.go' '^func Fuzz' runner cmd internal sandbox); do \
	  d=$$(dirname $$f); \
	  for n in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9]*\)(.*/\1/p' $$f); do \
	    echo "$$d $$n"; (cd $$d && $(GO) test -run '^$$' -fuzz "^$$n$$" -fuzztime 30s -fuzzminimizetime 10x .) || exit 1; \
	  done; \
	done

# The tables in docs/verdict.md are written by it: make bench-verdict FLAGS=-update.
.PHONY: bench-verdict
bench-verdict: ## prove the verdict in full (some minutes)
	$(GO) test ./runner/verdict -run '^TestProof$$' -count=1 -v -timeout 2h -full $(FLAGS)

# BENCH="-judged -rounds 3" is a short look; BENCH=-h says what else there is.
.PHONY: bench-sampler
bench-sampler: ## measure the sampler beside wrk (needs nginx and wrk: apt-get install nginx-light wrk)
	$(GO) build -o bin/benchsampler ./internal/benchsampler
	bin/benchsampler $(BENCH)

.PHONY: ci
ci: ## what CI runs
	bash .ci/run
