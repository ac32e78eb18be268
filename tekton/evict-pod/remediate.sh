inputs() {
  whole MIN_AGE "$MIN_AGE" 0 86400
  whole TIMEOUT "$TIMEOUT" 1 86400
}

check() {
  local state
  nothing_to_do_without_pod
  note uid '{.metadata.uid}'
  state=$(pod_state)
  result before "$state"
  note phase '{.status.phase}'
  case $(recall phase) in
    Succeeded | Failed) nothing_to_do "the pod has ended" ;;
  esac
  note created '{.metadata.creationTimestamp}'
  if is_younger "$(recall created)" "$MIN_AGE"; then
    nothing_to_do "the pod is less than $MIN_AGE s old"
  fi
  refuse_unless_replaced
}

change() {
  wait_until "$TIMEOUT" is_evicted ||
    fail $TOO_SLOW "not within $TIMEOUT s: $(cat "$HOME/error")"
}

# is_evicted: ask for the eviction; a disruption budget may allow it later.
is_evicted() {
  local body
  body="\"metadata\":{\"name\":\"$name\",\"namespace\":\"$namespace\"}"
  body="$body,\"deleteOptions\":{\"preconditions\":{\"uid\":\"$(recall uid)\"}}"
  echo "{\"apiVersion\":\"policy/v1\",\"kind\":\"Eviction\",$body}" |
    timeout $REQUEST_SECONDS kubectl create \
      --raw "/api/v1/namespaces/$namespace/pods/$name/eviction" --filename - \
      > /dev/null 2> "$HOME/error" && return 0
  grep -q 'disruption budget' "$HOME/error" || explain $REFUSED "the eviction failed"
  return 1
}
