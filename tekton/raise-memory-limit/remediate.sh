KINDS='Deployment StatefulSet DaemonSet'

inputs() {
  local cap
  whole ROLLOUT_TIMEOUT "$ROLLOUT_TIMEOUT" 0 86400
  echo "$FACTOR" | awk '{ exit !(/^[0-9]+(\.[0-9]+)?$/ && $1 > 1 && $1 <= 10) }' ||
    fail $MALFORMED "FACTOR='$FACTOR': must be a number above 1, at most 10"
  cap=$(bytes_of "$CAP") || fail $MALFORMED "CAP='$CAP': must be a quantity such as 2Gi"
  remember cap "$cap"
  case $CONTAINER in
    *[!a-z0-9-]* | -*) fail $MALFORMED "CONTAINER='$CONTAINER': must be a container's name" ;;
  esac
}

check() {
  local container limit old new state
  refuse_unless_it_rolls
  state=$(workload_state)
  container=$(killed_container)
  if [ -z "$container" ]; then
    result before "$state"
    nothing_to_do "no container ${CONTAINER:+named $CONTAINER }was killed for reaching its limit"
  fi
  limit=$(limit_of "$container")
  old=$(bytes_of "$limit")
  new=$(awk -v old="$old" -v factor="$FACTOR" -v cap="$(recall cap)" 'BEGIN {
    new = old * factor; if (new > cap) new = cap
    printf "%d", new / 1048576
  }')
  result before "memory limit of $container $limit, $state"
  [ "$(bytes_of "${new}Mi")" -gt "$old" ] ||
    fail $NOT_SAFE "the limit of $container is $limit, and CAP=$CAP lets it grow no further;" \
      "nothing was changed"
  remember container "$container"
  remember limit "${new}Mi"
}

limit_of() {
  get "{.spec.template.spec.containers[?(@.name==\"$1\")].resources.limits.memory}"
}

# killed_container: print the first container, or CONTAINER, that was killed at its present limit.
# One that was killed under another limit, or without any, says nothing about this one.
killed_container() {
  local selector limits pods
  selector=$(get '{.spec.selector.matchLabels}') || exit
  selector=$(echo "$selector" | tr -d '{}"' | tr : =)
  limits=$(get '{range .spec.template.spec.containers[*]}{.name}={.resources.limits.memory} {end}') ||
    exit
  pods=$(list pods '{range .items[*]}{range .spec.containers[*]}{.name}={.resources.limits.memory} {end}|{
    range .status.containerStatuses[*]}{.name}={.lastState.terminated.reason}{
    .state.terminated.reason} {end}{"\n"}{end}' "--selector=$selector") || exit
  echo "$pods" | awk -F'|' -v limits=" $limits" -v only="$CONTAINER" '{
      n = split($2, ended, " ")
      for (i = 1; i <= n; i++) {
        split(ended[i], part, "=")
        if (part[2] !~ /OOMKilled/ || (only != "" && part[1] != only)) continue
        m = split($1, own, " ")
        for (j = 1; j <= m; j++)
          if (index(own[j], part[1] "=") == 1 && own[j] != part[1] "=" &&
              index(limits, " " own[j] " ")) { print part[1]; exit }
      }
    }'
}

change() {
  local container
  container="{\"name\":\"$(recall container)\",\"resources\":{\"limits\":{\"memory\":\"$(recall limit)\"}}}"
  kube $REFUSED patch "$resource" "$name" "--namespace=$namespace" --type strategic \
    --patch "{\"spec\":{\"template\":{\"spec\":{\"containers\":[$container]}}}}"
}

verify() {
  local limit state
  limit=$(limit_of "$(recall container)")
  [ "$limit" = "$(recall limit)" ] || fail $NOT_SEEN "the limit is $limit, not $(recall limit)"
  wait_for_rollout "$ROLLOUT_TIMEOUT"
  state=$(workload_state)
  result after "memory limit of $(recall container) $limit, $state"
}
