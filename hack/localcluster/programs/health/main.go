// Tells the health of objects as Flux and Argo CD see it: by kstatus, or by a Lua script that is run as
// Argo CD runs it. It reads objects as JSON, one after the other, and writes a line for each.
//
//	health < objects            kstatus
//	health script.lua < objects a health check of Argo CD
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

type health struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

type judge func(raw []byte) (health, error)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string, objects io.Reader, told io.Writer) error {
	judged := judge(byKstatus)
	if len(arguments) > 0 {
		script, err := os.ReadFile(arguments[0])
		if err != nil {
			return err
		}
		judged = func(raw []byte) (health, error) { return byLua(string(script), raw) }
	}
	decoder, encoder := json.NewDecoder(objects), json.NewEncoder(told)
	for {
		var raw json.RawMessage
		if err := decoder.Decode(&raw); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		found, err := judged(raw)
		if err != nil {
			return err
		}
		if err := encoder.Encode(found); err != nil {
			return err
		}
	}
}

func byKstatus(raw []byte) (health, error) {
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(raw); err != nil {
		return health{}, err
	}
	result, err := status.Compute(object)
	if err != nil {
		return health{}, err
	}
	return health{Status: result.Status.String(), Message: result.Message}, nil
}

// byLua runs a script that finds the object as `obj` and returns a table with status and message.
func byLua(script string, raw []byte) (health, error) {
	var object any
	if err := json.Unmarshal(raw, &object); err != nil {
		return health{}, err
	}
	state := lua.NewState()
	defer state.Close()
	state.SetGlobal("obj", asLua(state, object))
	if err := state.DoString(script); err != nil {
		return health{}, err
	}
	returned, isTable := state.Get(-1).(*lua.LTable)
	if !isTable {
		return health{}, fmt.Errorf("the script returns %s", state.Get(-1).Type())
	}
	said := func(key string) string {
		if text, isText := returned.RawGetString(key).(lua.LString); isText {
			return string(text)
		}
		return ""
	}
	return health{Status: said("status"), Message: said("message")}, nil
}

func asLua(state *lua.LState, node any) lua.LValue {
	switch node := node.(type) {
	case bool:
		return lua.LBool(node)
	case float64:
		return lua.LNumber(node)
	case string:
		return lua.LString(node)
	case []any:
		table := state.NewTable()
		for _, item := range node {
			table.Append(asLua(state, item))
		}
		return table
	case map[string]any:
		table := state.NewTable()
		for key, item := range node {
			table.RawSetString(key, asLua(state, item))
		}
		return table
	default:
		return lua.LNil
	}
}
