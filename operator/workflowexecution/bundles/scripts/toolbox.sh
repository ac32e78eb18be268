# What all remediations share: input, errors, results. A step reads it with `. toolbox.sh`, and
# `wfe bundle` puts its text there. It needs a POSIX shell with `local`, awk, and kubectl.
#
# A script that reads it sets KINDS and defines the functions inputs, check, change and verify;
# its steps call `run check`, `run change` and `run verify`.
#
# KINDS lists the kinds of targets: names that resource_of knows, and others together with their
# resource, such as Certificate=certificates.cert-manager.io. Kinds without namespaces that are not
# known, such as ClusterIssuer=clusterissuers.cert-manager.io, are listed in CLUSTER_KINDS instead.
set -eu
export LC_ALL=C

RESULTS=${RESULTS:-/tekton/results}
KINDS=''
CLUSTER_KINDS=''
REQUEST_SECONDS=20

# Exit codes, the same in every bundle.
MALFORMED=2      # a parameter or TARGET_RESOURCE is malformed
UNSUPPORTED=3    # the target's kind is not one that this remediation knows
UNREADABLE=4     # the target does not exist or cannot be read
REFUSED=5        # the API server refused the change
NOT_SEEN=6       # the change was accepted and is not there
TOO_SLOW=7       # the outcome was not reached in time
NOT_SAFE=8       # the change would do harm or nothing; nothing was changed
FORBIDDEN=13     # the ServiceAccount may not do it

# run STEP: do one step, unless an earlier one has found that there is nothing to do.
run() {
  if [ -e "$HOME/nothing-to-do" ]; then
    echo "nothing to do: $(cat "$HOME/nothing-to-do")"
    return 0
  fi
  case $1 in
    check | collect | show) changed false ;;
    verify) ;;
    *) changed true ;;
  esac
  # shellcheck disable=SC2086 # both are lists
  target $KINDS $CLUSTER_KINDS
  inputs
  "$1"
}

# target KIND…: split TARGET_RESOURCE, which must be of one of these kinds.
# Sets kind, name, resource, and namespace, which is empty for a kind without namespaces.
target() {
  local known entry
  case $TARGET_RESOURCE in
    */*/*/*) malformed_target ;;
    */*/*) namespace=${TARGET_RESOURCE%%/*} kind=${TARGET_RESOURCE#*/} ;;
    */*) namespace='' kind=$TARGET_RESOURCE ;;
    *) malformed_target ;;
  esac
  kind=${kind%%/*}
  name=${TARGET_RESOURCE##*/}
  case $kind in '' | *[!A-Za-z0-9]*) malformed_target ;; esac
  is_name "$name" || fail $MALFORMED "TARGET_RESOURCE='$TARGET_RESOURCE': '$name' is no name"
  known='' resource=''
  for entry in "$@"; do
    known="$known ${entry%%=*}"
    if [ "${entry%%=*}" = "$kind" ]; then resource=$(resource_of "$entry"); fi
  done
  [ -n "$resource" ] ||
    fail $UNSUPPORTED "TARGET_RESOURCE='$TARGET_RESOURCE': kind must be one of:$known"
  if has_no_namespace "$kind"; then
    [ -z "$namespace" ] ||
      fail $MALFORMED "TARGET_RESOURCE='$TARGET_RESOURCE': must be $kind/name, without namespace"
  else
    is_name "$namespace" || malformed_target
  fi
}

malformed_target() {
  fail $MALFORMED "TARGET_RESOURCE='$TARGET_RESOURCE': must be namespace/kind/name or Node/name"
}

# A first letter or digit keeps kubectl from reading a name as an option.
is_name() {
  case $1 in '' | [!a-z0-9]* | *[!a-z0-9] | *[!a-z0-9.-]*) return 1 ;; esac
  [ ${#1} -le 253 ]
}

# resource_of ENTRY: print the resource of an entry of KINDS, as kubectl and roles name it.
resource_of() {
  case $1 in
    *=*) echo "${1#*=}" ;;
    Deployment) echo deployments.apps ;;
    StatefulSet) echo statefulsets.apps ;;
    DaemonSet) echo daemonsets.apps ;;
    Pod) echo pods ;;
    Node) echo nodes ;;
    Job) echo jobs.batch ;;
    CronJob) echo cronjobs.batch ;;
    ConfigMap) echo configmaps ;;
    Service) echo services ;;
    Ingress) echo ingresses.networking.k8s.io ;;
    PersistentVolumeClaim) echo persistentvolumeclaims ;;
    HorizontalPodAutoscaler) echo horizontalpodautoscalers.autoscaling ;;
    PodDisruptionBudget) echo poddisruptionbudgets.policy ;;
    Namespace) echo namespaces ;;
    *) fail $UNSUPPORTED "kind not known to the toolbox: $1; write it as $1=resource.group" ;;
  esac
}

