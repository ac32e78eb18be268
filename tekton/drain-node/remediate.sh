KINDS=Node

inputs() {
  whole TIMEOUT "$TIMEOUT" 1 86400
  flag FORCE "$FORCE"
  flag DELETE_EMPTYDIR_DATA "$DELETE_EMPTYDIR_DATA"
}

# Pods of Tekton's runs, this one among them, go when their work is done.
drain() {
  kube_for $((TIMEOUT + REQUEST_SECONDS)) "$1" drain "$name" "--timeout=${TIMEOUT}s" \
    --ignore-daemonsets "--force=$FORCE" "--delete-emptydir-data=$DELETE_EMPTYDIR_DATA" \
    '--pod-selector=!tekton.dev/taskRun' "$2"
}

# count_pods CODE: print how many pods would be evicted; fails where one may not be.
count_pods() {
  local planned
  planned=$(drain "$1" --dry-run=client) || exit
  echo "$planned" | grep -c '^evicting pod ' || true
}

check() {
  local cordoned pods
  cordoned=$(get '{.spec.unschedulable}')
  pods=$(count_pods $NOT_SAFE)
  result before "takes new pods: $([ "$cordoned" = true ] && echo no || echo yes);" \
    "$pods pods to evict"
  remember pods "$pods"
  if [ "$cordoned" = true ] && [ "$pods" -eq 0 ]; then
    nothing_to_do "the node takes no new pods and has none to evict"
  fi
}

change() {
  drain $TOO_SLOW --dry-run=none
}

verify() {
  local pods
  note cordoned '{.spec.unschedulable}'
  [ "$(recall cordoned)" = true ] || fail $NOT_SEEN "the node still takes new pods"
  pods=$(count_pods $NOT_SEEN)
  [ "$pods" -eq 0 ] || fail $NOT_SEEN "$pods pods are on the node again"
  result after "takes no new pods; $(recall pods) pods were evicted"
}
