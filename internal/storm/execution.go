package storm

import (
	"fmt"
	"os"
	"reflect"
	"runtime/debug"
	"strings"
	"testing"
)

// An execution is the testing.TB of one run of a body: it keeps what the body says, and is used again for the next. What it does
// not define itself is the fuzz test's own. Not for concurrent use.
type execution struct {
	testing.TB
	body     reflect.Value
	args     []reflect.Value
	failed   bool
	skipped  bool
	said     []string
	cleanups []func()
}

func newExecution(tb testing.TB, body reflect.Value) *execution {
	e := &execution{TB: tb, body: body, args: make([]reflect.Value, body.Type().NumIn())}
	var own testing.TB = e
	e.args[0] = reflect.ValueOf(&own).Elem() // already of the parameter's type: else each call would look whether it fits
	return e
}

// stopped is what ends a body by FailNow and SkipNow.
type stopped struct{}

// run executes the body on an input and gives what it complained of: "" is a pass.
func (e *execution) run(input []any) (fault string) {
	e.failed, e.skipped, e.said, e.cleanups = false, false, e.said[:0], e.cleanups[:0]
	for i, v := range input {
		e.args[i+1] = reflect.ValueOf(v)
	}
	panicked := e.call(func() { e.body.Call(e.args) })
	for len(e.cleanups) > 0 {
		last := len(e.cleanups) - 1
		f := e.cleanups[last]
		e.cleanups = e.cleanups[:last]
		if p := e.call(f); panicked == "" {
			panicked = p
		}
	}
	switch {
	case panicked != "":
		return panicked
	case e.failed:
		return "it failed\n" + strings.Join(e.said, "\n")
	}
	return ""
}

// call runs f and gives its panic with the stack.
func (e *execution) call(f func()) (panicked string) {
	defer func() {
		if r := recover(); r != nil && r != (stopped{}) {
			panicked = fmt.Sprintf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	f()
	return ""
}

func (e *execution) Helper()          {}
func (e *execution) Cleanup(f func()) { e.cleanups = append(e.cleanups, f) }
func (e *execution) Log(args ...any) {
	e.said = append(e.said, strings.TrimSuffix(fmt.Sprintln(args...), "\n"))
}
func (e *execution) Logf(s string, a ...any)   { e.said = append(e.said, fmt.Sprintf(s, a...)) }
func (e *execution) Fail()                     { e.failed = true }
func (e *execution) Failed() bool              { return e.failed }
func (e *execution) FailNow()                  { e.failed = true; panic(stopped{}) }
func (e *execution) Error(args ...any)         { e.Log(args...); e.Fail() }
func (e *execution) Errorf(s string, a ...any) { e.Logf(s, a...); e.Fail() }
func (e *execution) Fatal(args ...any)         { e.Log(args...); e.FailNow() }
func (e *execution) Fatalf(s string, a ...any) { e.Logf(s, a...); e.FailNow() }
func (e *execution) SkipNow()                  { e.skipped = true; panic(stopped{}) }
func (e *execution) Skip(...any)               { e.SkipNow() }
func (e *execution) Skipf(string, ...any)      { e.SkipNow() }
func (e *execution) Skipped() bool             { return e.skipped }

// TempDir is a folder that is gone after the execution.
func (e *execution) TempDir() string {
	dir, err := os.MkdirTemp("", "storm")
	if err != nil {
		e.Fatal(err)
	}
	e.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			e.Error(err)
		}
	})
	return dir
}

// Setenv and Chdir change the whole process, which executions on other goroutines share.
func (e *execution) Setenv(string, string) { panic("storm: a fuzz test cannot set the environment") }
func (e *execution) Chdir(string)          { panic("storm: a fuzz test cannot change the working folder") }
