"""Ways in which a workflow fails, each with the pipeline that does so and what must be told.

The end-to-end tests run them for real, and record what Tekton wrote; the unit tests diagnose the
recordings. Both hold the operator to the same expectations.
"""

from __future__ import annotations

from e2e.scenario import (
    GREEDY,
    LOG,
    OUT_OF_MEMORY,
    RESTRICTED,
    RUN,
    SLEEP,
    TASK_RUN,
    WORK_FAILED,
    Scenario,
    not_configured,
    step,
    task,
)

SCENARIOS = (
    Scenario(
        name="out-of-memory",
        tasks=[
            task(
                "fill",
                step("grow", "tail /dev/zero", computeResources={"limits": {"memory": "24Mi"}}),
            )
        ],
        expected={
            "failedTaskIndex": 0,
            "failedTaskName": "fill",
            "failedStepName": "grow",
            "reason": "OOMKilled",
            "exitCode": 137,
            "wasExecutionFailure": True,
            "message": r"^task 'fill', step 'grow' ended with exit code 137: OOMKilled, it used "
            "more memory than its limit" + LOG.format("fill", "grow"),
        },
    ),
    Scenario(
        name="out-of-memory-in-first-of-three",
        leaves_pod=True,
        has_pod=False,
        tasks=[task("fill", GREEDY, step("then", "exit 0"), step("last", "exit 0"))],
        expected=OUT_OF_MEMORY,
    ),
    Scenario(
        name="out-of-memory-in-second-of-three",
        leaves_pod=True,
        has_pod=False,
        tasks=[task("fill", step("first", "exit 0"), GREEDY, step("last", "exit 0"))],
        expected=OUT_OF_MEMORY,
    ),
    not_configured(
        "secret-missing", 'secret "nowhere" not found', envFrom=[{"secretRef": {"name": "nowhere"}}]
    ),
    not_configured(
        "configmap-missing",
        'configmap "nowhere" not found',
        envFrom=[{"configMapRef": {"name": "nowhere"}}],
    ),
    not_configured("user-forbidden", "non-root", securityContext={**RESTRICTED, "runAsUser": 0}),
    Scenario(
        name="pod-deleted-by-somebody",
        tasks=[task("work", SLEEP)],
        deed="delete-pod",
        has_pod=False,
        expected={
            "failedTaskIndex": 0,
            "failedTaskName": "work",
            "failedStepName": "sleep",
            "reason": "Unknown",
            "exitCode": 255,
            "wasExecutionFailure": True,
            "message": r"^task 'work', step 'sleep' ended with exit code 255: its pod was deleted, "
            "evicted or killed while it worked" + TASK_RUN.format("work"),
        },
    ),
    Scenario(
        name="killed-by-a-signal",
        tasks=[task("work", step("work", "kill -9 $$"))],
        expected={
            **WORK_FAILED,
            "exitCode": 255,
            "message": r"^task 'work', step 'work' ended with exit code 255: a signal ended it "
            "from outside, or it exited with that code itself" + LOG.format("work", "work"),
        },
    ),
    Scenario(
        name="entrypoint-missing",
        tasks=[
            task(
                "work",
                {
                    "name": "work",
                    "image": "busybox",
                    "securityContext": RESTRICTED,
                    "command": ["/bin/nowhere"],
                },
            )
        ],
        expected={
            **WORK_FAILED,
            "exitCode": 1,
            "message": r"exit code 1; Tekton reports this also for a command that does not exist"
            ".*" + LOG.format("work", "work"),
        },
    ),
    Scenario(
        name="result-too-large",
        tasks=[
            {
                "name": "work",
                "taskSpec": {
                    "results": [{"name": "found"}],
                    "steps": [
                        step("work", "head -c 9000 /dev/zero | tr '\\0' x > $(results.found.path)")
                    ],
                },
            }
        ],
        expected={
            **WORK_FAILED,
            "exitCode": 1,
            "message": r"exit code 1; Tekton reports this also .* for a result that is too large"
            ".*" + LOG.format("work", "work"),
        },
    ),
    Scenario(
        name="result-missing",
        tasks=[
            {
                "name": "look",
                "taskSpec": {"results": [{"name": "found"}], "steps": [step("look", "exit 0")]},
            },
            {
                "name": "use",
                "params": [{"name": "found", "value": "$(tasks.look.results.found)"}],
                "taskSpec": {
                    "params": [{"name": "found"}],
                    "steps": [
                        step("use", "exit 0", env=[{"name": "X", "value": "$(params.found)"}])
                    ],
                },
            },
        ],
        expected={
            "failedTaskIndex": 0,
            "failedTaskName": "",
            "reason": "ConfigurationError",
            "wasExecutionFailure": True,
            "message": r'^PipelineValidationFailed: .*did not emit the result "found"' + ".*" + RUN,
        },
    ),
    Scenario(
        name="exit-code-in-second-step",
        tasks=[
            task("look", step("look", "exit 0")),
            task(
                "repair",
                step("read", "exit 0"),
                step("change", "echo cannot >&2; exit 7"),
                step("check", "exit 0"),
                runAfter=["look"],
            ),
        ],
        expected={
            "failedTaskIndex": 1,
            "failedTaskName": "repair",
            "failedStepName": "change",
            "reason": "TaskFailed",
            "exitCode": 7,
            "wasExecutionFailure": True,
            "message": r"^task 'repair', step 'change' ended with exit code 7"
            + LOG.format("repair", "change"),
        },
    ),
    Scenario(
        name="image-does-not-exist",
        tasks=[task("pull", step("pull", "exit 0", image="nowhere"))],
        expected={
            "failedTaskIndex": 0,
            "failedTaskName": "pull",
            "failedStepName": "pull",
            "reason": "ImagePullBackOff",
            "wasExecutionFailure": False,
            "message": r"^task 'pull', step 'pull': TaskRunImagePullFailed: .*not found.*"
            + TASK_RUN.format("pull"),
        },
    ),
    Scenario(
        name="parameter-missing",
        tasks=[task("never", step("never", "exit 0"))],
        params=[{"name": "REPLICAS"}],
        expected={
            "failedTaskIndex": 0,
            "failedTaskName": "",
            "reason": "ConfigurationError",
            "wasExecutionFailure": False,
            "message": r"^ParameterMissing: .*REPLICAS.*" + RUN,
        },
    ),
    Scenario(
        name="account-without-the-right",
        tasks=[
            task(
                "restart",
                step(
                    "restart",
                    "kubectl -n default rollout restart deployment/none",
                    image="kubectl",
                    env=[{"name": "HOME", "value": "/tmp"}],
                ),
            )
        ],
        spec={"executionConfig": {"serviceAccountName": "default"}},
        expected={
            "failedTaskIndex": 0,
            "failedTaskName": "restart",
            "failedStepName": "restart",
            "reason": "TaskFailed",
            "exitCode": 1,
            "wasExecutionFailure": True,
            "message": r"^task 'restart', step 'restart' ended with exit code 1; Tekton reports .*"
            + LOG.format("restart", "restart"),
        },
    ),
    Scenario(
        name="account-missing",
        tasks=[task("never", step("never", "exit 0"))],
        spec={"executionConfig": {"serviceAccountName": "nobody"}},
        expected={
            "failedTaskIndex": 0,
            "failedTaskName": "never",
            "reason": "ConfigurationError",
            "wasExecutionFailure": False,
            "message": r"^task 'never': PodCreationFailed: .*serviceaccounts \"nobody\" not found.*"
            + TASK_RUN.format("never"),
        },
    ),
    Scenario(
        name="pod-security",
        tasks=[task("host", {**step("root", "exit 0"), "securityContext": {"privileged": True}})],
        expected={
            "failedTaskIndex": 0,
            "failedTaskName": "host",
            "reason": "Forbidden",
            "wasExecutionFailure": False,
            "message": r"^task 'host': PodAdmissionFailed: .*violates PodSecurity.*"
            + TASK_RUN.format("host"),
        },
    ),
    Scenario(
        name="task-timeout",
        tasks=[task("wait", SLEEP, timeout="6s")],
        expected={
            "failedTaskIndex": 0,
            "failedTaskName": "wait",
            "failedStepName": "sleep",
            "reason": "DeadlineExceeded",
            "wasExecutionFailure": True,
            "message": r"^task 'wait', step 'sleep': TaskRunTimeout: .*6s.*"
            + TASK_RUN.format("wait"),
        },
    ),
    Scenario(
        name="step-timeout",
        tasks=[task("wait", {**SLEEP, "timeout": "3s"})],
        expected={
            "failedTaskIndex": 0,
            "failedTaskName": "wait",
            "failedStepName": "sleep",
            "reason": "DeadlineExceeded",
            "exitCode": 1,
            "wasExecutionFailure": True,
            "message": r"^task 'wait', step 'sleep' ended with exit code 1: it took longer than "
            "its own time limit" + LOG.format("wait", "sleep"),
        },
    ),
    Scenario(
        name="pipeline-timeout",
        tasks=[task("wait", SLEEP)],
        spec={"executionConfig": {"timeout": "7s"}},
        expected={
            "failedTaskIndex": 0,
            "failedTaskName": "wait",
            "failedStepName": "sleep",
            "reason": "DeadlineExceeded",
            "wasExecutionFailure": True,
            "message": r"^task 'wait', step 'sleep': TaskRunCancelled: .*"
            + TASK_RUN.format("wait"),
        },
    ),
    Scenario(
        name="digest-of-another-bundle",
        tasks=[task("never", step("never", "exit 0"))],
        ref={"containerDigest": f"sha256:{'0' * 64}"},
        expected={
            "failedTaskIndex": 0,
            "failedTaskName": "",
            "reason": "ConfigurationError",
            "wasExecutionFailure": False,
            "message": rf"^CouldntGetPipeline: .*sha256:{'0' * 64}.*" + RUN,
        },
    ),
    Scenario(
        name="registry-does-not-answer",
        tasks=[task("never", step("never", "exit 0"))],
        ref={"containerImage": "127.0.0.1:1/failing/registry-does-not-answer:v1"},
        expected={
            "failedTaskIndex": 0,
            "failedTaskName": "",
            "reason": "ImagePullBackOff",
            "wasExecutionFailure": False,
            "message": r"^CouldntGetPipeline: .*connection refused.*" + RUN,
        },
    ),
    Scenario(
        name="quota-exceeded",
        tasks=[task("never", step("never", "exit 0"))],
        spec={"executionConfig": {"timeout": "6s"}},
        quota={"pods": "0"},
        expected={
            "failedTaskIndex": 0,
            "failedTaskName": "never",
            "reason": "ResourceExhausted",
            "wasExecutionFailure": False,
            "message": r"^task 'never': TaskRunCancelled: .*ExceededResourceQuota.*exceeded quota.*"
            + TASK_RUN.format("never"),
        },
    ),
    Scenario(
        name="no-room-on-the-nodes",
        tasks=[
            task(
                "big",
                step("big", "exit 0", computeResources={"requests": {"cpu": "1000"}}),
            )
        ],
        spec={"executionConfig": {"timeout": "6s"}},
        expected={
            "failedTaskIndex": 0,
            "failedTaskName": "big",
            "reason": "ResourceExhausted",
            "wasExecutionFailure": False,
            "message": r"^task 'big': TaskRunCancelled: .*ExceededNodeResources.*"
            + TASK_RUN.format("big"),
        },
    ),
    Scenario(
        name="cancelled-by-somebody",
        tasks=[task("wait", SLEEP)],
        deed="cancel",
        expected={
            "failedTaskIndex": 0,
            "failedTaskName": "wait",
            "failedStepName": "sleep",
            "reason": "Unknown",
            "wasExecutionFailure": True,
            "message": r"^task 'wait', step 'sleep': TaskRunCancelled: .*"
            + TASK_RUN.format("wait"),
        },
    ),
    Scenario(
        name="deleted-by-somebody",
        tasks=[task("wait", SLEEP)],
        deed="delete",
        expected={
            "failedTaskIndex": 0,
            "failedTaskName": "",
            "reason": "Unknown",
            "wasExecutionFailure": True,
            "message": r"^PipelineRun \S+ was deleted by somebody else; see: kubectl events -n \S+ "
            r"--for pipelinerun.tekton.dev/\S+$",
        },
    ),
)
