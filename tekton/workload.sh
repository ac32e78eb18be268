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
  get "generation {.metadata.generation}, 0$state" | sed 's/, 0\([0-9]\)/, \1/'
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

# has_rolled_out: whether all its pods are of its present template and ready.
has_rolled_out() {
  kubectl rollout status "$resource/$name" "--namespace=$namespace" --watch=false |
    grep -q -e 'successfully rolled out' -e 'roll out complete' -e 'rolling update complete'
}

# wait_for_rollout SECONDS: wait until all its pods are of its present template and ready.
wait_for_rollout() {
  [ "$1" -gt 0 ] || return 0
  kube_for $(($1 + REQUEST_SECONDS)) $TOO_SLOW rollout status "$resource/$name" \
    "--namespace=$namespace" "--timeout=${1}s"
}
