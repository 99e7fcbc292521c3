# One idea a target; `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# The version is the tag or commit; a tree without git says development.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo development)
LDFLAGS := -s -w -X main.version=$(VERSION)
PURE     = $(shell go list -e -f '{{if .GoFiles}}{{.ImportPath}}{{end}}' ./context/... ./actions/... ./agent/engine \
	./sync/wire ./sync/uplink ./sync/hub ./firmware/boardtest | grep -v '/actions/policy$$')
# The device's own API is HTTP/1.1 on the loopback interface, so HTTP/2 (0.4 MB) stays out.
# What is not on the way of a signal is compiled without inlining, which saves another 0.6 MB.
COLD := net/... encoding/... log/... regexp/... mime/... compress/... math/big/... os/... fmt time strconv reflect syscall sort \
	hash/... math/rand/... crypto/sha1 crypto/hpke crypto/elliptic \
	bufio context errors flag io/... path/... text/... unicode/... internal/poll internal/strconv \
	crypto crypto/x509/... crypto/tls/... crypto/ecdsa/... crypto/ecdh/... crypto/rsa/... crypto/ed25519/... \
	$(addprefix crypto/internal/fips140/,mlkem ecdsa rsa nistec/... edwards25519/...) \
	vendor/... golang.org/... go.yaml.in/... go.bug.st/... aead.dev/... \
	periph.io/... github.com/eclipse/... github.com/gorilla/... go.etcd.io/... github.com/philhofer/... \
	$(addprefix github.com/tact-edge/tact/,agent agent/store agent/local agent/moments agent/zones \
	sync/mqtt/... sync/uplink sync/outbox firmware/... cmd/...)
# Functions begin at every 16 bytes, as on arm64, instead of every 32: 0.1 MB of amd64.
DEVICE_LDFLAGS := $(LDFLAGS) -funcalign=16
DEVICE_FLAGS := -tags nethttpomithttp2 $(foreach package,$(COLD),-gcflags=$(package)=-l) -trimpath
DEVICES := amd64 arm64 armv7 riscv64

# Mosquitto lives in sbin, which users do not have in their PATH.
export PATH := $(PATH):/usr/sbin:/usr/local/sbin

.PHONY: help build test bench peers demo lint fuzz soak field cross hash release tools clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build tact and tactd into bin/
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/tact
	CGO_ENABLED=0 go build $(DEVICE_FLAGS) -ldflags '$(DEVICE_LDFLAGS)' -o bin/ ./cmd/tactd

tools: ## install what the tests need and is missing (apt, with sudo where needed)
	@.ci/tools

# One package more than there are cores: those that wait for processes and disks leave theirs.
test: tools ## run all tests with the race detector
	go test -race -timeout 8m -p $$(( $$(nproc) + 1 )) ./...
	go test -run '^TestSealedKeyFile$$' ./firmware/update

demo: ## show the whole product at work: hub, broker and three devices
	go run ./cmd/tact demo

bench: tools ## measure, and write .bench/latest.json
	@mkdir -p .bench
	go test -run '^$$' -bench . -benchmem -timeout 20m ./... | tee .bench/latest.txt
	$(PEERS) -run '^$$' -bench . -timeout 20m . | tee -a .bench/latest.txt
	go run ./cmd/tact/internal/bench <.bench/latest.txt >.bench/latest.json
	@echo ".bench/latest.json is written"

# A module of its own keeps the peers' modules out of the product's.
PEERS := go -C testdata/peers test -count=1

peers: ## hold the rule engine to expr, cel-go and grule, and measure them side by side
	go -C testdata/peers vet .
	$(PEERS) -timeout 20m .
	$(PEERS) -run '^$$' -bench . -timeout 20m .

lint: ## check format, vet, staticcheck, generated code and the rules of the house
	@unformatted=$$(gofmt -l actions agent cmd context firmware sync testdata/peers); \
	if [ -n "$$unformatted" ]; then echo "gofmt these:" >&2; echo "$$unformatted" >&2; exit 1; fi
	go vet ./...
	go tool staticcheck ./...
	go test -count=1 ./cmd/tact/internal/houserules

fuzz: ## run every fuzz target for FUZZTIME (20s; the four of LONG for LONGTIME, 10m)
	@for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			time=$${FUZZTIME:-20s}; \
			case " $(LONG) " in *" $${package#github.com/tact-edge/tact/}:$$target "*) time=$${LONGTIME:-$${FUZZTIME:-10m}};; esac; \
			echo "$$package $$target for $$time"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $$time -fuzzminimizetime 10x $$package; \
		done; \
	done

