# The steps of this workflow. workflow.yaml reads it after toolbox.sh, whose functions it uses:
# get, list, merge, kube, whole, flag, wait_until, result, remember, recall, nothing_to_do, fail.
KINDS='Deployment StatefulSet DaemonSet'

NOTE_IS='{.metadata.annotations.kubernaut\.ai/@NAME@}'

# inputs: refuse parameters that cannot be used. It runs before each step.
inputs() {
  case $NOTE in
    '' | *[!A-Za-z0-9._-]*)
      fail $MALFORMED "NOTE='$NOTE': must be letters, digits, dots, dashes and underscores"
      ;;
  esac
}

# check: only read. Write down what the target is like, and end here where it is as wanted.
check() {
  local note
  note=$(get "$NOTE_IS")
  result before "note ${note:-none}"
  [ "$note" != "$NOTE" ] || nothing_to_do "the note is $NOTE"
}

# change: change the target. If the API server refuses its first request, nothing was changed.
change() {
  merge "{\"metadata\":{\"annotations\":{\"kubernaut.ai/@NAME@\":$(json_text "$NOTE")}}}"
}

# verify: read again, and wait where it takes time. Fail unless the target is now as wanted.
verify() {
  local note
  note=$(get "$NOTE_IS")
  [ "$note" = "$NOTE" ] || fail $NOT_SEEN "the note is ${note:-none}"
  result after "note $note"
}
