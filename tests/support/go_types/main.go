// Command go-types decodes statuses as an orchestrator written in Go does, and refuses unknown
// fields. It reads one JSON status per line and answers each with a line: the status encoded again
// by Go, or {"error": …}. The structs are the API's of December 2025; a field of ours beside them
// is marked "added". With the arguments SERVER NAMESPACE NAME TARGET it does instead what an
// orchestrator does to an execution of that name, and tells each answer in a line.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
)

// Time is metav1.Time: RFC 3339, written in UTC with whole seconds.
type Time struct{ time.Time }

func (t *Time) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	parsed, err := time.Parse(time.RFC3339, text)
	t.Time = parsed
	return err
}

func (t Time) MarshalJSON() ([]byte, error) {
	return json.Marshal(t.UTC().Format(time.RFC3339))
}

// Duration is a string in the API; this one is parsed, to know that a client could.
type Duration string

func (d *Duration) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, (*string)(d)); err != nil {
		return err
	}
	_, err := time.ParseDuration(string(*d))
	return err
}

type Status struct {
	ObservedGeneration   int64              `json:"observedGeneration,omitempty"`
	Phase                string             `json:"phase,omitempty"`
	StartTime            *Time              `json:"startTime,omitempty"`
	CompletionTime       *Time              `json:"completionTime,omitempty"`
	Duration             Duration           `json:"duration,omitempty"`
	PipelineRunRef       *LocalObjectRef    `json:"pipelineRunRef,omitempty"`
	PipelineRunStatus    *PipelineRunStatus `json:"pipelineRunStatus,omitempty"`
	FailureReason        string             `json:"failureReason,omitempty"`
	FailureDetails       *FailureDetails    `json:"failureDetails,omitempty"`
	SkipDetails          *SkipDetails       `json:"skipDetails,omitempty"`
	ConsecutiveFailures  int32              `json:"consecutiveFailures,omitempty"`
	NextAllowedExecution *Time              `json:"nextAllowedExecution,omitempty"`
	Conditions           []Condition        `json:"conditions,omitempty"`
}

type LocalObjectRef struct {
	Name      string `json:"name,omitempty"`
	Namespace string `json:"namespace,omitempty"` // added
}

type PipelineRunStatus struct {
	Status         string `json:"status"`
	Reason         string `json:"reason,omitempty"`
	Message        string `json:"message,omitempty"`
	CompletedTasks int    `json:"completedTasks,omitempty"`
	TotalTasks     int    `json:"totalTasks,omitempty"`
}

type FailureDetails struct {
	FailedTaskIndex            int      `json:"failedTaskIndex"`
	FailedTaskName             string   `json:"failedTaskName"`
	FailedStepName             string   `json:"failedStepName,omitempty"`
	Reason                     string   `json:"reason"`
	Message                    string   `json:"message"`
	ExitCode                   *int32   `json:"exitCode,omitempty"`
	FailedAt                   Time     `json:"failedAt"`
	ExecutionTimeBeforeFailure Duration `json:"executionTimeBeforeFailure"`
	NaturalLanguageSummary     string   `json:"naturalLanguageSummary"`
	WasExecutionFailure        bool     `json:"wasExecutionFailure,omitempty"`
}

type SkipDetails struct {
	Reason              string               `json:"reason"`
	Message             string               `json:"message"`
	SkippedAt           Time                 `json:"skippedAt"`
	ConflictingWorkflow *ConflictingWorkflow `json:"conflictingWorkflow,omitempty"`
	RecentRemediation   *RecentRemediation   `json:"recentRemediation,omitempty"`
}

type ConflictingWorkflow struct {
	Name           string `json:"name"`
	Namespace      string `json:"namespace,omitempty"` // added
	WorkflowID     string `json:"workflowId"`
	StartedAt      Time   `json:"startedAt"`
	TargetResource string `json:"targetResource"`

	RemediationRequestRef *ObjectReference `json:"remediationRequestRef,omitempty"` // added
}

type RecentRemediation struct {
	Name              string   `json:"name"`
	Namespace         string   `json:"namespace,omitempty"` // added
	WorkflowID        string   `json:"workflowId"`
	CompletedAt       Time     `json:"completedAt"`
	Outcome           string   `json:"outcome"`
	TargetResource    string   `json:"targetResource"`
	CooldownRemaining Duration `json:"cooldownRemaining,omitempty"`

	RemediationRequestRef *ObjectReference `json:"remediationRequestRef,omitempty"` // added
}

type Condition struct {
	Type               string `json:"type"`
	Status             string `json:"status"`
	ObservedGeneration int64  `json:"observedGeneration,omitempty"`
	LastTransitionTime Time   `json:"lastTransitionTime"`
	Reason             string `json:"reason"`
	Message            string `json:"message"`
}

func main() {
	if len(os.Args) == 5 {
		if err := orchestrate(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var status Status
		decoder := json.NewDecoder(strings.NewReader(lines.Text()))
		decoder.DisallowUnknownFields()
		var answer any = &status
		if err := decoder.Decode(&status); err != nil {
			answer = map[string]string{"error": err.Error()}
		}
		if err := answers.Encode(answer); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
