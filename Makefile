# CloudArq. `make help` explains the targets.

SHELL := /bin/bash
.DEFAULT_GOAL := help

# The emulator speaks plain HTTP on this machine; a bundle of certificates for
# the outside must not change how it is reached.
unexport AWS_CA_BUNDLE

# Packages that link the AWS SDK take minutes to compile with the race detector,
# and the code in them that runs side by side is small; pkg/aws/collect has it tested.
SDK_FREE := $$(go list ./pkg/... ./internal/... | grep -vE '/collect$$|/collectors$$|/aws/client$$|/aws/fake$$|/collecttest$$|internal/generate|internal/newservice|internal/operations|internal/iamdata|internal/arch|internal/release|table/dynamo$$|queue/sqs$$|blob/s3$$|notify/sns$$|secret/kms$$|pkg/access/connect$$|pkg/local/keep$$|pkg/access/bootstrap$$|pkg/api/client$$')

.PHONY: help demo test e2e check fmt vet lint generate blinds prove build bench warm emulator-test clean

help: ## Show this help
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

demo: warm ## Audit a sample estate of three accounts, change it, audit again
	@go run ./test/demo

test: warm ## Run all tests that are quick (minutes; the first build takes longer)
	@test/emulator/python -c ''
	go test -timeout 20m ./...

e2e: warm ## Run the command and the deployed functions end to end, with every kill point (about twelve minutes; RUN=pattern for some of it)
	@test/emulator/python -c ''
	CLOUDARQ_E2E_SAMPLE=1 go test -count=1 -timeout 30m $(if $(RUN),-run '$(RUN)') ./cmd/... ./test/...

# What is given to the program, which asks before it does anything.
SMOKE := $(if $(PROFILE),-profile "$(PROFILE)") $(if $(REGION),-region "$(REGION)") $(if $(DIST),-dist "$(DIST)") $(if $(SERVICES),-services "$(SERVICES)") \
	$(if $(YES),-yes) $(if $(KEEP),-keep) $(if $(DESTROY),-destroy) $(if $(POLICY),-policy)
.PHONY: smoke
smoke: ## Try a deployment in your own AWS account, and delete it: PREFIX=name PROFILE=… REGION=… (fifteen minutes, cents; docs/operations.md)
	@go run ./test/smoke -prefix "$(PREFIX)" $(SMOKE)

.PHONY: record-release
record-release: warm ## Record what this tree's functions and command write, for the upgrade test of the next release
	@test/emulator/python -c ''
	CLOUDARQ_RECORD_RELEASE=$(CURDIR)/test/serverless/testdata/release.json.gz go test -count=1 -v -run '^TestRecordRelease$$' ./test/serverless
	@printf '# What the last release (release.json.gz) makes of what this one writes and it does not have: a kind of record, or a field, a tab, and\n# what becomes of it after a rollback. TestUpgrade wants a line for each; docs/operations.md says to people what concerns them.\n' >test/serverless/testdata/rollback.tsv

.PHONY: oracle
SIMULATOR := @cloud-copilot/iam-simulate@0.1.173
oracle: ## Compare the policy evaluator with a public IAM simulator (needs node; a minute)
	mkdir -p .cache/oracle && cd .cache/oracle && npm install --no-save --no-package-lock --prefix . $(SIMULATOR)
	CLOUDARQ_SIMULATOR=$(CURDIR)/.cache/oracle go test -count=1 -v -run TestAgainstSimulator ./pkg/judge/iampolicy

check: fmt vet lint generated race emulator-test test ## Everything that a change must pass

fmt: ## Fail if a file is not formatted
	@unformatted="$$(gofmt -l bench cmd functions internal pkg test)"; test -z "$$unformatted" || { echo "not formatted: $$unformatted"; exit 1; }

vet: ## go vet
	go vet ./...

lint: ## golangci-lint, from its own module (the first run builds it: about five minutes)
	@mkdir -p bin
	cd tools && go build -o ../bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	bin/golangci-lint run ./...

.PHONY: race generated
race: ## The tests of everything that does not link the AWS SDK, with the race detector
	go test -race -timeout 30m -cpu 4 $(SDK_FREE)

generate: ## Write the files that follow from the code
	cd tools && go tool templ generate -path ../pkg/results/report && go tool templ generate -path ../pkg/console/pages
	go run ./internal/register .
	go run ./internal/generate .
	@# What operations answer follows from the policy, and the OpenAPI document from what they answer.
	go run ./test/fuzz -walk pkg/api/examples.json
	go run ./internal/generate .
	go run ./bench/cost

generated: ## Fail if a generated file is stale
	@$(MAKE) --no-print-directory generate >/dev/null
	@git diff --exit-code --stat -- '*_templ.go' pkg/services/registered.go pkg/services/collectors/registered.go pkg/api/examples.json pkg/services/examples.tsv docs/openapi.json pkg/services/collectors/clients_test.go bench/synthetic/called.go pkg/policy/operations.tsv pkg/policy/actions.tsv pkg/policy/version.go docs/policy.md docs/checks.md docs/compliance.md docs/correctness.md docs/cost.md cloudformation terraform README.md || { echo "generated files are stale: commit what make generate wrote"; exit 1; }

.PHONY: fuzz fuzz-short fuzz-parsers
fuzz: warm ## Have schemathesis make 20,000 requests of the OpenAPI document and more, as everybody, and record them in docs/fuzzing.md (some minutes)
	go run ./test/fuzz -examples 25 -record docs/fuzzing.md
