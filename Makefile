# Every target needs Go 1.26, git and make only; what else a target needs it fetches at a pinned version through go run, or says what is missing.

GO            ?= go
BIN           := bin/cytisus
STORE         ?= .cytisus
STATICCHECK   := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOFUMPT       := mvdan.cc/gofumpt@v0.12.0
GOVULNCHECK   := golang.org/x/vuln/cmd/govulncheck@v1.9.0
comma         := ,
CROSS         := darwin/arm64 windows/amd64 linux/arm64 linux/386 freebsd/amd64

.DEFAULT_GOAL := help
.PHONY: $(shell awk -F: '/^[a-z-]+:.*\#\# / { print $$1 }' $(MAKEFILE_LIST))

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build the command into bin/
	@$(GO) build -o $(BIN) ./lsp/cmd/cytisus

run: build ## index the Go standard library into ./.cytisus and ask it two questions; run it twice to see a warm start
	@./$(BIN) demo --store $(STORE)

test: ## all tests under the race detector, and 300 edits of real packages without it
	$(GO) test -race -timeout 14m ./...
	$(GO) test -timeout 14m ./lsp/cmd/cytisus -run '^TestIncrementalAgrees$$'

test-check: ## all tests, or those of PKGS, with the engine's own invariant checks on (build tag check)
	$(GO) test -tags check -timeout 14m $(or $(PKGS),./...)

bench-test: ## the benchmarks' own tests: every suite at its smallest
	cd benchmarks && $(GO) test -timeout 14m ./...

telemetry-test: ## the module that gives an engine's metrics and spans to OpenTelemetry
	cd runtime/telemetry && $(GO) test -race -count=1 ./...

docs-test: ## what the pages say, held against the project: links and anchors, names of tests and files, targets, commands and their flags
	cd docs/site && $(GO) test -count=1 ./...

site: ## the pages as a static site in bin/site
	@cd docs/site && $(GO) run .

test-floods: ## what floods of an ill-behaved editor cost, without the race detector, whose memory counts too; FLOOD=1 for all of it
	$(GO) test -count=1 -timeout 30m ./lsp/cmd/cytisus -run TestFloodOf -flood $(or $(FLOOD),0.02)

prove: ## the causes that are told of runs, against what undoing them does, over EDITS (default 10000) edits of random programs
	$(GO) test -count=1 -v -timeout 30m ./runtime/memo -run '^TestNoFalseCause$$' -prove.edits=$(or $(EDITS),10000)

deep: ## a chain of LEVELS (default 1000000) queries: cold, verified, changed, undone, reopened, with at most 64 MiB of stacks
	$(GO) test -count=1 -v -timeout 30m ./runtime -run '^TestDeepChain$$' -deep.levels=$(or $(LEVELS),1000000)

vet: ## go vet of every package, benchmarks and generators included
	$(GO) vet ./...
	$(GO) vet -tags check ./...
	cd benchmarks && $(GO) vet ./...
	cd docs/site && $(GO) vet ./...
	cd runtime/telemetry && $(GO) vet ./...
	cd mmapcas/hash/gen && $(GO) vet ./...

lint: ## staticcheck
	$(GO) run $(STATICCHECK) ./...

fmt: ## format with gofumpt
	$(GO) run $(GOFUMPT) -w .

fmt-check: ## fail if gofumpt would change a file
	@out=$$($(GO) run $(GOFUMPT) -l .); if [ -n "$$out" ]; then echo "gofumpt would change:"; echo "$$out"; exit 1; fi

cross: ## build for the other platforms
	@for p in $(CROSS); do echo "build $$p"; GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build ./... && GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) vet ./... || exit 1; done

test-narrow: ## the tests of PKGS (default: the engine's small packages) where addresses have 32 bits, which runs on amd64 too
	GOARCH=386 CGO_ENABLED=0 $(GO) test -timeout 14m $(or $(PKGS),./affinity ./arena ./epoch ./mmapcas/vfs ./runtime/gc ./runtime/memo)

release: ## the command for five platforms with checksums and bill of materials in bin/release, of a clean checkout whose commit has the tag VERSION
	@.ci/release $(VERSION)

cross-test: ## the tests of PKGS (default: the engine's small packages) translated for arm64, s390x and windows, where qemu's user mode or wine is installed
	@.ci/cross-test $(PKGS)

tidy-check: ## fail if go.mod or go.sum are not tidy
	$(GO) mod tidy -diff
	cd benchmarks && $(GO) mod tidy -diff
	cd docs/site && $(GO) mod tidy -diff
	cd runtime/telemetry && $(GO) mod tidy -diff
	cd mmapcas/hash/gen && $(GO) mod tidy -diff

