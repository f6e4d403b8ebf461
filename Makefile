# SPDX-License-Identifier: Apache-2.0
PREFIX ?= /usr/local
SWIFT ?= swift

# Debian's names; .ci/prepare installs those that are missing and knows what other systems call them.
BUILD_PACKAGES = libbpf-dev libelf-dev zlib1g-dev libzstd-dev
TEST_PACKAGES = $(BUILD_PACKAGES) trace-cmd python3-jsonschema

SOURCES = $(wildcard Sources Probes Tests) Package.swift
RELEASE = .build/release/apictrace
ONE_FILE = dist/apictrace

.DEFAULT_GOAL := help
.PHONY: help demo test build release bench-live dist install lint clean prepare

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

bench-live: release ## what live tracing costs a guest, beside perf stat; as root (ROUNDS=5, IPIS=100000)
	$(SWIFT) build -c release --product apictrace-guest
	Tests/Bench/live.sh $(ROUNDS) $(IPIS)

# APICTRACE_STATIC is read by Package.swift; its own scratch folder keeps the two kinds of linking apart.
dist: prepare ## dist/apictrace: one file that needs neither Swift nor the libraries
	APICTRACE_STATIC=1 $(SWIFT) build -c release --product apictrace --static-swift-stdlib --scratch-path .build-static
	install -D -s -m 755 .build-static/release/apictrace $(ONE_FILE)

$(ONE_FILE):
	$(MAKE) dist

install: $(ONE_FILE) ## copy dist/apictrace to PREFIX/bin (/usr/local/bin)
	install -D -m 755 $(ONE_FILE) $(DESTDIR)$(PREFIX)/bin/apictrace

lint: ## swift format, shellcheck, bash -n
	$(SWIFT) format lint -r --strict $(SOURCES)
	.ci/lint-scripts

clean: ## remove what was built
	rm -rf .build .build-static dist

prepare:
	@SWIFT=$(SWIFT) .ci/prepare $(BUILD_PACKAGES)
