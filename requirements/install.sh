#!/bin/sh
# Makes a virtual environment that holds exactly the packages of a lock, each with its version and hash.
#
#   sh requirements/install.sh PYTHON VENV LOCK [OPTION OF PIP INSTALL]...
#
# The pip that a Python brings only fetches the one that installer.txt pins, beside LOCK. Before 23.3 a pip can't install a lock
# once the index has a newer release of a package that another one needs with an extra: it takes the newest for that, which has
# no hash. Both read the machine's configuration of pip (pip.conf, PIP_*): a mirror or a certificate needs no second place.
set -eu
python=$1
venv=$2
lock=$3
shift 3
if [ -L "$venv" ]; then
    echo "$venv is a link: the environment that it leads to may be someone else's, and is not replaced. Remove the link first" >&2
    exit 1
fi
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Python 3.11 or later is needed, and $python is $("$python" --version 2>&1). Try: make PYTHON=python3.12 ..." >&2
    exit 1
}
# Debian's python3 comes without ensurepip: where it may, this installs the package that has it.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "$python has no venv module: installing python3-venv"
    if [ "$(id -u)" = 0 ]; then
        apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null
    elif sudo -n true 2>/dev/null; then
        sudo apt-get update -qq && sudo apt-get install -y -qq python3-venv >/dev/null
    else
        echo "install it first: sudo apt-get install python3-venv" >&2
        exit 1
    fi
fi
installer=$(mktemp -d)
trap 'rm -rf "$installer"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
"$python" -m venv "$installer"
"$installer/bin/python" -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes \
    --only-binary :all: -r "$(dirname "$lock")/installer.txt"
"$python" -m venv --clear --without-pip "$venv"
"$installer/bin/python" -m pip --python "$venv/bin/python" install --quiet --disable-pip-version-check --require-hashes \
    "$@" -r "$lock"
