#!/bin/sh
# Rebuilds onnx-artifacts/ from digits.csv.gz. With --check it changes nothing and fails unless a rebuild gives the same bytes and the
# numbers in the README are those of the rebuild.
set -eu
case "${1-}" in
  '' | --check) ;;
  *) echo "usage: $0 [--check]" >&2; exit 2 ;;
esac
here=$(cd "$(dirname "$0")" && pwd)
registry=$(cd "$here/../.." && pwd)/onnx-artifacts
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT

mkdir "$made/registry"
dotnet build -c Release --nologo -v quiet "$here"
dotnet run -c Release --no-build --project "$here" -- "$here/digits.csv.gz" "$made/registry" > "$made/table.md"
rm -rf "$made/registry/.registry-unlearn/tmp" "$made/registry/.registry-unlearn/locks"
cat "$made/table.md"

if [ "${1-}" = --check ]; then
  (cd "$made/registry" && find . -type f -exec sha256sum {} +) > "$made/digests"
  (cd "$registry" && sha256sum --check --quiet "$made/digests")
  while read -r line; do
    grep -qxF -e "$line" "$registry/README.md" || { echo "README.md lacks the line: $line" >&2; exit 1; }
  done < "$made/table.md"
  echo "The rebuild has the same bytes."
else
  mkdir -p "$registry"
  cp -R "$made/registry/." "$registry/"
fi
