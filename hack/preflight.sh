#!/bin/sh
# Says in one message all that `make` lacks on this machine, before anything is downloaded or built.
# Usage: preflight.sh PYTHON. Exit status 1 if something is missing.
python=$1
missing='' packages='' modules=''

lacks() { # WORDS PACKAGE
  missing="$missing
  - $1"
  packages="$packages${2:+ $2}"
}

is_new_enough() {
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

another() {
  for name in python3.14 python3.13 python3.12 python3.11; do
    if is_new_enough "$name"; then
      echo "; $name is there: add PYTHON=$name"
      return
    fi
  done
}

if ! command -v "$python" >/dev/null; then
  lacks "Python 3.11 or newer: there is no $python$(another)" python3
  packages="$packages python3-venv"
elif ! is_new_enough "$python"; then
  lacks "Python 3.11 or newer: $python is $("$python" -V 2>&1)$(another)"
else
  for module in ensurepip venv ssl ctypes; do
    "$python" -c "import $module" 2>/dev/null || modules="$modules${modules:+, }$module"
  done
  case $modules in
    '') ;;
    *ssl* | *ctypes*) lacks "modules of $python that its build has left out: $modules" ;;
    *) lacks "modules of $python: $modules" python3-venv ;;
  esac
fi
# The version is counted from the history.
if [ -e .git ] && ! command -v git >/dev/null; then
  lacks git git
fi
[ -n "$missing" ] || exit 0

{
  echo "Missing on this machine:$missing"
  if [ -n "$packages" ]; then
    echo "On Debian and Ubuntu: apt-get install$packages"
  fi
  if [ "$(uname -s)" != Linux ]; then
    echo "Not Linux, too: the local cluster cannot run here; make unit and make lint can."
  elif [ "$(id -u)" != 0 ]; then
    echo "Not root, too: that is no obstacle, but kwok plays the node, and no container runs."
  fi
} >&2
exit 1
