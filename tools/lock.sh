#!/bin/sh
# Pins every package of the image and of the tests, for Python 3.11 and later, by version and hash.
set -eu
uv=$1
compile() {
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
        --custom-compile-command "make lock" "$@"
}
compile pyproject.toml --extra gateway --output-file requirements/gateway.txt
compile pyproject.toml --extra gateway --group dev --constraint requirements/gateway.txt --output-file requirements/dev.txt
