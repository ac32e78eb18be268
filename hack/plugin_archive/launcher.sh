#!/bin/sh
# Runs kubectl wfe with the Python 3.11 that is found; what it imports is beside this file.
self=$0
while [ -h "$self" ]; do
  to=$(readlink "$self")
  case $to in
    /*) self=$to ;;
    *) self=$(dirname "$self")/$to ;;
  esac
done
lib=$(cd "$(dirname "$self")" && pwd)/lib

# Nothing is put into the environment: a kubeconfig may run programs that are in Python as well.
start='import sys
sys.path.insert(0, sys.argv.pop(1))
from workflowexecution.plugin.__main__ import FUNCTION
FUNCTION()'
for python in python3.11 python3 python; do
  if "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
    exec "$python" -I -c "$start" "$lib" "$@"
  fi
done
echo "error: kubectl wfe needs Python 3.11; install it, or put it on the PATH" >&2
exit 1