# Policies, event lines, bundles, conditions: what strangers write, and what decides on it.
LONG := actions/policy:FuzzPolicy actions/policy:FuzzConditions context/event:FuzzParseLine actions/catalog:FuzzDecode

soak: tools ## hold TACT_RUNS (10000) random policies to the contract, kill everything TACT_KILLS (1000) times, cut and wear links, copy a device
	@seed=$${TACT_SEED:-$$(date +%s)}; runs=$${TACT_RUNS:-10000}; kills=$${TACT_KILLS:-1000}; \
	echo "TACT_SEED=$$seed TACT_RUNS=$$runs TACT_KILLS=$$kills"; \
	TACT_SEED=$$seed TACT_RUNS=$$runs go test -count=1 -v -timeout 6h -run '^TestProperties$$' ./agent/sim; \
	TACT_DECISIONS=10000 go test -count=1 -v -timeout 1h -run '^TestRecordedDecisionsReplay$$' ./agent/sim; \
	TACT_RUNS=$$runs go test -count=1 -v -timeout 2h -run '^(TestSessionsAgainstFullEvaluation|TestMixedPairsInAllSessions)$$' ./context/rule; \
	TACT_RUNS=$$(( runs / 50 + 1 )) go test -count=1 -v -timeout 2h -run '^(TestManySessions|TestStepsLookAtFewSessions)$$' ./context/moment ./agent/engine; \
	TACT_SEED=$$seed TACT_RUNS=$$(( runs / 10 + 1 )) go test -count=1 -v -timeout 6h -run '^TestOneOverThreeDevices$$' ./agent/sim; \
	TACT_SEED=$$seed TACT_KILLS=$$kills go test -race -count=1 -v -timeout 12h -parallel 4 -run '^TestBalanceUnderKills$$' ./cmd/tactd; \
	TACT_SEED=$$seed TACT_FAULTS=$${TACT_FAULTS:-300} go test -race -count=1 -v -timeout 2h -run '^TestBalanceUnderBadLinks$$' ./cmd/tactd; \
	go test -race -count=$${TACT_CLONES:-20} -timeout 2h -run '^TestClonedDevice$$' ./cmd/tactd; \
	TACT_SLICES=$${TACT_SLICES:-10000} go test -count=1 -v -timeout 1h -run '^TestManySlices$$' ./cmd/tactd; \
	TACT_SEED=$$seed TACT_LIVES=$${TACT_LIVES:-400} go test -race -count=1 -v -timeout 2h -run '^TestKilledAnywhereGoesOnWhereItWas$$' ./agent; \
	TACT_SEED=$$seed TACT_KILLS=$${TACT_DATABASE_KILLS:-50} go test -race -count=1 -v -timeout 1h -run '^TestDatabaseKilled$$' ./sync/hub/serve

field: ## run the tests over the field data in TACT_FIELD_DATA
	@if [ ! -d "$${TACT_FIELD_DATA:-}" ]; then \
		echo "field: set TACT_FIELD_DATA to the folder of the field data" >&2; exit 1; fi
	TACT_FIELD_DATA="$$(cd "$$TACT_FIELD_DATA" && pwd)" go test -count=1 -timeout 20m -run '^TestField' ./...

cross: $(DEVICES:%=bin/tactd-linux-%) hash ## build tactd for every device, test the pure rooms as 32-bit, compare a replay's hash over chips
	GOARCH=386 CGO_ENABLED=0 go test -timeout 8m $(PURE)

# The same decisions on every chip: amd64 of two levels, 386, and arm64 where qemu-user is at hand.
hash: ## replay TACT_DECISIONS (10000) recorded decisions on every chip at hand, and compare their hash
	@.ci/hash

# The name of a device's chip is GOARCH, with the version for arm.
bin/tactd-linux-%: FORCE
	GOOS=linux GOARCH=$(if $(filter armv7,$*),arm GOARM=7,$*) CGO_ENABLED=0 \
		go build $(DEVICE_FLAGS) -ldflags '$(DEVICE_LDFLAGS)' -o $@ ./cmd/tactd

release: cross ## put binaries and their checksums into dist/
	rm -rf dist && mkdir -p dist
	cp $(DEVICES:%=bin/tactd-linux-%) LICENSE dist/
	GOOS=linux GOARCH=amd64 CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o dist/tact-linux-amd64 ./cmd/tact
	GOOS=linux GOARCH=arm64 CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o dist/tact-linux-arm64 ./cmd/tact
	cd dist && sha256sum * >SHA256SUMS
	@echo "dist/ is ready"

clean: ## remove what was built
	rm -rf bin dist

.PHONY: FORCE
FORCE:
