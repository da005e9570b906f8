#!/bin/bash
# Runs test suites and says at the end, on a line of its own, how many passed: check.sh BUILD unit|fuzz|integration ...
# T=name picks what contains that name.
set -u
cd "$(dirname "$0")/.." || exit 1
build=$1
shift
log=$build/check.log
passed=0 failed=0 skipped=0
: >"$log"

# One cmocka program: its own counts.
unit() {
	local test out rc
	for test in "$build"/tests/unit/*/test_*; do
		[ -x "$test" ] || continue
		case $test in *"${T:-}"*) ;; *) continue ;; esac
		out=$(timeout 120 "$test" 2>&1 </dev/null)
		rc=$?
		printf '== %s\n%s\n' "$test" "$out" >>"$log"
		local ok bad skip
		ok=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' <<<"$out" | tail -n 1)
		bad=$(sed -n 's/^\[  FAILED  \] [^0-9]*\([0-9]*\) test.*/\1/p' <<<"$out" | tail -n 1)
		skip=$(grep -c '^\[  SKIPPED \]' <<<"$out")
		passed=$((passed + ${ok:-0}))
		skipped=$((skipped + skip))
		if [ "$rc" -ne 0 ] || [ -z "$ok" ]; then
			failed=$((failed + ${bad:-1}))
			printf '%s\n' "$out"
			echo "FAILED: $test (status $rc)"
		else
			printf '%-50s %4s passed\n' "${test#"$build"/tests/}" "$ok"
		fi
	done
}

fuzz() {
	local target name
	for target in "$build"/tests/fuzz/*; do
		[ -x "$target" ] || continue
		name=$(basename "$target")
		case $name in *"${T:-}"*) ;; *) continue ;; esac
		if timeout 120 "$target" tests/fuzz/corpus/"$name"/* >>"$log" 2>&1 </dev/null; then
			passed=$((passed + 1))
			printf '%-50s replayed\n' "fuzz/$name"
		else
			failed=$((failed + 1))
			tail -n 20 "$log"
			echo "FAILED: replay of the corpus of $name"
		fi
	done
}

count_of() { sed -n "s/.*[ =]\([0-9]*\) $1.*/\1/p" <<<"$2" | tail -n 1; }

integration() {
	local summary rc
	FCGIPM_BUILD=$(realpath "$build") /usr/bin/python3 -m pytest -q -rfEs -p no:cacheprovider ${T:+-k "$T"} tests/integration 2>&1 </dev/null | tee -a "$log" | tail -n 100
	rc=${PIPESTATUS[0]}
	summary=$(grep -E '(passed|failed|error|skipped).* in [0-9.]+s' "$log" | tail -n 1)
	summary="=$summary"
	passed=$((passed + $(n=$(count_of passed "$summary"); echo "${n:-0}")))
	failed=$((failed + $(n=$(count_of failed "$summary"); echo "${n:-0}") + $(n=$(count_of 'errors\{0,1\}' "$summary"); echo "${n:-0}")))
	skipped=$((skipped + $(n=$(count_of skipped "$summary"); echo "${n:-0}")))
	[ "$rc" -eq 0 ] || [ "$failed" -gt 0 ] || { [ "$rc" -eq 5 ] && [ -n "${T:-}" ]; } || failed=1 # 5: T picks none of these
}

for suite in "$@"; do
	echo "---- $suite"
	"$suite"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
