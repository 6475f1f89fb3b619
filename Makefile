.PHONY: run test check bench

run:   ; @scripts/run.sh
test:  ; @scripts/test.sh
check: ; @scripts/check.sh
bench: ; MIMALLOC_ALLOW_LARGE_OS_PAGES=1 cargo bench --workspace
