#!/bin/sh
# Pins every package of requirements/, for Python 3.11 and later, by version and hash. What is pinned already stays where it may.
#
#   sh tools/lock.sh UV
#
# A lock that says the same as before keeps its time, so that no environment is built again for it.
set -eu
uv=$(realpath "$1")
project=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r pyproject.toml requirements "$work"
cd "$work"

# compile NAME ARGUMENT...: writes requirements/NAME.txt
compile() {
    name=$1
    shift
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
        --custom-compile-command "make lock" --output-file "requirements/$name.txt" "$@"
}
compile installer --group installer
compile uv --group uv
compile gateway pyproject.toml --extra gateway
compile dev pyproject.toml --extra gateway --group dev \
    --constraint requirements/gateway.txt --constraint requirements/installer.txt
compile plain-litellm --group plain-litellm
compile docs --group docs
compile mutate pyproject.toml --extra gateway --group dev --group mutate --constraint requirements/dev.txt
compile panels pyproject.toml --extra gateway --group dev --group panels --constraint requirements/dev.txt

for lock in requirements/*.txt; do
    cmp -s "$lock" "$project/$lock" || cp "$lock" "$project/$lock"
done
