#!/bin/sh
# Starts the gateway; `litellm` and its options, with which the upstream image is started, mean the gateway too. Any other
# command is run instead, for a look around.
set -eu
case "${1-}" in
    "" | -* | litellm) exec python /opt/langop/render.py launch "$@" ;;
    *) exec "$@" ;;
esac
