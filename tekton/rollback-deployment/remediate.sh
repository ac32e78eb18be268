KINDS=Deployment
REVISION='{.metadata.annotations.deployment\.kubernetes\.io/revision}'

inputs() {
  whole TO_REVISION "$TO_REVISION" 0 99999999
  whole ROLLOUT_TIMEOUT "$ROLLOUT_TIMEOUT" 0 86400
}

check() {
  local state current kept wanted
  refuse_unless_it_rolls
  current=$(get "$REVISION")
  state=$(workload_state)
  result before "revision ${current:-unknown}, $state"
  if [ "$TO_REVISION" -eq 0 ] && has_rolled_out; then
    nothing_to_do "revision $current is healthy, $state"
  fi
  kept=$(revisions)
  wanted=$(echo "$kept" | choose "${current:-0}")
  case $wanted in
    '') fail $NOT_SAFE "there is no such earlier revision of $TARGET_RESOURCE; nothing was changed" ;;
    "$current") nothing_to_do "revision $current is what was asked for, $state" ;;
  esac
  remember revision "$wanted"
  note generation '{.metadata.generation}'
}

# revisions: print each revision of the target that is kept, and the numbers it has had before.
revisions() {
  local uid
  uid=$(get '{.metadata.uid}') || exit
  list replicasets.apps "{range
    .items[?(@.metadata.ownerReferences[0].uid==\"$uid\")]}{
    .metadata.annotations.deployment\\.kubernetes\\.io/revision},{
    .metadata.annotations.deployment\\.kubernetes\\.io/revision-history}{\"\\n\"}{end}"
}

# choose CURRENT: the revision that bears or bore the number asked for, or the newest other one.
choose() {
  awk -F, -v wanted="$TO_REVISION" -v current="$1" '
    wanted == 0 && $1 + 0 < current && $1 + 0 > best { best = $1 + 0 }
    wanted > 0 { for (i = 1; i <= NF; i++) if ($i == wanted) best = $1 }
    END { print best }'
}

change() {
  kube $REFUSED rollout undo "deployment/$name" "--namespace=$namespace" \
    "--to-revision=$(recall revision)"
}

verify() {
  local generation current state
  generation=$(get '{.metadata.generation}')
  [ "$generation" -gt "$(recall generation)" ] ||
    fail $NOT_SEEN "generation is still $generation: nothing was rolled back"
  wait_for_rollout "$ROLLOUT_TIMEOUT"
  current=$(get "$REVISION")
  state=$(workload_state)
  result after "revision $current, the same as revision $(recall revision) was, $state"
}
