KINDS=CronJob

inputs() {
  flag SUSPEND "$SUSPEND"
}

check() {
  local suspended active
  suspended=$(get '{.spec.suspend}')
  active=$(get '{.status.active[*].name}')
  result before "suspended ${suspended:-false}, running: ${active:-none}"
  if [ "${suspended:-false}" = "$SUSPEND" ]; then
    nothing_to_do "suspended $SUSPEND, running: ${active:-none}"
  fi
}

change() {
  merge "{\"spec\":{\"suspend\":$SUSPEND}}"
}

verify() {
  local suspended active
  suspended=$(get '{.spec.suspend}')
  active=$(get '{.status.active[*].name}')
  [ "${suspended:-false}" = "$SUSPEND" ] || fail $NOT_SEEN "suspended is still $suspended"
  result after "suspended $SUSPEND, running: ${active:-none}"
}
