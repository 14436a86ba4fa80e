#!/bin/sh
# Changes the version of LiteLLM in pyproject.toml and in the locks, or nothing: it is resolved in a folder of its own first.
#
#   sh tools/bump_litellm.sh UV VERSION
set -eu
uv=$(realpath "$1")
version=$2
project=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r pyproject.toml requirements "$work"
sed -i "s/^\( *\"litellm.*==\)[^\"]*/\1$version/" "$work/pyproject.toml"

if ! (cd "$work" && sh "$project/tools/lock.sh" "$uv") 2>"$work/said"; then
    cat "$work/said" >&2
    sed 's/^\( *"litellm\)==[^"]*/\1/' pyproject.toml >"$work/pyproject.toml"
    newest=$(cd "$work" && "$uv" pip compile --quiet --universal --python-version 3.11 --no-header pyproject.toml --extra gateway \
        2>/dev/null | sed -n 's/^litellm==\([^ ;]*\).*/\1/p')
    echo "litellm $version can't be installed beside the other packages: nothing is changed." >&2
    echo "The newest version that can be: ${newest:-none}" >&2
    exit 1
fi
cp "$work/pyproject.toml" .
for lock in requirements/*.txt; do
    cmp -s "$work/$lock" "$lock" || cp "$work/$lock" "$lock"
done
