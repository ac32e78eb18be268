KINDS='Deployment StatefulSet DaemonSet'

inputs() { :; }

show() {
  local state
  state=$(workload_state)
  kube $UNREADABLE get "$resource" "$name" "--namespace=$namespace" --output wide
  result found "$state"
}
