# Short names for the commands in CONTRIBUTING.md.

test *args:
    cargo xtask test {{args}}

tidy:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- --deny warnings
    cargo xtask tidy

ci:
    bash .ci/run
