KINDS=PersistentVolumeClaim

inputs() {
  local wanted most
  whole TIMEOUT "$TIMEOUT" 0 86400
  wanted=$(bytes_of "$SIZE") || fail $MALFORMED "SIZE='$SIZE': must be a quantity such as 20Gi"
  most=$(bytes_of "$MAX_SIZE") || fail $MALFORMED "MAX_SIZE='$MAX_SIZE': must be a quantity such as 20Gi"
  remember wanted "$wanted"
  remember most "$most"
}

check() {
  local phase asked has
  at_most "$(recall wanted)" "$(recall most)" ||
    fail $NOT_SAFE "SIZE=$SIZE is more than MAX_SIZE=$MAX_SIZE; nothing was changed"
  phase=$(get '{.status.phase}')
  asked=$(get '{.spec.resources.requests.storage}')
  has=$(get '{.status.capacity.storage}')
  result before "$phase, asks for $asked, has $has"
  [ "$phase" = Bound ] ||
    fail $NOT_SAFE "the claim is $phase, and only a bound one can grow; nothing was changed"
  if is_large_enough; then
    nothing_to_do "the claim has $has"
  fi
  # A claim never shrinks: after an earlier, larger wish there is only to wait.
  at_most "$(recall wanted)" "$(bytes_of "$asked")" || ask --dry-run=server
}

# Whole bytes of volumes are too large for the comparison of some shells.
at_most() {
  awk -v one="$1" -v other="$2" 'BEGIN { exit !(one + 0 <= other + 0) }'
}

is_large_enough() {
  local has
  has=$(get '{.status.capacity.storage}') || exit
  has=$(bytes_of "$has") || return 1
  at_most "$(recall wanted)" "$has"
}

ask() {
  kube $REFUSED patch "$resource" "$name" "--namespace=$namespace" "$1" --type merge \
    --patch "{\"spec\":{\"resources\":{\"requests\":{\"storage\":\"$SIZE\"}}}}"
}

change() {
  local asked
  asked=$(get '{.spec.resources.requests.storage}')
  at_most "$(recall wanted)" "$(bytes_of "$asked")" || ask --dry-run=none
}

verify() {
  local asked has told
  asked=$(get '{.spec.resources.requests.storage}')
  at_most "$(recall wanted)" "$(bytes_of "$asked")" ||
    fail $NOT_SEEN "the claim asks for $asked, not for $SIZE"
  [ "$TIMEOUT" -gt 0 ] || { result after "asks for $asked"; return 0; }
  if ! wait_until "$TIMEOUT" is_large_enough; then
    has=$(get '{.status.capacity.storage}')
    told=$(get '{range .status.conditions[*]}{.type} {.message} {end}')
    fail $TOO_SLOW "the claim asks for $asked and has $has after $TIMEOUT s:" \
      "${told:-nothing says why}"
  fi
  has=$(get '{.status.capacity.storage}')
  result after "asks for $asked, has $has"
}
