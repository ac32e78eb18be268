#!/bin/sh
# Runs kubectl wfe with a Python that is found; what it imports is beside this file.
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
sys.path[:0] = [sys.argv.pop(1), sys.argv.pop(1)]
from workflowexecution.plugin.__main__ import FUNCTION
FUNCTION()'
for python in python3 python3.14 python3.13 python3.12 python3.11 python; do
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
  if [ -n "$version" ] && [ -d "$lib/$version" ]; then
    exec "$python" -I -c "$start" "$lib/$version" "$lib/any" "$@"
  fi
done
echo "error: kubectl wfe needs Python 3.11 to 3.14; install it, or put it on the PATH" >&2
exit 1
