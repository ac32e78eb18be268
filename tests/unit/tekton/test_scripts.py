"""The remediations' scripts, by a real shell: what they refuse, and with which code and words."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from workflowexecution.bundles.folder import SCRIPTS, read_bundle

TEKTON = Path(__file__).parents[3] / "tekton"
NAMES = sorted(path.parent.name for path in TEKTON.glob("*/remediate.sh"))
# The small shell that images have; what it lacks of the machine's own must not be needed.
SHELL = ["busybox", "sh"] if shutil.which("busybox") else ["sh"]
KUBECTL = """#!/bin/sh
echo "$*" >> "$HOME/calls"
[ ! -e "$HOME/answer" ] || cat "$HOME/answer"
[ ! -e "$HOME/refusal" ] || { cat "$HOME/refusal" >&2; exit 1; }
"""
TOOLBOX = ". toolbox.sh\nKINDS='Deployment Pod Node'\ninputs() { :; }\n"
NUMBERS = ("", "x", "-1", "1.5", "1 2", "08", "1" * 30)


def _run(
    home: Path, script: str, **values: str
) -> tuple[subprocess.CompletedProcess[str], dict[str, str]]:
    """Run a script with a kubectl that says what `answer` and `refusal` hold; with its results."""
    for name in ("results", "bin"):
        (home / name).mkdir(exist_ok=True)
    kubectl = home / "bin" / "kubectl"
    kubectl.write_text(KUBECTL)
    kubectl.chmod(0o755)
    script = re.sub(r"^\. ", f". {SCRIPTS}/", script, flags=re.MULTILINE)
    environment = {
        "PATH": f"{kubectl.parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "RESULTS": str(home / "results"),
        "TARGET_RESOURCE": "shop/Deployment/cart",
        **values,
    }
    done = subprocess.run(
        [*SHELL, "-c", script], env=environment, capture_output=True, text=True, timeout=10
    )
    return done, {path.name: path.read_text() for path in (home / "results").iterdir()}


def _steps(bundle: str) -> dict[str, str]:
    pipeline = read_bundle(TEKTON / bundle).pipeline
    assert pipeline
    tasks = pipeline["spec"]["tasks"]
    return {step["name"]: step["script"] for task in tasks for step in task["taskSpec"]["steps"]}


def _defaults(bundle: str) -> dict[str, str]:
    """Parameters that are accepted: defaults, and examples where there is none."""
    properties = (read_bundle(TEKTON / bundle).parameters or {})["properties"]
    return {
        name: spec["default"] if "default" in spec else spec["examples"][0]
        for name, spec in properties.items()
    }


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("shop/Deployment/cart", 0),
        ("shop/Pod/cart.v2-1", 0),
        ("Node/worker-1", 0),
        ("shop/deployment/cart", 3),
        ("shop/Job/cart", 3),
        ("Deployment/cart", 2),
        ("shop/Node/worker-1", 2),
        ("cart", 2),
        ("", 2),
        ("a/b/c/d", 2),
        ("shop/Deployment/", 2),
        ("shop//cart", 2),
        ("/Deployment/cart", 2),
        ("shop/Deployment/--all", 2),
        ("shop/Deployment/cart-", 2),
        ("-n/Deployment/cart", 2),
        ("shop/Deployment/Cart", 2),
        ("shop/Deployment/cart cart", 2),
        ("shop/Deployment Pod/cart", 2),
        ("shop/*/cart", 2),
        ("shop/Deployment/$(touch pwned)", 2),
        ("shop/Deployment/cart;touch pwned", 2),
        ("shop/Deployment/cart\nshop", 2),
        (f"shop/Deployment/{'x' * 254}", 2),
    ],
)
def test_a_target_is_split_or_refused(tmp_path: Path, target: str, code: int) -> None:
    script = TOOLBOX + 'show() { echo "$namespace|$kind|$name|$resource"; }\nrun show\n'
    done, results = _run(tmp_path, script, TARGET_RESOURCE=target)

    assert done.returncode == code, done.stderr
    if code:
        assert target.replace("\n", " ") in results["failure-message"] or len(target) > 250
    else:
        *namespace, kind, name = target.split("/")
        shown = done.stdout.strip().split("|")
        assert shown[:3] == ["".join(namespace), kind, name]
    assert not Path("pwned").exists()


@pytest.mark.parametrize("bundle", NAMES)
@pytest.mark.parametrize(("target", "code"), [("shop/Secret/cart", 3), ("shop/Deployment", 2)])
def test_every_remediation_reads_its_target_in_the_same_way(
    tmp_path: Path, bundle: str, target: str, code: int
) -> None:
    for script in _steps(bundle).values():
        done, _ = _run(tmp_path, script, TARGET_RESOURCE=target, **_defaults(bundle))
        assert done.returncode == code
    assert not (tmp_path / "calls").exists()


@pytest.mark.parametrize("bundle", NAMES)
def test_a_malformed_parameter_is_named_before_anything_is_asked(
    tmp_path: Path, bundle: str
) -> None:
    properties = (read_bundle(TEKTON / bundle).parameters or {})["properties"]
    kinds = re.findall(r"^KINDS='?(\w+)", "\n".join(_steps(bundle).values()), re.MULTILINE)
    target = "Node/one" if kinds[0] == "Node" else f"shop/{kinds[0]}/cart"
    script = next(iter(_steps(bundle).values()))
    for name, spec in properties.items():
        for value in ("TRUE", "x y") if "enum" in spec else NUMBERS:
            if re.fullmatch(spec.get("pattern", "(?!)"), value):
                continue
            given = {**_defaults(bundle), name: value}
            done, results = _run(tmp_path, script, TARGET_RESOURCE=target, **given)
            assert done.returncode == 2, f"{name}={value!r}: {done.stderr}"
            assert f"{name}='{value}': must be " in results["failure-message"]
    assert not (tmp_path / "calls").exists()


@pytest.mark.parametrize(
    ("refusal", "code", "reason"),
    [
        (
            'Error from server (Forbidden): pods "a" is forbidden: User "somebody" '
            'cannot get resource "pods" in API group "" in the namespace "shop"',
            13,
            "Forbidden",
        ),
        ('Error from server (Forbidden): pods "a" is forbidden: exceeded quota: q', 5, None),
        ('Error from server (NotFound): pods "a" not found', 4, None),
        ("Unable to connect to the server: dial tcp: i/o timeout", 4, None),
        ("", 7, None),
    ],
)
def test_what_kubectl_says_decides_how_a_step_ends(
    tmp_path: Path, refusal: str, code: int, reason: str | None
) -> None:
    (tmp_path / "refusal").write_text(refusal)
    script = TOOLBOX + "show() { local x; x=$(get '{.spec}'); echo \"$x\"; }\nrun show\n"

    done, results = _run(tmp_path, script)

    assert done.returncode == code
    assert results.get("failure-reason") == reason
    assert refusal.rpartition("dial")[2] in results["failure-message"]


@pytest.mark.parametrize("bundle", NAMES)
def test_every_remediation_says_that_its_first_step_changes_nothing(
    tmp_path: Path, bundle: str
) -> None:
    pipeline = read_bundle(TEKTON / bundle).pipeline
    assert pipeline
    (task,) = pipeline["spec"]["tasks"]
    assert {"name": "changed"} in task["taskSpec"]["results"]
    first, *later = _steps(bundle).items()
    for target in ("shop/Secret/cart", "cart"):
        done, results = _run(tmp_path, first[1], TARGET_RESOURCE=target, **_defaults(bundle))
        assert (done.returncode in (2, 3), results["changed"]) == (True, "false")
    assert [name for name, _ in later] in ([], ["change", "verify"])
    for _, script in later:
        _, results = _run(tmp_path, script, TARGET_RESOURCE="cart", **_defaults(bundle))
        assert results["changed"] == "true"


_CHANGE = TOOLBOX + "change() { kube $REFUSED patch x; }\nrun change\n"
_DRAIN = TOOLBOX + "change() { kube $TOO_SLOW drain x; }\nrun change\n"


@pytest.mark.parametrize(
    ("script", "refusal", "changed"),
    [
        (_CHANGE, 'Error from server (Forbidden): pods "a" is forbidden: exceeded quota', "false"),
        (_CHANGE, 'Error from server (NotFound): pods "a" not found', "false"),
        (_CHANGE, 'The Deployment "cart" is invalid: spec: Required value', "false"),
        (_CHANGE, 'Error from server: admission webhook "p" denied the request: no', "false"),
        (_CHANGE, "Unable to connect to the server: unexpected EOF", "true"),
        (_CHANGE, "Error from server (Timeout): the server was unable to answer", "true"),
        (_CHANGE, "", "true"),
        (_DRAIN, 'Error from server (Forbidden): pods "a" is forbidden: no', "true"),
    ],
)
def test_a_change_that_was_sent_counts_as_made_unless_the_api_server_refused_it(
    tmp_path: Path, script: str, refusal: str, changed: str
) -> None:
    (tmp_path / "refusal").write_text(refusal)
    assert _run(tmp_path, script)[1]["changed"] == changed


@pytest.mark.parametrize(
    ("quantity", "size"),
    [
        ("100", 100),
        ("1k", 1000),
        ("512M", 512 * 10**6),
        ("1.5Gi", 3 * 2**29),
        ("2Ti", 2**41),
        ("0", 0),
        ("2Ei", 2**61),
        ("1E", 10**18),
        ("3e7", 3 * 10**7),
        ("30e6", 3 * 10**7),
        ("1E+3", 1000),
        ("5000e-3", 5),
        ("32212254720m", 32212255),
        ("2000000u", 2),
        ("1000000000n", 1),
        ("100m", None),
        ("1e", None),
        ("1e333", None),
        ("1eE3", None),
        ("-1Gi", None),
        ("Gi", None),
        ("", None),
        ("1Gi\n2Gi", None),
    ],
)
def test_quantities_are_counted_in_bytes(tmp_path: Path, quantity: str, size: int | None) -> None:
    done, _ = _run(tmp_path, '. toolbox.sh\nbytes_of "$QUANTITY"', QUANTITY=quantity)
    assert (int(done.stdout) if done.returncode == 0 else None) == size


_OTHERS = (
    "KINDS='ConfigMap Certificate=certificates.cert-manager.io'\n"
    "CLUSTER_KINDS=ClusterIssuer=clusterissuers.cert-manager.io\n"
)


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("shop/ConfigMap/cart", "shop|configmaps"),
        ("shop/Certificate/cart", "shop|certificates.cert-manager.io"),
        ("ClusterIssuer/main", "|clusterissuers.cert-manager.io"),
        ("shop/ClusterIssuer/main", 2),
        ("Certificate/cart", 2),
        ("shop/Service/cart", 3),
        ("shop/Certificate=certificates/cart", 2),
    ],
)
def test_a_script_names_the_resources_of_kinds_that_the_toolbox_does_not_know(
    tmp_path: Path, target: str, shown: str | int
) -> None:
    script = f'{TOOLBOX}{_OTHERS}show() {{ echo "$namespace|$resource"; }}\nrun show\n'
    done, results = _run(tmp_path, script, TARGET_RESOURCE=target)
    assert done.returncode == (shown if isinstance(shown, int) else 0), done.stderr
    if done.returncode == 0:
        assert done.stdout.strip() == shown
    elif done.returncode == 3:
        known = "kind must be one of: ConfigMap Certificate ClusterIssuer"
        assert results["failure-message"].endswith(known)


def test_a_kind_without_its_resource_is_refused_with_the_fix(tmp_path: Path) -> None:
    script = f"{TOOLBOX}KINDS=Widget\nshow() {{ :; }}\nrun show\n"
    done, results = _run(tmp_path, script, TARGET_RESOURCE="shop/Widget/one")
    assert done.returncode == 3
    assert "write it as Widget=resource.group" in results["failure-message"]


@pytest.mark.parametrize("text", ["", "plain", 'a"b\\c\t', "two\nlines\n", "$(x) `y` 'z' é"])
def test_a_text_is_quoted_for_a_patch(tmp_path: Path, text: str) -> None:
    done, _ = _run(tmp_path, '. toolbox.sh\njson_text "$TEXT"', TEXT=text)
    assert json.loads(done.stdout) == text


@pytest.mark.parametrize(
    "moment", ["2026-01-01T00:00:00Z", "2026-01-01T05:30:00+05:30", "2025-12-31T19:00:00-05:00"]
)
def test_times_are_read_in_any_zone(tmp_path: Path, moment: str) -> None:
    done, _ = _run(tmp_path, '. toolbox.sh\nseconds_of "$MOMENT"', MOMENT=moment)
    assert done.stdout.strip() == "1767225600", done.stderr


def test_once_there_is_nothing_to_do_the_other_steps_ask_nothing(tmp_path: Path) -> None:
    script = TOOLBOX + 'look() { nothing_to_do "all is well"; }\nact() { exit 9; }\nrun '

    first, results = _run(tmp_path, f"{script}look")
    second, _ = _run(tmp_path, f"{script}act")

    assert (first.returncode, second.returncode) == (0, 0)
    assert results == {
        "before": "as wanted",
        "after": "all is well, so nothing was changed",
        "changed": "false",
    }


@pytest.mark.parametrize(
    ("before", "answer", "code"),
    [("1", "2", 0), ("2", "2", 6)],
    ids=["stored", "nothing changed"],
)
def test_a_restart_that_left_no_trace_is_a_failure(
    tmp_path: Path, before: str, answer: str, code: int
) -> None:
    (tmp_path / "generation").write_text(before)
    (tmp_path / "restarted_at").write_text("")
    (tmp_path / "answer").write_text(answer)
    values = {**_defaults("restart-workload"), "ROLLOUT_TIMEOUT": "0"}
    done, _ = _run(tmp_path, _steps("restart-workload")["verify"], **values)
    assert done.returncode == code, done.stderr


def test_an_old_restart_does_not_pass_for_the_new_one(tmp_path: Path) -> None:
    (tmp_path / "generation").write_text("1")
    (tmp_path / "restarted_at").write_text("2")
    (tmp_path / "answer").write_text("2")
    values = {**_defaults("restart-workload"), "ROLLOUT_TIMEOUT": "0"}
    done, results = _run(tmp_path, _steps("restart-workload")["verify"], **values)
    assert done.returncode == 6
    assert results["failure-message"] == "the pod template still says restartedAt='2'"


def test_a_failed_question_is_never_an_empty_answer() -> None:
    """`$(get …)` inside a command would go on after its failure; as an assignment it does not."""
    nested = re.compile(r"\$\((get|list|kube|exists|copy_state|pod_state|workload_state)\b")
    alone = re.compile(r"\s*(.* \|\| )?\w+=\$\(")
    for path in [*SCRIPTS.glob("*.sh"), *TEKTON.glob("*/*.sh")]:
        for line in path.read_text().splitlines():
            if nested.search(line) and not line.lstrip().startswith("#"):
                assert alone.match(line), f"{path}: {line}"


def test_always_fails_fails_in_its_second_step(tmp_path: Path) -> None:
    steps = _steps("always-fails")
    codes = [_run(tmp_path, script, EXIT_CODE="7")[0].returncode for script in steps.values()]
    assert list(steps) == ["look", "apply", "confirm"]
    assert codes == [0, 7, 0]


@pytest.mark.parametrize(("seconds", "code"), [("0", 0), ("", 2), ("1s", 2), ("-1", 2)])
def test_wait_takes_whole_seconds(tmp_path: Path, seconds: str, code: int) -> None:
    done, _ = _run(tmp_path, _steps("wait")["sleep"], WAIT_SECONDS=seconds)
    assert done.returncode == code


def test_the_readme_of_each_bundle_names_its_parameters_and_codes() -> None:
    for name in NAMES:
        text = (TEKTON / name / "README.md").read_text()
        schema = json.loads((TEKTON / name / "parameters.json").read_text())
        for parameter in schema["properties"]:
            assert f"`{parameter}`" in text, f"{name}: {parameter}"
        assert "Exit codes: 2 malformed input, 3 kind not supported, 4 " in text, name
        assert "13 right missing." in text, name