gen-check: ## fail if running the generators changes a file
	$(GO) generate ./...
	git diff --exit-code -- mmapcas/hash

vuln: ## known vulnerabilities in what the command uses
	$(GO) run $(GOVULNCHECK) ./...

compare: ## SUITE=ring|lanes|task|wake|load|epoch|hash|store|open|index|query|gc|lsp|floor: ours and the peers, alternating in one run, medians, tab-separated; FORMAT=bench for benchstat; CASE, SEED, N, ROUNDS and LIMIT as -case, -seed, -n, -rounds and -limit
	cd benchmarks && $(GO) run ./cmd/compare -suite $(SUITE) $(if $(CASE),-case '$(CASE)') $(if $(SEED),-seed $(SEED)) $(if $(N),-n $(N)) $(if $(ROUNDS),-rounds $(ROUNDS)) $(if $(LIMIT),-limit $(LIMIT)) $(if $(FORMAT),-format $(FORMAT))

markers: ## gopls' own expectations of itself, held against this server: KIND and FILE as -kind and -file (regular expressions), V=1 shows what fails
	cd benchmarks && $(GO) run ./cmd/agree markers $(if $(KIND),-kind '$(KIND)') $(if $(FILE),-file '$(FILE)') $(if $(V),-v)

grid-store: ## N records (default 100000000) of 64 bytes in one store: put, get, absent, batches, open; needs 110 N bytes of disk
	cd benchmarks && $(GO) run ./cmd/gridstore $(if $(N),-n $(N)) $(if $(DIR),-dir $(DIR))

grid: ## N records (default 100000000) in one partition as 1 to 10,000 chunks, beside a list of chunks; small machines want N=1000000
	cd benchmarks && $(GO) run ./cmd/grid $(if $(N),-n $(N))

profile: ## bin/profile/report.html: flame graphs of SUITE (cold, edits, or one of compare; default cold) by lane, task, client and phase, for KIND=cpu|heap|mutex|block; against the engine of revision DIFF; raw profiles beside it
	cd benchmarks && $(GO) run ./cmd/profile -report ../bin/profile $(if $(SUITE),-suite $(SUITE)) $(if $(KIND),-kind $(KIND)) $(if $(DIFF),-diff $(DIFF))

bench-compare: ## benchmarks of PKG (default all) in the work tree and in revision BASE, built both, by turns, COUNT (default 10) times; fails if one is worse beyond noise; BENCH chooses by name
	cd benchmarks && $(GO) run ./cmd/revisions -base $(or $(BASE),HEAD) $(if $(BENCH),-bench '$(BENCH)') $(if $(COUNT),-count $(COUNT)) $(or $(PKG),./...)

bench-counts: ## allocations and bytes of some benchmarks' operations, and instructions where the machine counts them; fails where one takes 2 % more than was accepted (instructions 5 %); UPDATE=1 accepts it; ONLY chooses by name; REPEAT counts so often, and fails if the counts differ
	cd benchmarks && $(GO) run ./cmd/counts $(if $(UPDATE),-update) $(if $(ONLY),-only '$(ONLY)') $(if $(REPEAT),-repeat $(REPEAT))

fuzz: ## every fuzz target for FUZZTIME (default 10s) each
	./fuzz/all.sh $(or $(FUZZTIME),10s)

fuzz-smoke: ## ten minutes: every fuzz target for 8 seconds, a hundred sessions on a failing disk, ten kills, 20,000 steps of the oracle and of the collector
	./fuzz/all.sh 8s
	$(GO) test -count=1 ./fuzz/disk -run Lives -cycles 100 -seed 0
	$(GO) run ./fuzz/cmd/crash -cycles 10
	$(GO) test -count=1 ./runtime -run '^(TestOracle|TestCollectorSimulation)$$' -oracle.steps=20000 -gcsim.steps=20000

bench: ## benchmarks of PKG (default all) whose names match BENCH, COUNT (default 7) times, as benchstat reads them
	@$(GO) test -run '^$$' -bench '$(or $(BENCH),.)' -benchmem -count $(or $(COUNT),7) -timeout 60m $(or $(PKG),./...) | grep -vE '^(ok|PASS|\?|testing: )'

sim: ## the database and the engine on the deterministic scheduler: STEPS (default 5000000) random steps, with kills and power cuts; RUNS (default 2000) of watchers and waits
	$(GO) test -count=1 -v -timeout 120m ./runtime/db -run '^TestSimulation$$' -sim.steps=$(or $(STEPS),5000000)
	$(GO) test -count=1 -v -timeout 60m ./runtime -run '^TestSimulatedEngine$$' -sim.runs=$(or $(RUNS),2000)

