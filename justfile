# Thin shortcuts; the logic lives in cargo, in `cargo run -p xtask` and in .ci/run.

# List the recipes.
default:
    @just --list

# Answer a question with the starter model.
run *ARGS:
    cargo run --release -- run starter {{ARGS}}

# Everything that decides whether a change may land.
check:
    .ci/run

# The tests alone.
test:
    cargo test --workspace

# Micro-benchmarks of the kernels beside the measured roofs.
bench *ARGS:
    cargo run --release -p scaffold-bench -- {{ARGS}}

# One fuzz target for a minute: `just fuzz gguf`.
fuzz TARGET:
    mkdir -p fuzz/target/found/{{TARGET}}
    RUSTC_BOOTSTRAP=1 cargo fuzz run {{TARGET}} fuzz/target/found/{{TARGET}} fuzz/corpus/{{TARGET}} -- -max_total_time=60

# The documentation of all crates.
docs:
    cargo doc --workspace --no-deps --open