# has_no_namespace KIND: whether its objects are in no namespace.
has_no_namespace() {
  local entry
  case $1 in Node | Namespace) return 0 ;; esac
  for entry in $CLUSTER_KINDS; do
    if [ "${entry%%=*}" = "$1" ]; then return 0; fi
  done
  return 1
}

# whole NAME VALUE MINIMUM MAXIMUM: refuse a parameter that is no whole number in these bounds.
# The length is limited first: a shell's comparison of thirty digits is false or an error.
whole() {
  case $2 in
    '' | *[!0-9]* | 0?* | ?????????*) ;;
    *) if [ "$2" -ge "$3" ] && [ "$2" -le "$4" ]; then return 0; fi ;;
  esac
  fail $MALFORMED "$1='$2': must be a whole number from $3 to $4"
}

# flag NAME VALUE: refuse a parameter that is neither true nor false.
flag() {
  case $2 in true | false) ;; *) fail $MALFORMED "$1='$2': must be true or false" ;; esac
}

# bytes_of QUANTITY: print a quantity in bytes, as people and Kubernetes write it: 512M, 1.5Gi, 3e7,
# 32212254720m for 0.03Gi; fails where it is none, or is less than a byte.
bytes_of() {
  printf '%s\n' "$1" | awk '
    BEGIN {
      split("k M G T P E", unit); split("Ki Mi Gi Ti Pi Ei", binary); split("m u n", part)
      thousands = powers = parts = factor[""] = 1
      for (i = 1; i <= 6; i++) {
        factor[unit[i]] = thousands *= 1000
        factor[binary[i]] = powers *= 1024
      }
      for (i = 1; i <= 3; i++) factor[part[i]] = parts /= 1000
    }
    NR == 1 && match($0, /^[0-9]+(\.[0-9]+)?/) && RLENGTH <= 20 {
      number = substr($0, 1, RLENGTH); suffix = substr($0, RLENGTH + 1)
      if (suffix in factor) { bytes = number * factor[suffix]; known = 1 }
      else if (suffix ~ /^[eE][+-]?[0-9][0-9]?$/) { bytes = (number suffix) + 0; known = 1 }
    }
    END { if (!known || NR != 1 || (bytes > 0 && bytes < 0.9)) exit 1; printf "%.0f\n", bytes }'
}

# json_text VALUE: print a text as JSON, with its quotes, for a patch.
json_text() {
  printf '"'
  printf '%s\n' "$1" | sed "s/[\\\\\"]/\\\\&/g; s/$(printf '\t')/\\\\t/g" |
    awk '{ printf "%s%s", (NR > 1 ? "\\n" : ""), $0 }'
  printf '"'
}

# seconds_of TIME: print a time of RFC 3339 as seconds since 1970.
seconds_of() {
  local day clock offset sign
  day=${1%%T*} clock=${1#*T} offset=0
  case $clock in
    *[+-]??:??)
      offset=${clock#????????}
      sign=${offset%??:??} offset=${offset#?}
      offset=$(awk -v at="$offset" 'BEGIN { split(at, t, ":"); print t[1] * 3600 + t[2] * 60 }')
      offset=$sign$offset
      ;;
  esac
  echo $(($(date -u -d "$day $(printf '%.8s' "$clock")" +%s) - (offset)))
}

# is_younger TIME SECONDS: whether a time of RFC 3339 is less than that long ago; an empty one is not.
is_younger() {
  [ -n "$1" ] && [ $(($(date +%s) - $(seconds_of "$1"))) -lt "$2" ]
}

# kube CODE ARGUMENT…: kubectl; a failure ends the step with this code, or a better known cause.
# It ends no more than the subshell of `$(kube …)`: write that as an assignment of its own.
kube() {
  kube_for $REQUEST_SECONDS "$@"
}

# kube_for SECONDS CODE ARGUMENT…: the same for a request that may take that long.
# Not kubectl's own --request-timeout: with it kubectl forgets that it is in a cluster.
kube_for() {
  local seconds code
  seconds=$1 code=$2
  shift 2
  timeout "$seconds" kubectl "$@" 2> "$HOME/error" && return 0
  explain "$code" "kubectl $1 failed on $TARGET_RESOURCE"
}

# explain CODE WORDS: end the step with what kubectl has written to $HOME/error.
# With REFUSED it was about the only request that changes something.
explain() {
  local cause
  cause=$(tr '\n' ' ' < "$HOME/error")
  [ "$1" -ne $REFUSED ] || ! is_refusal "$cause" || changed false
  case $cause in
    '') fail $TOO_SLOW "$2: no answer in time" ;;
    *'(Forbidden)'* | *' is forbidden: '*) forbidden "$cause" ;;
    *'(NotFound)'*) fail $UNREADABLE "$cause" ;;
    *) fail "$1" "$2: $cause" ;;
  esac
}