oracle: ## queries against a plain interpreter: STEPS (default 1000000) random steps from SEED on; what is wrong, and what runs without need, is shown as a small program
	$(GO) test -count=1 -v -timeout 120m ./runtime -run '^TestOracle$$' -oracle.steps=$(or $(STEPS),1000000) -oracle.seed=$(or $(SEED),0)

mistakes: ## plant each mistake of fuzz/oracle/mistakes in the engine, and fail unless the oracle finds it in STEPS (default 400000) steps
	$(GO) run ./fuzz/cmd/mistakes -steps=$(or $(STEPS),400000)

mutants: ## plant mistakes in PKG (./queue) one at a time, those of FUNC (a regular expression of "file function") and MAX of them if given, and run the package's tests, or RUN of them, against each; lists those that no test finds, and fails unless fuzz/mutants/argued.txt says why
	$(GO) run ./fuzz/cmd/mutants -pkg $(PKG) $(if $(FUNC),-func '$(FUNC)') $(if $(MAX),-max $(MAX)) $(if $(RUN),-run '$(RUN)') $(if $(TAGS),-tags $(TAGS)) $(if $(SEED),-seed $(SEED))

cover: ## what share of their statements the own tests of packages reach, those of PKGS or of fuzz/cover/floors.txt, which has the floor of each
	@fuzz/cover.sh $(PKGS)

crash: crash-sim crash-kill ## both of these: 100,000 simulated sessions, and kills of a real process on a real disk

crash-kill: ## kill a real process while it commits, reopen, check; KILLS (default 100)
	$(GO) run ./fuzz/cmd/crash -cycles $(or $(KILLS),100)

crash-sim: ## CYCLES (default 100000) sessions of random lives on a disk that fails and loses power; SEED repeats one
	$(GO) test -count=1 -v -timeout 120m ./fuzz/disk -run Lives -cycles $(or $(CYCLES),100000) -seed $(or $(SEED),0)

spin: ## search the Promela models of fuzz/spin exhaustively, and for each mistake put in on purpose; needs spin and a C compiler
	$(GO) test -count=1 -v ./fuzz/spin -all

marks: ## the model of how changes are told, in WORLDS (default 3000000) random worlds and up to STATES (default 2000000) states of each small one
	$(GO) test -count=1 -v -timeout 120m ./runtime/memo/marks -marks.states=$(or $(STATES),2000000) -marks.worlds=$(or $(WORLDS),3000000)

gc-model: ## the model of the collector, in GRAPHS (default 3000) random graphs beside the small ones, up to STATES (default 200000) states of each
	$(GO) test -count=1 -v -timeout 120m ./runtime/gc/tricolour -tricolour.states=$(or $(STATES),200000) -tricolour.graphs=$(or $(GRAPHS),3000)

gc-sim: ## random programs beside collections on the deterministic scheduler, with kills and power cuts: STEPS (default 1000000); all that is needed is walked after each phase
	$(GO) test -count=1 -v -timeout 120m ./runtime -run '^TestCollectorSimulation$$' -gcsim.steps=$(or $(STEPS),1000000) -gcsim.seed=$(or $(SEED),0)

saturate: ## all lanes above idle have more work than the workers can do, for SECONDS (default 60) in each of five ways: what is overwritten goes all the same, and disk and heap keep to their bounds
	$(GO) test -count=1 -v -timeout 60m ./runtime -run '^TestSaturation$$' -saturate.for=$(or $(SECONDS),60)s

soak: ## 1e8 tasks with waits, cancels and panics through two workers, none lost, none run twice; TASKS; with HOURS instead all random tests and fuzz targets by turns, with new seeds, for so long
	$(if $(HOURS),fuzz/soak.sh $(HOURS),$(GO) test -count=1 -v -timeout 60m ./runtime/sched -run '^TestSoak$$' -soak.tasks=$(or $(TASKS),100000000))

endure: ## KEYS (default 10000) keystrokes in an editor session: first with the host killed and its files overwritten, then undisturbed, for memory and disk; then memory at rest after 1,500 edits and 12,000 requests, and the store after KEYS edits that nobody cleans up after
	$(GO) test -count=1 -v -timeout 120m ./lsp/cmd/cytisus -run '^TestEndure$$' -endure.keys=$(or $(KEYS),10000) -endure.large=500000 -endure.kill=500 -endure.damage=700
	$(GO) test -count=1 -v -timeout 120m ./lsp/cmd/cytisus -run '^TestEndure$$' -endure.keys=$(or $(KEYS),10000) -endure.large=500000 -endure.kill=0 -endure.damage=0
	$(GO) test -count=1 -v -timeout 120m ./lsp/cmd/cytisus -run '^TestMemoryAtRest$$' -lasting.packages=99 -lasting.edits=1500
	$(GO) test -count=1 -v -timeout 120m ./lsp/cmd/cytisus -run '^TestDiskOfEdits$$' -lasting.packages=99 -lasting.edits=$(or $(KEYS),10000)

