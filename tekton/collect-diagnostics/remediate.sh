KINDS='Deployment StatefulSet DaemonSet Pod Node Job CronJob PersistentVolumeClaim'
EVENT='{range .items[*]}{.type} {.reason} {.lastTimestamp} {.message}{"\n"}{end}'

inputs() {
  whole LOG_LINES "$LOG_LINES" 0 1000
}

collect() {
  local warnings pods pod told
  heading "$TARGET_RESOURCE"
  kube $UNREADABLE get "$resource" "$name" ${namespace:+"--namespace=$namespace"} --output yaml
  heading pods
  pods=$(pods_of_target '{range .items[*]}{.metadata.namespace}/{.metadata.name} {
    .status.phase} ready={.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}')
  echo "$pods"
  heading events
  warnings=$(events_of "$kind" "$name")
  echo "$warnings"
  if [ "$kind" != Node ]; then
    for pod in $(echo "$pods" | awk -F'[/ ]' 'NF { print $2 }' | head -n 20); do
      told=$(events_of Pod "$pod")
      echo "$told"
      warnings=$(printf '%s\n%s' "$warnings" "$told")
    done
  fi
  warnings=$(echo "$warnings" | awk '$1 == "Warning" { print $2 }' | sort -u | tr '\n' ' ')
  logs_of_unready "$pods"
  result found "$(echo "$pods" | grep -c . || true) pods," \
    "$(echo "$pods" | grep -c 'ready=True' || true) of them ready; warnings: ${warnings:-none}"
}

heading() {
  printf '\n=== %s\n' "$1"
}

# events_of KIND NAME: print type, reason, time and message of its events, one a line.
# Those of what has no namespace are in the namespace default.
events_of() {
  kube $UNREADABLE get events "--namespace=${namespace:-default}" --output "jsonpath=$EVENT" \
    "--field-selector=involvedObject.kind=$1,involvedObject.name=$2"
}

# pods_of_target JSONPATH: print what it selects of the pods that belong to the target.
pods_of_target() {
  local labels
  case $kind in
    Node) list pods "$1" --all-namespaces "--field-selector=spec.nodeName=$name" ;;
    Pod) list pods "$1" "--field-selector=metadata.name=$name" ;;
    Deployment | StatefulSet | DaemonSet | Job)
      labels=$(get '{.spec.selector.matchLabels}') || exit
      labels=$(echo "$labels" | tr -d '{}"' | tr : =)
      list pods "$1" "--selector=$labels"
      ;;
  esac
}

# A container that never ran has no log: that is no failure here.
logs_of_unready() {
  local pod
  [ "$LOG_LINES" -gt 0 ] || return 0
  echo "$1" | grep -v -e 'ready=True' -e ' Succeeded ' | cut -d ' ' -f 1 | while read -r pod; do
    [ -n "$pod" ] || continue
    heading "last lines of $pod"
    timeout $REQUEST_SECONDS kubectl logs "${pod#*/}" "--namespace=${pod%%/*}" --all-containers \
      "--tail=$LOG_LINES" 2>&1 || true
  done
}
