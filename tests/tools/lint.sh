#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Checks the tree without running it.  Prints what is wrong; exit status 1 if anything is.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

failed=0
check()
{
  local name=$1 output
  shift
  if output=$("$@" 2>&1); then
    echo "ok     lint: $name"
  else
    echo "not ok lint: $name"
    printf '%s\n' "$output" | head -60 | sed 's/^/    /'
    failed=1
  fi
}

# What the repository holds, also where it was unpacked without git.
files()
{
  if git rev-parse --git-dir > /dev/null 2>&1; then
    git ls-files -co --exclude-standard
  else
    find . -path ./build -prune -o -type f -printf '%P\n'
  fi | while read -r path; do [ -f "$path" ] && printf '%s\n' "$path"; done | sort
}
matching() { files | grep -E "$1"; }
shell_scripts() { files | grep -vE '\.(c|h|def|md|json|py)$' | xargs -d '\n' grep -lE '^#!/bin/(ba)?sh' --; }
python_files() { files | grep -E '\.py$'; }

licence_lines()
{
  local missing
  missing=$(matching '\.(c|h|def|py|sh)$' | while read -r path; do
    head -3 "$path" | grep -q 'SPDX-License-Identifier: Apache-2.0' || echo "$path"
  done)
  # .def files are included into C again and again, some begin with their theory.
  missing=$(grep -v '\.def$' <<< "$missing")
  [ -z "$missing" ] || { echo "no licence line in: $missing"; return 1; }
}

layout() { matching '\.(c|h)$' | xargs -d '\n' clang-format --dry-run -Werror; }

# C at 100 columns, the rest at 120; characters, not bytes.
long_lines()
{
  matching '\.(c|h|def|py|sh|mk)$' | grep -v '^images/kernel' | xargs -d '\n' python3 -c '
import sys
found = False
for path in sys.argv[1:]:
    limit = 100 if path.endswith((".c", ".h")) else 120
    for number, line in enumerate(open(path), 1):
        if len(line.rstrip("\n")) > limit and not ("://" in line or "## " in line):
            print(f"{path}:{number}: {len(line) - 1}")
            found = True
sys.exit(found)'
}

# tests/golden holds expected outputs, not scripts.
shell_check() { shell_scripts | grep -v '^tests/golden/' | xargs -d '\n' shellcheck -S warning; }

python_check()
{
  python_files | xargs -d '\n' python3 -c '
import ast, sys
for path in sys.argv[1:]:
    ast.parse(open(path).read(), path)'
}

c_check()
{
  # unusedFunction would need the whole program at once; what system headers do is not ours.
  # variableScope, constParameter: style, which clang-format and review look after.
  cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 -D_GNU_SOURCE -D__linux__ \
    --enable=warning,portability --suppress=missingInclude --suppress=unknownMacro \
    --suppress=preprocessorErrorDirective --suppress=syntaxError \
    -j "$(nproc)" protocol launcher guest-agent
}

packages_sorted() { LC_ALL=C sort -c -u deps.txt; }

check "every source has its licence line" licence_lines
check "C is laid out by clang-format" layout
check "no line is longer than 100 columns" long_lines
check "shellcheck finds nothing in the shell scripts" shell_check
check "Python files compile" python_check
check "cppcheck finds nothing in the C sources" c_check
check "no part has outgrown its budget of lines" ./tests/tools/loc.py --check
check "deps.txt is sorted and names each package once" packages_sorted
exit $failed
