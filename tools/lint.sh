#!/bin/bash
# Layers, function size, format, static analysis, shell.  Every part runs; the exit status is 0 when all are content.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0
mapfile -t sources < <(git ls-files 'fcgipm/*.c' 'include/*.h' ':!include/fcgipm/httpd.h')
mapfile -t module < <(git ls-files 'mod_fcgipm/*.c' include/fcgipm/httpd.h)
mapfile -t formatted < <(git ls-files '*.c' '*.h')
mapfile -t shells < <(git ls-files '*.sh' '.ci/run')

part() {
	echo "---- $1"
	shift
	"$@" || {
		echo "lint: $1 is not content"
		bad=1
	}
}

# size_of NESTING FLAGS FILE...
size_of() {
	local nesting=$1 flags=$2 options
	shift 2
	options="{CheckOptions: [{key: readability-function-size.LineThreshold, value: 60}, {key: readability-function-size.StatementThreshold, value: 800}, {key: readability-function-size.ParameterThreshold, value: 5}, {key: readability-function-size.NestingThreshold, value: $nesting}]}"
	printf '%s\0' "$@" | xargs -0 -P "$(nproc)" -n 6 sh -c \
		'options=$1; flags=$2; shift 2; exec clang-tidy --quiet --warnings-as-errors="*" --checks="-*,readability-function-size" --config="$options" "$@" -- -std=gnu2x -D_GNU_SOURCE -I. $flags' \
		sh "$options" "$flags" 2>/dev/null
}

# httpd's macros are blocks in blocks by themselves.
function_size() {
	size_of 3 "" "${sources[@]}" && size_of 6 "-isystem $(apxs2 -q INCLUDEDIR) -isystem $(apxs2 -q APR_INCLUDEDIR) -DLINUX" "${module[@]}"
}

format() {
	clang-format --dry-run -Werror "${formatted[@]}"
}

analysis() {
	cppcheck --quiet --error-exitcode=1 --enable=warning,portability --inline-suppr --suppressions-list=tools/cppcheck.suppress \
		-j "$(nproc)" -I. -D_GNU_SOURCE -D__x86_64__ --std=c11 fcgipm mod_fcgipm
}

no_promises() {
	! git grep -nE '\b(TODO|FIXME|XXX)\b' -- fcgipm mod_fcgipm include tests tools ':!tools/lint.sh'
}

part layers tools/layers.py
part docs tools/docs.py
part function_size function_size
part format format
part analysis analysis
part shell shellcheck -S warning "${shells[@]}"
part promises no_promises
exit "$bad"
