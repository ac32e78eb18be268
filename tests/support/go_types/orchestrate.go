package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// GoDuration is metav1.Duration: a duration in memory, so that 30m is written back as 30m0s.
type GoDuration struct{ time.Duration }

func (d *GoDuration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	parsed, err := time.ParseDuration(text)
	d.Duration = parsed
	return err
}

func (d GoDuration) MarshalJSON() ([]byte, error) {
	return json.Marshal(d.Duration.String())
}

// Execution is the object as an orchestrator of December 2025 holds it.
type Execution struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   Meta   `json:"metadata,omitempty"`
	Spec       Spec   `json:"spec,omitempty"`
	Status     Status `json:"status,omitempty"`
}

// Meta is what metav1.ObjectMeta keeps of an object that it writes back; the time is always there.
type Meta struct {
	Name              string            `json:"name,omitempty"`
	Namespace         string            `json:"namespace,omitempty"`
	UID               string            `json:"uid,omitempty"`
	ResourceVersion   string            `json:"resourceVersion,omitempty"`
	Generation        int64             `json:"generation,omitempty"`
	CreationTimestamp *Time             `json:"creationTimestamp"`
	Labels            map[string]string `json:"labels,omitempty"`
	Annotations       map[string]string `json:"annotations,omitempty"`
	Finalizers        []string          `json:"finalizers,omitempty"`
}

type Spec struct {
	RemediationRequestRef ObjectReference   `json:"remediationRequestRef"`
	WorkflowRef           WorkflowRef       `json:"workflowRef"`
	TargetResource        string            `json:"targetResource"`
	Parameters            map[string]string `json:"parameters,omitempty"`
	Confidence            float64           `json:"confidence,omitempty"`
	Rationale             string            `json:"rationale,omitempty"`
	ExecutionConfig       ExecutionConfig   `json:"executionConfig,omitempty"`
}

type ObjectReference struct {
	Kind            string `json:"kind,omitempty"`
	Namespace       string `json:"namespace,omitempty"`
	Name            string `json:"name,omitempty"`
	UID             string `json:"uid,omitempty"`
	APIVersion      string `json:"apiVersion,omitempty"`
	ResourceVersion string `json:"resourceVersion,omitempty"`
	FieldPath       string `json:"fieldPath,omitempty"`
}

type WorkflowRef struct {
	WorkflowID      string `json:"workflowId"`
	Version         string `json:"version"`
	ContainerImage  string `json:"containerImage"`
	ContainerDigest string `json:"containerDigest,omitempty"`
}

type ExecutionConfig struct {
	Timeout            *GoDuration `json:"timeout,omitempty"`
	ServiceAccountName string      `json:"serviceAccountName,omitempty"`
}

// orchestrate does to one execution what an orchestrator does, and tells each answer in a line.
func orchestrate(server, namespace, name, target string) error {
	client, err := newClient(server)
	if err != nil {
		return err
	}
	list := "/apis/workflowexecution.kubernaut.ai/v1alpha1/namespaces/" + namespace + "/workflowexecutions"
	one := list + "/" + name
	item := Execution{
		APIVersion: "workflowexecution.kubernaut.ai/v1alpha1",
		Kind:       "WorkflowExecution",
		Metadata:   Meta{Name: name, Namespace: namespace},
		Spec: Spec{
			RemediationRequestRef: ObjectReference{Kind: "RemediationRequest", Name: "request-1"},
			WorkflowRef:           WorkflowRef{WorkflowID: "restart", Version: "v1", ContainerImage: "registry.example/restart:v1"},
			TargetResource:        target,
			Parameters:            map[string]string{"REPLICAS": "3"},
			Confidence:            0.92,
			Rationale:             "memory grows",
		},
	}
	var got Execution
	client.do("create", "POST", list, "application/json", item, &got)
	client.do("get", "GET", one, "", nil, &got)
	got.Metadata.Labels = map[string]string{"seen": "yes"}
	got.Metadata.Finalizers = []string{"example.com/orchestrator"}
	client.update("update", one, &got, func(*Execution) {})
	client.do("patch", "PATCH", one, "application/merge-patch+json", map[string]any{"metadata": map[string]any{"annotations": map[string]string{"a": "b"}, "finalizers": nil}}, &got)
	var all struct{ Items []Execution }
	client.do("list", "GET", list, "", nil, &all)
	client.watch("watch", list+"?watch=true&timeoutSeconds=5", name)
	client.update("change", one, &got, func(changed *Execution) {
		changed.Spec.ExecutionConfig.Timeout = &GoDuration{time.Hour}
	})
	return nil
}

type client struct {
	server string
	http   *http.Client
	out    *json.Encoder
}

func newClient(server string) (*client, error) {
	pem, err := os.ReadFile(os.Getenv("CA"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	return &client{server, &http.Client{Transport: transport, Timeout: 20 * time.Second}, json.NewEncoder(os.Stdout)}, nil
}

// update writes an object back as a typed client does; where it has changed it is read again.
func (c *client) update(step, path string, item *Execution, change func(*Execution)) {
	for attempt := 0; attempt < 5; attempt++ {
		written := *item
		change(&written)
		answer, status := c.send("PUT", path, "application/json", written)
		if status != http.StatusConflict {
			c.tell(step, status, answer)
			return
		}
		fresh, _ := c.send("GET", path, "", nil)
		labels, finalizers := item.Metadata.Labels, item.Metadata.Finalizers
		json.Unmarshal(fresh, item)
		item.Metadata.Labels, item.Metadata.Finalizers = labels, finalizers
	}
	c.tell(step, http.StatusConflict, []byte("it changed each time"))
}

func (c *client) do(step, method, path, kind string, body, into any) {
	answer, status := c.send(method, path, kind, body)
	c.tell(step, status, answer)
	json.Unmarshal(answer, into)
}

func (c *client) watch(step, path, name string) {
	request, _ := http.NewRequest("GET", c.server+path, nil)
	request.Header.Set("Authorization", "Bearer "+os.Getenv("TOKEN"))
	response, err := c.http.Do(request)
	if err != nil {
		c.tell(step, 0, []byte(err.Error()))
		return
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<22)
	for lines.Scan() {
		var event struct {
			Type   string
			Object Execution
		}
		if json.Unmarshal(lines.Bytes(), &event) == nil && event.Object.Metadata.Name == name {
			c.tell(step, response.StatusCode, nil)
			return
		}
	}
	c.tell(step, 0, []byte("no event of it"))
}

func (c *client) send(method, path, kind string, body any) ([]byte, int) {
	var reader io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return []byte(err.Error()), 0
		}
		reader = bytes.NewReader(data)
	}
	request, err := http.NewRequest(method, c.server+path, reader)
	if err != nil {
		return []byte(err.Error()), 0
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("TOKEN"))
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return []byte(err.Error()), 0
	}
	defer response.Body.Close()
	answer, _ := io.ReadAll(response.Body)
	return answer, response.StatusCode
}

func (c *client) tell(step string, status int, answer []byte) {
	said := ""
	if status < 200 || status > 299 {
		said = fmt.Sprintf("%.400s", answer)
	}
	c.out.Encode(map[string]any{"step": step, "status": status, "said": said})
}
