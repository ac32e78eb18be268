KINDS=Node

inputs() { :; }

check() {
  local ready
  note cordoned '{.spec.unschedulable}'
  if [ "$(recall cordoned)" != true ]; then
    nothing_to_do "the node takes new pods already"
  fi
  result before "takes no new pods"
  ready=$(get '{.status.conditions[?(@.type=="Ready")].status}')
  [ "$ready" = True ] ||
    fail $NOT_SAFE "the node is not ready (Ready is ${ready:-not told}); nothing was changed"
}

change() {
  merge '{"spec":{"unschedulable":false}}'
}

verify() {
  note cordoned '{.spec.unschedulable}'
  [ "$(recall cordoned)" != true ] || fail $NOT_SEEN "the node still takes no new pods"
  result after "takes new pods"
}
