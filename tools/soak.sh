#!/bin/bash
# What takes longer than a check may: fuzzing, everything under sanitizers, the unit tests under valgrind, the long hammers.  soak.sh BUILD
set -eu
cd "$(dirname "$0")/.."
build=$1
tools/deps.sh redmine redmine-sqlite gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user
FUZZ_SECONDS=${FUZZ_SECONDS:-120} make fuzz
make asan
make tests
for test in "$build"/tests/unit/*/test_*; do
	[ -x "$test" ] || continue
	[[ $test != */priv/* && $test != */probe/test_process ]] || continue # valgrind keeps descriptors, limits and signals for itself
	[[ $test != */look/test_look && $test != */broker/test_find ]] || continue # valgrind 3.19 knows no openat2; make asan runs them
	echo "---- valgrind $test"
	valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite "$test" >"$build/valgrind.log" 2>&1 || {
		tail -n 40 "$build/valgrind.log"
		exit 1
	}
done
[ "$(id -u)" -ne 0 ] || tools/package.sh
RUN_SOAK=1 tools/check.sh "$build" integration
