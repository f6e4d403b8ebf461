# SPDX-License-Identifier: Apache-2.0
PREFIX ?= /usr/local
SWIFT ?= swift

# Debian's names; .ci/prepare installs those that are missing and knows what other systems call them.
BUILD_PACKAGES = libbpf-dev libelf-dev zlib1g-dev libzstd-dev
TEST_PACKAGES = $(BUILD_PACKAGES) trace-cmd python3-jsonschema libcap2-bin
LAB_PACKAGES = $(shell grep -v '^\#' Tests/Lab/packages)

SOURCES = $(wildcard Sources Probes Tests) Package.swift
RELEASE = .build/release/apictrace
ONE_FILE = dist/apictrace
MANUAL = dist/apictrace.1
SHARE = $(DESTDIR)$(PREFIX)/share

.DEFAULT_GOAL := help
.PHONY: help demo test build release dist install lint lab reproduce clean prepare fuzz damage attack bench bench-live

help: ## show this
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' $(MAKEFILE_LIST) | expand -t 20

demo: release ## build, then analyse a recording that lost interrupts, and its healthy twin
	@.ci/demo $(RELEASE)

test: ## build and run all tests
	@SWIFT=$(SWIFT) .ci/prepare $(TEST_PACKAGES)
	$(SWIFT) test

build: prepare ## debug build
	$(SWIFT) build

release: prepare ## optimised build, .build/release/apictrace
	$(SWIFT) build -c release --product apictrace

bench-live: release ## what live tracing costs, beside perf stat and bpftrace; as root (ROUNDS=5, IPIS=100000)
	$(SWIFT) build -c release --product apictrace-guest
	Tests/Bench/live.sh $(ROUNDS) $(IPIS)

# APICTRACE_STATIC is read by Package.swift; its own scratch folder keeps the two kinds of linking apart.
dist: prepare ## dist/apictrace: one file that needs neither Swift nor the libraries
	APICTRACE_STATIC=1 $(SWIFT) build -c release --product apictrace --static-swift-stdlib --scratch-path .build-static
	install -D -s -m 755 .build-static/release/apictrace $(ONE_FILE)

$(ONE_FILE):
	$(MAKE) dist

# A plugin of argument-parser's: it builds the command once more, to ask it for its help.
$(MANUAL): $(ONE_FILE)
	$(SWIFT) package generate-manual
	@# mdoc has a macro for an empty line, and complains of a literal one.
	sed 's/^$$/.Pp/' .build/plugins/GenerateManual/outputs/apictrace/apictrace.1 >$@

install: $(ONE_FILE) $(MANUAL) ## command, man page and shell completions to PREFIX (/usr/local)
	install -D -m 755 $(ONE_FILE) $(DESTDIR)$(PREFIX)/bin/apictrace
	install -D -m 644 $(MANUAL) $(SHARE)/man/man1/apictrace.1
	install -d $(SHARE)/bash-completion/completions $(SHARE)/zsh/site-functions $(SHARE)/fish/vendor_completions.d
	$(ONE_FILE) --generate-completion-script bash >$(SHARE)/bash-completion/completions/apictrace
	$(ONE_FILE) --generate-completion-script zsh >$(SHARE)/zsh/site-functions/_apictrace
	$(ONE_FILE) --generate-completion-script fish >$(SHARE)/fish/vendor_completions.d/apictrace.fish

lint: ## swift format, shellcheck, bash -n
	$(SWIFT) format lint -r --strict $(SOURCES)
	.ci/lint-scripts

damage: prepare ## cut and flip each recording among the tests 2,000 times, at release speed (SECONDS=60: at most, each)
	@SWIFT=$(SWIFT) SECONDS_EACH=$(SECONDS) Tests/Damage/run.sh

ATTACKED = --truth Tests/Attack/truth Tests/TraceCoreTests/Fixtures
attack: prepare ## change each recording among the tests in thousands of ways, hold verdicts to docs/attack.md (ARGS='--healthy DIR')
	$(SWIFT) build -q -c release --product apictrace-attack
	.build/release/apictrace-attack $(or $(ARGS),$(ATTACKED))

bench: release ## time the release build beside cat, trace-cmd and libtracecmd on 1 GB (ARGS=--callgrind: instructions)
	@Tests/Bench/run.sh $(ARGS)

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
	rm -rf .build .build-static .build-fuzz dist

prepare:
	@SWIFT=$(SWIFT) .ci/prepare $(BUILD_PACKAGES)
