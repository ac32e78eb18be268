KINDS=Node

inputs() { :; }

check() {
  note cordoned '{.spec.unschedulable}'
  if [ "$(recall cordoned)" = true ]; then
    nothing_to_do "the node takes no new pods already"
  fi
  result before "takes new pods"
}

change() {
  merge '{"spec":{"unschedulable":true}}'
}

verify() {
  note cordoned '{.spec.unschedulable}'
  [ "$(recall cordoned)" = true ] || fail $NOT_SEEN "the node still takes new pods"
  result after "takes no new pods; those on it stay"
}
