# For remediations of Deployments, StatefulSets and DaemonSets; read after toolbox.sh.

RESTARTED_AT='{.spec.template.metadata.annotations.kubectl\.kubernetes\.io/restartedAt}'

# workload_state: print in one line how it is.
workload_state() {
  local state
  case $kind in
    DaemonSet) state='{.status.numberReady} of {.status.desiredNumberScheduled} pods ready' ;;
    *) state='{.status.readyReplicas} of {.spec.replicas} pods ready' ;;
  esac
  # A count that is zero is left out of the status.
  state=$(get "generation {.metadata.generation}, 0$state") || exit
  echo "$state" | sed 's/, 0\([0-9]\)/, \1/'
}

# refuse_unless_it_rolls: a change of the pod template must lead to new pods.
refuse_unless_it_rolls() {
  local state
  state=$(get '{.spec.paused}/{.spec.updateStrategy.type}')
  case $state in
    true/*) fail $NOT_SAFE "$TARGET_RESOURCE is paused: resume it first; nothing was changed" ;;
    */OnDelete)
      fail $NOT_SAFE "$TARGET_RESOURCE has the update strategy OnDelete, so its pods are replaced" \
        "only when somebody deletes them; nothing was changed"
      ;;
  esac
}

# has_rolled_out: whether all its pods are of its present template and available.
# shellcheck disable=SC2086 # the counts are made one line
# By reading alone: kubectl's own `rollout status` needs the rights to list and watch as well.
has_rolled_out() {
  local counts
  case $kind in
    Deployment) counts='0{.spec.replicas} 0{.status.replicas} 0{.status.updatedReplicas}
      0{.status.availableReplicas}' ;;
    StatefulSet) counts='0{.spec.replicas} 0{.status.replicas} 0{.status.updatedReplicas}
      0{.status.availableReplicas}' ;;
    DaemonSet) counts='0{.status.desiredNumberScheduled} 0{.status.currentNumberScheduled}
      0{.status.updatedNumberScheduled} 0{.status.numberAvailable}' ;;
  esac
  counts=$(get "{.metadata.generation} 0{.status.observedGeneration} $counts
    0{.spec.updateStrategy.rollingUpdate.partition}") || exit
  # Generation, the one that was observed; pods wanted, there, new, available, kept old on purpose.
  echo $counts | awk '{ exit $2 != $1 }' || return 1
  echo $counts | awk '{ exit !($4 == $3 && $5 + $7 >= $3 && $6 >= $3) }'
}

# Stands still: the controller itself says of this very generation that it gets no further.
has_rolled_out_or_stands_still() {
  local why
  has_rolled_out && return 0
  why=$(get '{.metadata.generation}/{.status.observedGeneration}/{range
    .status.conditions[?(@.type=="Progressing")]}{.reason}: {.message}{end}') || exit
  case $why in
    */ProgressDeadlineExceeded*)
      [ "${why%%/*}" != "$(echo "$why" | cut -d / -f 2)" ] ||
        fail $TOO_SLOW "the rollout stands still: ${why#*/*/}"
      ;;
  esac
  return 1
}

# wait_for_rollout SECONDS: wait until all its pods are of its present template and available.
wait_for_rollout() {
  local state
  [ "$1" -gt 0 ] || return 0
  wait_until "$1" has_rolled_out_or_stands_still && return 0
  state=$(workload_state)
  fail $TOO_SLOW "the rollout did not finish within $1 s: $state"
}
