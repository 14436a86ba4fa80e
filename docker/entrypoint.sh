#!/bin/sh
# Becomes the gateway. Anything but its options is run instead, for a look around.
set -eu
case "${1-}" in
    "" | -*) exec python /opt/langop/render.py launch "$@" ;;
    *) exec "$@" ;;
esac