bytes: ## what answers take in memory and in the store, by kind of query, on four fixed inputs; fails where one takes 2 % more than was accepted; UPDATE=1 accepts it
	$(GO) test -count=1 -v ./fuzz/footprint $(if $(UPDATE),-update)

limit: ## the standard library indexed within 128 MiB, and prometheus v0.312.0 with what it imports within 256 MiB, and 1,000 questions about each, in a cgroup where one can be made
	$(GO) test -count=1 -v -timeout 60m ./lsp/cmd/cytisus -run '^TestUnderALimit$$' -limit.source "$$($(GO) env GOROOT)/src" -limit.bytes $(or $(STD),128MiB) -limit.questions 1000
	$(GO) test -count=1 -v -timeout 60m ./lsp/cmd/cytisus -run '^TestUnderALimit$$' -limit.module github.com/prometheus/prometheus@v0.312.0 -limit.bytes $(or $(MODULE),256MiB) -limit.questions 1000

memos: ## 10,000,000 small answers (MEMOS) within 512 MiB (LIMIT)
	$(GO) test -count=1 -v -timeout 180m ./runtime -run '^TestMemosUnderALimit$$' -memos $(or $(MEMOS),10000000) -memos.limit $(or $(LIMIT),512)

bodies: ## checks of single function bodies against checks of whole packages, over EDITS (default 400) random edits of each of PKGS of the standard library
	$(GO) test -count=1 -v -timeout 120m ./lsp/golang/check/bodies -run '^TestAgree$$' -agree.edits $(or $(EDITS),400) -agree.seed $(or $(SEED),1) -agree.packages $(or $(PKGS),errors$(comma)bufio$(comma)strconv$(comma)slices$(comma)maps$(comma)sync$(comma)encoding/json$(comma)go/scanner$(comma)html/template$(comma)regexp/syntax$(comma)math/big$(comma)time)

names: ## EDITS (default 300) random edits of declarations of the standard library; packages above each are checked again and compared, and those counted that had looked at what differs
	$(GO) test -count=1 -v -timeout 120m ./lsp/golang/check -run '^TestNamesAgree$$' -names.edits $(or $(EDITS),300) -names.importers $(or $(IMPORTERS),12) -names.seed $(or $(SEED),1)

clients: build ## Neovim, Emacs with eglot and node's language client, those that are installed, ask the server about everything
	@benchmarks/clients/run.sh $(BIN)

agree: ## what a session with two editors says after EDITS (default 20000) random edits of real packages, against what a new one says; SEED repeats
	$(GO) test -count=1 -v -timeout 0 ./lsp/cmd/cytisus -run '^TestIncrementalAgrees$$' -agree.edits $(or $(EDITS),20000) -agree.seed $(or $(SEED),0)

agree-gopls: ## N (default 200) seeded places in each of ten grounds of real code, both this server and gopls asked about them; GROUND and KIND choose, SEED repeats, V=1 shows what differs, DOC=1 writes docs/AGREEMENT.md
	cd benchmarks && $(GO) run ./cmd/agree places $(if $(N),-n $(N)) $(if $(SEED),-seed $(SEED)) $(if $(GROUND),-ground '$(GROUND)') $(if $(KIND),-kind '$(KIND)') $(if $(V),-v) $(if $(DOC),-doc ../docs/AGREEMENT.md)

typed: ## whole files of PACKAGE (default strconv) of the standard library typed key by key: forwards, backwards and in pieces
	$(GO) test -count=1 -v -timeout 0 ./lsp/golang/check -run '^TestTyped$$' -typed.package $(or $(PACKAGE),strconv)

show: ## the main claims on the whole standard library: nothing wrong in it or cmd, warm start, exact invalidation, 50 rounds of edits with flat disk use
	$(GO) test -count=1 -v -timeout 60m ./lsp/cmd/cytisus -run 'StandardLibrary|DiskUseStaysFlat' -std -edits 50 -edits.of "$$($(GO) env GOROOT)/src"
	$(GO) test -count=1 -v -timeout 30m ./lsp/golang -run 'AgreeWithGoTypes|StandardLibrary' -std

clean: ## remove what the targets above made
	rm -rf bin $(STORE)

ci: ## what .ci/run runs
	.ci/run