# is_refusal CAUSE: whether the API server itself has refused a request, so that it stored nothing.
is_refusal() {
  case $1 in
    *'(Forbidden)'* | *' is forbidden: '* | *'(NotFound)'*) ;;
    *' is invalid: '* | *' denied the request'*) ;;
    *) return 1 ;;
  esac
}

# A quota and an admission policy say "forbidden" too, and the rights are not what is wrong then.
forbidden() {
  case $1 in
    *' cannot '*' resource '*)
      result failure-reason Forbidden
      fail $FORBIDDEN "the run's ServiceAccount lacks a right: $1"
      ;;
    *) fail $REFUSED "$1" ;;
  esac
}

# get JSONPATH: print fields of the target.
get() {
  kube $UNREADABLE get "$resource" "$name" ${namespace:+"--namespace=$namespace"} \
    --output "jsonpath=$(one_line "$1")"
}

# list RESOURCE JSONPATH ARGUMENT…: print fields of other objects in the target's namespace.
list() {
  local what fields
  what=$1 fields=$(one_line "$2")
  shift 2
  kube $UNREADABLE get "$what" ${namespace:+"--namespace=$namespace"} --output "jsonpath=$fields" "$@"
}

# A JSONPath may be written in several lines, which kubectl does not read.
one_line() {
  printf '%s' "$1" | tr -d '\n' | sed 's/  */ /g'
}

# exists: whether the target exists.
exists() {
  local found
  found=$(kube $UNREADABLE get "$resource" "$name" ${namespace:+"--namespace=$namespace"} \
    --ignore-not-found --output name) || exit
  [ -n "$found" ]
}

# merge JSON: change fields of the target by a merge patch.
merge() {
  kube $REFUSED patch "$resource" "$name" ${namespace:+"--namespace=$namespace"} \
    --type merge --patch "$1"
}

# wait_until SECONDS FUNCTION ARGUMENT…: call it until it succeeds; fails when the time is over.
# In the function an error does not end the step by itself: write `|| exit` after `$(kube …)`.
wait_until() {
  local deadline
  deadline=$(($(date +%s) + $1))
  shift
  until "$@"; do
    [ "$(date +%s)" -lt "$deadline" ] || return 1
    sleep 1
  done
}

# note NAME JSONPATH: remember fields of the target.
note() {
  get "$2" > "$HOME/$1"
}

# remember NAME VALUE, recall NAME: carry a value from one step to the next.
remember() {
  printf '%s' "$2" > "$HOME/$1"
}

recall() {
  cat "$HOME/$1"
}

# result NAME WORDS…: write a result of the task; all of them together may have 4096 bytes.
result() {
  local key
  key=$1
  shift
  printf '%.800s' "$(printf '%s' "$*" | tr '\n' ' ')" > "$RESULTS/$key"
  echo "$key: $*"
}

# changed true|false: tell whether the task may have changed something; written before a change, so
# that a step which is killed meanwhile does not deny it.
changed() {
  printf '%s' "$1" > "$RESULTS/changed"
}

# nothing_to_do WORDS…: the wanted state is there already: tell it, and leave out the other steps.
nothing_to_do() {
  [ -e "$RESULTS/before" ] || result before "as wanted"
  result after "$*, so nothing was changed"
  changed false
  printf '%s' "$*" > "$HOME/nothing-to-do"
  exit 0
}

# fail CODE WORDS…: end the step; the words reach the execution's status.
fail() {
  local code
  code=$1
  shift
  result failure-message "$*" >&2
  exit "$code"
}
