inputs() {
  whole STUCK_AFTER "$STUCK_AFTER" 0 86400
  whole TIMEOUT "$TIMEOUT" 1 86400
  flag FORCE "$FORCE"
}

check() {
  local state since
  nothing_to_do_without_pod
  note uid '{.metadata.uid}'
  state=$(pod_state)
  result before "$state"
  note ready '{.status.conditions[?(@.type=="Ready")].status}'
  note phase '{.status.phase}'
  [ "$(recall phase)" != Succeeded ] || nothing_to_do "the pod has done its work"
  refuse_unless_replaced
  since=$(get '{.metadata.deletionTimestamp}')
  if [ -n "$since" ]; then
    refuse_if_recent "$since" "is to be gone at"
    [ "$FORCE" = true ] ||
      fail $NOT_SAFE "$TARGET_RESOURCE was to be gone at $since and its node does not confirm it;" \
        "FORCE=true removes it all the same; nothing was changed"
    return 0
  fi
  [ "$(recall ready)" != True ] || nothing_to_do "the pod is ready"
  since=$(get '{.status.conditions[?(@.type=="Ready")].lastTransitionTime}')
  [ -n "$since" ] || since=$(get '{.metadata.creationTimestamp}')
  refuse_if_recent "$since" "is not ready since"
}

refuse_if_recent() {
  if is_younger "$1" "$STUCK_AFTER"; then
    fail $NOT_SAFE "$TARGET_RESOURCE $2 $1, and STUCK_AFTER=$STUCK_AFTER s have not passed;" \
      "nothing was changed"
  fi
}

# With its UID as a condition, so that never its successor of the same name is deleted.
change() {
  local options
  options="\"preconditions\":{\"uid\":\"$(recall uid)\"}"
  [ "$FORCE" = false ] || options="$options,\"gracePeriodSeconds\":0"
  echo "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",$options}" |
    kube $REFUSED delete --raw "/api/v1/namespaces/$namespace/pods/$name" --filename - > /dev/null
}
