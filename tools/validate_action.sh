#!/bin/sh
# What the step of action.yml does: validate $PATHS with the command $1. A document is written as well where one is asked for.
# The exit code is that of the findings: 0, or 1 where one is an error.
set -u
command=$1
set -f # a path is a path, and no pattern
set --
[ "${STRICT:-false}" = true ] && set -- --strict

for style in sarif junit; do
    case $style in sarif) file=${SARIF:-} ;; junit) file=${JUNIT:-} ;; esac
    # shellcheck disable=SC2086 # paths are separated by spaces
    [ -z "$file" ] || "$command" validate "$@" --level "${LEVEL:-info}" --format "$style" -- $PATHS 2> "$file"
done
# shellcheck disable=SC2086
exec "$command" validate "$@" --level "${LEVEL:-info}" --format github -- $PATHS
