"""The condition about the bundle that was run, if its digest was requested.

Tekton fetches by the digest it is given, and its library checks what it gets. It then reports the
digest of the image it took: where the digest was that of an OCI index, this is another one.
"""

from workflowexecution.api import reading
from workflowexecution.api.reading import Raw
from workflowexecution.core.facts.run import Run, digest_in
from workflowexecution.core.status.conditions import BUNDLE_VERIFIED, Claim


def asked_digest(execution: Raw) -> str:
    """The digest that an execution is pinned by; empty where it has none."""
    ref = reading.mapping(reading.mapping(execution, "spec"), "workflowRef")
    return digest_in(reading.text(ref, "containerImage")) or reading.text(ref, "containerDigest")


def claim_on_bundle(asked: str, run: Run) -> Claim | None:
    """Say whether what was run is what was asked for; None where that cannot be said yet.

    Args:
        asked: the digest that the execution is pinned by; empty where that is not known.
        run: its run.
    """
    asked = asked or run.pinned_digest
    if not asked or not run.fetched_digest:
        return None
    if run.fetched_digest == asked:
        return Claim(BUNDLE_VERIFIED, "True", "DigestMatches")
    if run.pinned_digest != asked:
        return Claim(
            BUNDLE_VERIFIED,
            "False",
            "DigestMismatch",
            f"the execution asks for the bundle {asked}, and the run was made to ask Tekton for "
            f"{run.pinned_digest or 'one without a digest'}, as an admission webhook can do; "
            f"Tekton fetched {run.fetched_digest}: what ran is not what was audited",
        )
    return Claim(
        BUNDLE_VERIFIED,
        "Unknown",
        "DigestOfIndex",
        f"Tekton checks what it fetches by digest, and reports {run.fetched_digest} where "
        f"{asked} was asked for, as it does where that is an OCI index which names this image; "
        "to have the two compared, pin the digest of the image",
    )
