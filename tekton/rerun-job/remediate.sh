KINDS=Job
ENDED='{range .status.conditions[?(@.status=="True")]}{.type} {end}'

inputs() {
  whole TIMEOUT "$TIMEOUT" 0 86400
}

check() {
  local uid copy state
  note ended "$ENDED"
  case " $(recall ended)" in
    *' Failed '*) ;;
    *' Complete '*) nothing_to_do "the Job has completed" ;;
    *) fail $NOT_SAFE "$TARGET_RESOURCE has not ended yet; nothing was changed" ;;
  esac
  note why '{.status.conditions[?(@.type=="Failed")].message}'
  result before "failed: $(recall why)"
  # One copy of each failed Job: its name tells of which.
  uid=$(get '{.metadata.uid}')
  copy=$(printf '%.45s' "$name" | sed 's/[.-]*$//')-rerun-$(printf '%.8s' "$uid")
  remember copy "$copy"
  state=$(copy_state)
  case " $state" in
    *' Complete '*) nothing_to_do "its copy $copy has completed" ;;
    *' Failed '*)
      fail $NOT_SAFE "the Job was run again as $copy, which failed too: name that one as the" \
        "target to try once more; nothing was changed"
      ;;
  esac
}

# copy_state: print how the copy ended; empty where it has not, or is not there.
copy_state() {
  kube $UNREADABLE get jobs.batch "$(recall copy)" "--namespace=$namespace" --ignore-not-found \
    --output "jsonpath=$ENDED"
}

# What the API server gave to the failed Job is taken off: the copy gets its own.
change() {
  local own given labels
  if copy_exists; then
    echo "$(recall copy) is there already"
    return 0
  fi
  labels='"controller-uid":null,"batch.kubernetes.io/controller-uid":null'
  labels="$labels,\"job-name\":null,\"batch.kubernetes.io/job-name\":null"
  own="\"name\":\"$(recall copy)\",\"labels\":{$labels},\"annotations\":{\"kubernaut.ai/rerun-of\":\"$name\"}"
  given='"uid":null,"resourceVersion":null,"generation":null,"creationTimestamp":null'
  given="$given,\"ownerReferences\":null,\"managedFields\":null,\"finalizers\":null"
  kube $UNREADABLE get jobs.batch "$name" "--namespace=$namespace" --output json > "$HOME/job.json"
  kube $REFUSED patch --local --filename "$HOME/job.json" --type merge --output json --patch "{
    \"metadata\":{$own,$given},\"status\":null,
    \"spec\":{\"selector\":null,\"manualSelector\":null,
      \"template\":{\"metadata\":{\"labels\":{$labels}}}}}" > "$HOME/copy.json"
  kube $REFUSED create --filename "$HOME/copy.json"
}

copy_exists() {
  local found
  found=$(kube $UNREADABLE get jobs.batch "$(recall copy)" "--namespace=$namespace" \
    --ignore-not-found --output name) || exit
  [ -n "$found" ]
}

verify() {
  local state
  copy_exists || fail $NOT_SEEN "the copy $(recall copy) is not there"
  [ "$TIMEOUT" -gt 0 ] || { result after "runs again as $(recall copy)"; return 0; }
  wait_until "$TIMEOUT" copy_has_ended ||
    fail $TOO_SLOW "the copy $(recall copy) has not ended within $TIMEOUT s"
  state=$(copy_state)
  case " $state" in
    *' Complete '*) result after "ran again as $(recall copy), which completed" ;;
    *) fail $NOT_SEEN "ran again as $(recall copy), which failed too" ;;
  esac
}

copy_has_ended() {
  local state
  state=$(copy_state) || exit
  case " $state" in *' Complete '* | *' Failed '*) ;; *) return 1 ;; esac
}
