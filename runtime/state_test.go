package runtime_test

import (
	"context"
	"testing"

	"github.com/cytisus/cytisus/runtime"
)

// seenStates are those that runs of stateful saw, audits among them.
var seenStates = make(chan any, 100)

var stateful = runtime.NewQuery("stateful", 1, func(t *runtime.Task, key string) (int, error) {
	seenStates <- t.State()
	return length.Get(t, key)
})

// The state of a task is that of its engine and generation, and an audit, which reads what its
// trace says, has none. To ask for it costs no answer its place.
func TestStateOfATask(t *testing.T) {
	e := open(t, "", runtime.Options{AuditCPU: 1, AuditShare: 1})
	other := open(t, "", runtime.Options{AuditShare: -1})
	put(t, e, inputs, "k", "four")
	put(t, other, inputs, "k", "four")
	of := func(e *runtime.Engine) any {
		t.Helper()
		s, err := runtime.Evaluate(context.Background(), e, 0, func(t *runtime.Task) (any, error) { return t.State(), nil })
		if err != nil || s == nil {
			t.Fatal(s, err)
		}
		return s
	}
	first := of(e)
	if n := ask(t, e, stateful, "k"); n != 4 || <-seenStates != first {
		t.Errorf("the query gave %d, or it and a task of the same generation have other states", n)
	}
	if first == of(other) {
		t.Error("two engines have one state")
	}
	put(t, e, inputs, "other", "x")
	if first == of(e) {
		t.Error("two generations have one state")
	}
	if n := ask(t, e, stateful, "k"); n != 4 {
		t.Error(n)
	}
	if s := <-seenStates; s != nil {
		t.Errorf("the answer was not kept, or the state of an audit is %v", s)
	}
}
