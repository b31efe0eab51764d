package queue

import (
	"fmt"
	"strings"
	"testing"
)

// A protocol is a small model of concurrent code: threads that move a shared state, one atomic step
// at a time. The explorer runs all their interleavings. State must hold everything, program
// counters included.
type protocol[S comparable] struct {
	init    S
	threads int
	// step returns the states that one step of thread i can lead to, none if it has ended or must
	// wait.
	step func(s S, i int) []S
	// always must hold in every state.
	always func(s S) error
	// atEnd must hold in every state in which no thread can move.
	atEnd func(s S) error
}

// statesMax keeps a model that has grown too far from eating the machine.
const statesMax = 3_000_000

// explore visits every reachable state, and returns how many there are and the first broken
// condition, with the way to it.
func (p protocol[S]) explore() (states int, err error) {
	from := map[S]S{p.init: p.init}
	todo := []S{p.init}
	fail := func(s S, err error) (int, error) {
		var way []string
		for ; from[s] != s; s = from[s] {
			way = append(way, fmt.Sprintf("%+v", s))
		}
		for i, j := 0, len(way)-1; i < j; i, j = i+1, j-1 {
			way[i], way[j] = way[j], way[i]
		}
		return len(from), fmt.Errorf("%w, by way of\n%s", err, strings.Join(way, "\n"))
	}
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if p.always != nil {
			if err := p.always(s); err != nil {
				return fail(s, err)
			}
		}
		stuck := true
		for i := range p.threads {
			for _, next := range p.step(s, i) {
				stuck = false
				if _, seen := from[next]; !seen {
					from[next] = s
					todo = append(todo, next)
				}
			}
		}
		if stuck && p.atEnd != nil {
			if err := p.atEnd(s); err != nil {
				return fail(s, err)
			}
		}
		if len(from) > statesMax {
			return len(from), fmt.Errorf("more than %d states", statesMax)
		}
	}
	return len(from), nil
}

// holds demands that no interleaving breaks the protocol.
func holds[S comparable](t *testing.T, p protocol[S]) {
	t.Helper()
	if raceEnabled {
		t.Skip("a search in one thread, which the race detector makes slow and can say nothing about")
	}
	n, err := p.explore()
	t.Logf("%d states", n)
	if err != nil {
		t.Error(err)
	}
}

// breaks demands that some interleaving breaks a protocol from which something has been left out:
// it shows that the part is needed, and that the model would notice.
func breaks[S comparable](t *testing.T, p protocol[S]) {
	t.Helper()
	n, err := p.explore()
	if err == nil {
		t.Errorf("all %d states are fine without it", n)
		return
	}
	t.Logf("breaks as it should: %s", strings.SplitN(err.Error(), "\n", 2)[0])
}
