# The few commands of a day. `make ci` is what must pass before a change lands.
.PHONY: build test lint bench fuzz ci

build:
	go build -o crashlint ./cmd/crashlint

test:
	go test ./...

lint:
	bash .ci/run gofmt_ lint

bench:
	go test -run '^$$' -bench . -benchmem ./...

# Every fuzz target for FUZZTIME each.
FUZZTIME ?= 30s
fuzz:
	@for file in $$(git grep --untracked -lE '^func Fuzz[A-Z]' -- '*_test.go'); do \
	  for target in $$(sed -nE 's/^func (Fuzz[A-Za-z0-9_]+)\(.*/\1/p' $$file); do \
	    echo "$$file $$target"; \
	    go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) ./$$(dirname $$file) || exit 1; \
	  done; \
	done

ci:
	bash .ci/run
