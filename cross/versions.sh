# What programs and packages are built with; read by the other scripts here.
# The newest Rust whose standard library for 32-bit ARM with musl can be had.
RUST=1.92.0
# zig links and compiles C for any target; cargo-zigbuild has Cargo use it. Both are Python packages.
ZIG=0.17.1
ZIGBUILD=0.24.0
# Makes Debian packages.
CARGO_DEB=3.8.0
