# For remediations that remove one pod; read after toolbox.sh.

KINDS=Pod

# nothing_to_do_without_pod: a pod that is gone is what was wanted.
nothing_to_do_without_pod() {
  exists || nothing_to_do "there is no such pod"
}

# refuse_unless_replaced: somebody must start another one.
refuse_unless_replaced() {
  local owner
  owner=$(get '{.metadata.ownerReferences[?(@.controller==true)].kind}')
  case $owner in
    '') fail $NOT_SAFE "no controller would replace $TARGET_RESOURCE; nothing was changed" ;;
    Node) fail $NOT_SAFE "$TARGET_RESOURCE belongs to its node's own files; nothing was changed" ;;
  esac
  remember owner "$owner"
}

# pod_state: print in one line how it is.
pod_state() {
  get '{.status.phase}, ready {.status.conditions[?(@.type=="Ready")].status}{range
    .status.containerStatuses[*]}{range .state.*} {.reason}{end}{end}, on {.spec.nodeName}'
}

# is_gone: whether this very pod is gone; another one may have its name.
is_gone() {
  local uid
  uid=$(kube $UNREADABLE get pods "$name" "--namespace=$namespace" --ignore-not-found \
    --output 'jsonpath={.metadata.uid}') || exit
  [ "$uid" != "$(recall uid)" ]
}

verify() {
  wait_until "$TIMEOUT" is_gone || fail $TOO_SLOW "$TARGET_RESOURCE is not gone within $TIMEOUT s"
  result after "the pod is gone; its $(recall owner) replaces it"
}
