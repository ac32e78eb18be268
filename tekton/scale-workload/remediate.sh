KINDS='Deployment StatefulSet'

inputs() {
  whole MIN_REPLICAS "$MIN_REPLICAS" 0 100000
  whole MAX_REPLICAS "$MAX_REPLICAS" 0 100000
  whole REPLICAS "$REPLICAS" 0 100000
  whole ROLLOUT_TIMEOUT "$ROLLOUT_TIMEOUT" 0 86400
}

check() {
  local state
  [ "$REPLICAS" -ge "$MIN_REPLICAS" ] ||
    fail $NOT_SAFE "REPLICAS=$REPLICAS is less than MIN_REPLICAS=$MIN_REPLICAS; nothing was changed"
  [ "$REPLICAS" -le "$MAX_REPLICAS" ] ||
    fail $NOT_SAFE "REPLICAS=$REPLICAS is more than MAX_REPLICAS=$MAX_REPLICAS; nothing was changed"
  refuse_if_autoscaled
  note replicas '{.spec.replicas}'
  state=$(workload_state)
  result before "$(recall replicas) replicas, $state"
  if [ "$(recall replicas)" -eq "$REPLICAS" ] && has_rolled_out; then
    nothing_to_do "$REPLICAS replicas, $state"
  fi
}

refuse_if_autoscaled() {
  local found
  found=$(list horizontalpodautoscalers.autoscaling '{range .items[*]}{
    .spec.scaleTargetRef.kind}/{.spec.scaleTargetRef.name} {.metadata.name}{"\n"}{end}')
  found=$(echo "$found" | awk -v target="$kind/$name" '$1 == target { print $2 }')
  [ -z "$found" ] || fail $NOT_SAFE "HorizontalPodAutoscaler $found sets the replicas of" \
    "$TARGET_RESOURCE: change its bounds; nothing was changed"
}

change() {
  kube $REFUSED scale "$resource/$name" "--namespace=$namespace" \
    "--current-replicas=$(recall replicas)" "--replicas=$REPLICAS"
}

verify() {
  local replicas state
  replicas=$(get '{.spec.replicas}')
  [ "$replicas" -eq "$REPLICAS" ] || fail $NOT_SEEN "replicas is $replicas, not $REPLICAS"
  wait_for_rollout "$ROLLOUT_TIMEOUT"
  state=$(workload_state)
  result after "$replicas replicas, $state"
}