fuzz-short: warm ## The same with a few thousand requests, the same set each time (SEED=7 for another)
	go run ./test/fuzz -examples 2 -phases examples,coverage,fuzzing -seed $(or $(SEED),1)

FOR := 2m
fuzz-parsers: ## Fuzz each parser of what strangers send (FOR=2m for each; ONLY=Token for some)
	tools/fuzz-parsers.sh $(FOR) $(ONLY)

BLINDS := pkg/policy/grant/blinds
blinds: warm ## Record which facts each operation gives and each check reads (SERVICE=kms for one service, in seconds)
	rm -rf .cache/blinds && mkdir -p .cache/blinds/reads .cache/blinds/takes
	CLOUDARQ_RECORD=$(CURDIR)/.cache/blinds go test -count=1 -run '^Test(Checks|Collect)' $(if $(SERVICE),./pkg/services/$(SERVICE)/...,./pkg/services/...)
	rm -f $(BLINDS)/*/$(or $(SERVICE),*).tsv
	cp -r .cache/blinds/. $(BLINDS)/

.PHONY: mutations
mutations: warm ## Change each part of each of AWS's answers in turn, and count; no verdict may become PASS, or FAIL without a flag
	@go test -count=1 -v -run '^(TestCollect|TestAcross)$$' ./pkg/services/... >.cache/mutations; rc=$$?; \
	sed -n 's/^.* \([0-9]*\) fields, \([0-9]*\) mutations, \([0-9]*\) verdicts.*/\1 \2 \3/p' .cache/mutations | \
	awk '{f+=$$1; m+=$$2; v+=$$3} END {printf "%d fields, %d mutations, %d verdicts turned\n", f, m, v}'; \
	test $$rc = 0 || grep -E '^ *[a-z]+\.go|^ *--- FAIL' .cache/mutations; exit $$rc

prove: warm ## Prove on a copy that a changed call stops the build until the policy is made anew
	tools/prove-policy.sh

build: warm ## Build bin/cloudarq (VERSION=1.2.3 stamps it)
	go build -ldflags "-X github.com/cloudarq/cloudarq/internal/version.stamped=$(or $(VERSION),dev)" -o bin/cloudarq ./cmd/cloudarq

bench: build ## Measure an audit of 1,000 resources, and the checks alone; BESIDE=path measures another build in turn
	go test -run '^$$' -bench . ./pkg/judge/check ./pkg/judge/iampolicy
	go run ./bench $(if $(BESIDE),-beside $(BESIDE))

.PHONY: fanout scale load fairness cost functions size invoke-api invoke-scheduler invoke-checker invoke-aggregator invoke-worker
fanout: ## Let 10,000 connections be due within an hour, in one process (about five minutes of two free cores)
	go run ./bench/fanout

SCALE := 10000,100000,1000000
scale: ## Audit accounts of 10,000, 100,000 and 1,000,000 resources (SCALE=10000 for the smallest alone): time, memory, growth
	go run ./bench/scale -resources $(SCALE)

load: build ## Ask a served directory of 100,000 and of 500,000 findings for lists while others write, then kill it (about three minutes of two free cores)
	go run ./bench/load

fairness: ## Print who waits how long in the tasks queues, by a model of them
	@go run ./bench/fairness

cost: ## Meter audits of synthetic accounts again, and write docs/cost.md of it (minutes)
	go run ./bench/cost record

functions: ## Build bin/functions/*/bootstrap for arm64, which template.yaml deploys
	@tools/functions.sh

size: warm functions ## Print how large the functions are and how long they take to start
	@go run ./test/size

invoke-api: warm ## Run a function on the emulator with its event of events/; so invoke-scheduler, -checker, -aggregator, -worker
	@go run ./test/invoke api events/http.json
invoke-scheduler: warm
	@go run ./test/invoke scheduler events/schedule.json
invoke-checker: warm
	@go run ./test/invoke checker events/tasks.json
invoke-aggregator: warm
	@go run ./test/invoke aggregator events/results.json
invoke-worker: warm
	@go run ./test/invoke worker events/purge.json

.PHONY: requirements
UV := 0.13.9
# Of the oldest Python that we promise, and for all systems: hashes are those of all files of a package's version.
requirements: ## Write the requirements.txt of test/emulator and test/fuzz anew from their requirements.in (UPGRADE=1: with the newest that fit; asks a package index)
	python3 -m venv .cache/uv && .cache/uv/bin/python -m pip install --quiet uv==$(UV)
	for folder in emulator fuzz; do ( cd test/$$folder && ../../.cache/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url $(if $(UPGRADE),--upgrade) \
		--custom-compile-command "make requirements" requirements.in -o requirements.txt ) || exit 1; done

emulator-test: ## The tests of the emulator, of the sample estate and of the deployer (Python)
	cd test/emulator && ./python -m pytest -q tests
	cd test/estate && ../emulator/python -m pytest -q tests
	cd test/stack && ../emulator/python -m pytest -q tests

.PHONY: release
release: ## Make dist of a version: VERSION=1.2.3, PLATFORMS=linux/amd64 for one alone, SIGNING_KEY=file to sign (half an hour the first time; docs/releases.md)
	@go run ./internal/release -version "$(VERSION)" $(if $(PLATFORMS),-platforms "$(PLATFORMS)") $(if $(SIGNING_KEY),-key "$(SIGNING_KEY)")

# A first build compiles the AWS SDK: about ten minutes of processor time.
warm:
	@tools/compile.sh ./cmd/cloudarq ./test/...

clean: ## Remove what was built here
	rm -rf bin dist .venv .venv-fuzz .cache
