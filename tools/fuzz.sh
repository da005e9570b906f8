#!/bin/bash
# Fuzzes targets for FUZZ_SECONDS each (60): fuzz.sh BUILD WRAPS NAME...   What it finds stays in BUILD/fuzz/NAME.
set -euo pipefail
shopt -s extglob
cd "$(dirname "$0")/.."
build=$1
read -ra wraps <<<"$2"
shift 2
seconds=${FUZZ_SECONDS:-60}
mapfile -t sources < <(git ls-files 'fcgipm/*.c' | grep -v '/main\.c$\|^fcgipm/prefork/')
flags=(-std=gnu2x -D_GNU_SOURCE -I. -g -O1 -fno-omit-frame-pointer "-fsanitize=fuzzer-no-link,address,undefined")
mkdir -p "$build/fuzz/obj"
mapfile -t headers < <(git ls-files '*.h')
newest=${headers[0]}
for header in "${headers[@]}"; do
	[ "$newest" -nt "$header" ] || newest=$header
done

for source in "${sources[@]}"; do
	object=$build/fuzz/obj/${source//\//_}.o
	[[ $object -nt $source && $object -nt $newest ]] || clang "${flags[@]}" -c "$source" -o "$object"
done
# The launcher and the manager are never one program: some names are in both.
rm -f "$build"/fuzz/*.a
ar rcs "$build/fuzz/launcher.a" "$build"/fuzz/obj/!(fcgipm_manager_*).o
ar rcs "$build/fuzz/manager.a" "$build"/fuzz/obj/!(fcgipm_launcher_*).o

for name in "$@"; do
	mkdir -p "$build/fuzz/$name/corpus" "tests/fuzz/corpus/$name"
	wrap=() archive=$build/fuzz/manager.a
	[[ $name != launcher && $name != exec ]] || { wrap=("${wraps[@]/#/-Wl,--wrap=}") archive=$build/fuzz/launcher.a; }
	clang "${flags[@]}" -fsanitize=fuzzer "${wrap[@]}" "tests/fuzz/fuzz_$name.c" "$archive" -lcmocka -lyaml -levent_core -lcap -lncursesw -o "$build/fuzz/$name/fuzz"
	echo "---- $name, $seconds s"
	"$build/fuzz/$name/fuzz" -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=10 -print_final_stats=1 \
		-artifact_prefix="$build/fuzz/$name/" "$build/fuzz/$name/corpus" "tests/fuzz/corpus/$name" 2>&1 | tail -n 8
done
