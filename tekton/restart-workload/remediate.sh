KINDS='Deployment StatefulSet DaemonSet'

inputs() {
  whole ROLLOUT_TIMEOUT "$ROLLOUT_TIMEOUT" 0 86400
  whole NOT_WITHIN "$NOT_WITHIN" 0 86400
}

check() {
  local restarted_at state
  refuse_unless_it_rolls
  restarted_at=$(get "$RESTARTED_AT")
  state=$(workload_state)
  note generation '{.metadata.generation}'
  remember restarted_at "$restarted_at"
  result before "$state, restarted ${restarted_at:-never}"
  if is_younger "$restarted_at" "$NOT_WITHIN"; then
    remember recent yes
  fi
}

change() {
  if [ -e "$HOME/recent" ]; then
    echo "restarted at $(recall restarted_at), less than $NOT_WITHIN s ago: not again"
    return 0
  fi
  kube $REFUSED rollout restart "$resource/$name" "--namespace=$namespace"
}

verify() {
  local restarted_at generation state
  restarted_at=$(get "$RESTARTED_AT")
  generation=$(get '{.metadata.generation}')
  if [ ! -e "$HOME/recent" ]; then
    [ "$generation" -gt "$(recall generation)" ] ||
      fail $NOT_SEEN "generation is still $generation: nothing was restarted"
    [ -n "$restarted_at" ] && [ "$restarted_at" != "$(recall restarted_at)" ] ||
      fail $NOT_SEEN "the pod template still says restartedAt='$restarted_at'"
  fi
  wait_for_rollout "$ROLLOUT_TIMEOUT"
  state=$(workload_state)
  if [ -e "$HOME/recent" ]; then
    result after "$state, restarted $restarted_at already, so nothing was changed"
  else
    result after "$state, restarted $restarted_at"
  fi
}
