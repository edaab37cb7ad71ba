# Patronus. Every target works on a fresh Debian 12 machine, as root or with sudo, once Swift is there.

SCENARIO ?= scenarios/branch-blackout.json
SEED ?=
SECONDS ?= 60
# Suites that `test-quick` leaves out, by name.
SLOW ?= Slow|Storm|Soak

flags := -c release --cache-path .build/cache
formatted := Package.swift $(wildcard Sources Tests Benchmarks Fuzz)

# What is built and written on the way stays below .build.
export TMPDIR := $(CURDIR)/.build/tmp

.PHONY: help run test test-quick lint format bench bench-instructions fuzz bootstrap tests-built

help:
	@echo "make run                 simulate $(SCENARIO) and say where the report is"
	@echo "make test                everything that is checked: style, purity, decoders, tests"
	@echo "make test-quick          tests only, fewer seeds, slow suites left out"
	@echo "make lint                style: formatting, floors, purity"
	@echo "make format              format the sources in place"
	@echo "make fuzz                feed the decoders for SECONDS=$(SECONDS)"
	@echo "make bench               measure, beside ns-3"
	@echo "make bench-instructions  count instructions, which repeat on any machine"

# A local package's new files are looked for only where its manifest seems to have changed.
bootstrap:
	@rm -rf .build/tmp && mkdir -p .build/tmp
	@touch Package.swift Benchmarks/Package.swift Fuzz/Package.swift
	@scripts/bootstrap.sh

run: bootstrap
	@swift build $(flags) --quiet --product patronus-sim
	@.build/release/patronus-sim run $(SCENARIO) $(if $(SEED),--seed $(SEED))

# One build for all that is tested.
tests-built: bootstrap
	swift build $(flags) --build-tests

test: tests-built
	swift format lint --strict --recursive $(formatted)
	scripts/purity
	scripts/fuzz 10
	scripts/test

test-quick: tests-built
	PATRONUS_QUICK=1 scripts/test --skip '$(SLOW)'

lint: tests-built
	swift format lint --strict --recursive $(formatted)
	scripts/purity
	swift test $(flags) --skip-build --filter TidyTests

format: bootstrap
	swift format format --in-place --recursive $(formatted)

fuzz: bootstrap
	scripts/fuzz $(SECONDS)

bench: bootstrap
	scripts/bootstrap.sh bench
	scripts/bench

bench-instructions: bootstrap
	scripts/bootstrap.sh bench
	scripts/bench instructions
