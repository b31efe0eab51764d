package queue

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// An opInput is one call on a queue: a push of vs, or a pop of up to n.
type opInput struct {
	push bool
	vs   [3]int
	n    int
}

// An opOutput is how many items went in or came out, and which came out. Excused says that another
// call was under way that allows the answer "full" or "empty" although the queue is neither; see
// "What false means" in the package comment.
type opOutput struct {
	n       int
	vs      [3]int
	excused bool
}

// queueState is a queue of up to 32 items, more than any history here has.
type queueState struct {
	n  int
	vs [32]int
}

const unbounded = -1

// queueModel is a FIFO queue of a capacity. A call that does less than it was asked for demands
// that the queue is full or empty, or that it is excused.
func queueModel(capacity int) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return queueState{} },
		Step: func(state, input, output any) (bool, any) {
			s, in, out := state.(queueState), input.(opInput), output.(opOutput)
			if in.push {
				for _, v := range in.vs[:out.n] {
					if s.n == capacity {
						return false, s
					}
					s.vs[s.n] = v
					s.n++
				}
				return out.n == in.n || out.excused || s.n == capacity, s
			}
			for _, v := range out.vs[:out.n] {
				if s.n == 0 || s.vs[0] != v {
					return false, s
				}
				copy(s.vs[:], s.vs[1:])
				s.n--
				s.vs[s.n] = 0
			}
			return out.n == in.n || out.excused || s.n == 0, s
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %+v", input, output) },
	}
}

// A recorder collects a history. The clock is a counter, so that calls which do not overlap are
// ordered.
type recorder struct {
	clock atomic.Int64
	mu    sync.Mutex
	ops   []porcupine.Operation
}

func (r *recorder) record(client int, in opInput, call func() opOutput) {
	op := porcupine.Operation{ClientId: client, Input: in, Call: r.clock.Add(1)}
	op.Output = call()
	op.Return = r.clock.Add(1)
	r.mu.Lock()
	r.ops = append(r.ops, op)
	r.mu.Unlock()
}

// excuse marks the calls that fell short while another call ran that explains it, as explains says.
func (r *recorder) excuse(explains func(in opInput, out opOutput, other opInput, got opOutput) bool) {
	for i := range r.ops {
		a := &r.ops[i]
		in, out := a.Input.(opInput), a.Output.(opOutput)
		for k, b := range r.ops {
			overlap := a.Call < b.Return && b.Call < a.Return
			if k != i && overlap && explains(in, out, b.Input.(opInput), b.Output.(opOutput)) {
				out.excused = true
			}
		}
		a.Output = out
	}
}

// opposite explains a short push by a pop that took something, and a short pop by a push that gave
// something.
func opposite(in opInput, _ opOutput, other opInput, got opOutput) bool {
	return other.push != in.push && got.n > 0
}

func (r *recorder) check(t *testing.T, m porcupine.Model) {
	t.Helper()
	if porcupine.CheckOperationsTimeout(m, r.ops, 20*time.Second) == porcupine.Illegal {
		for _, op := range r.ops {
			t.Logf("%d [%d, %d] %s", op.ClientId, op.Call, op.Return, m.DescribeOperation(op.Input, op.Output))
		}
		t.Fatal("history is not linearizable")
	}
}

// clients runs n clients that start together, each with its own generator.
func clients(rng *rand.Rand, n int, run func(client int, rng *rand.Rand)) {
	start := make(chan struct{})
	var wg sync.WaitGroup
	for c := range n {
		own := rand.New(rand.NewPCG(rng.Uint64(), rng.Uint64()))
		wg.Go(func() {
			<-start
			run(c, own)
		})
	}
	close(start)
	wg.Wait()
}

// yieldSometimes is what happens in a claim window.
func yieldSometimes(rng *rand.Rand) func() {
	n := rng.IntN(3)
	return func() {
		for range n {
			runtime.Gosched()
		}
	}
}

func TestMPMCLinearizable(t *testing.T) {
	const capacity, callers, calls = 2, 3, 6
	rng := newRand(t)
	for round := range volume(3000) {
		r := NewMPMCAt[int](capacity, math.MaxUint64-rng.Uint64N(12))
		var rec recorder
		var fresh atomic.Int64
		clients(rng, callers, func(client int, rng *rand.Rand) {
			for range calls {
				in := opInput{push: rng.IntN(2) == 0, n: 1}
				batch := rng.IntN(3) == 0
				if batch {
					in.n = 1 + rng.IntN(3)
				}
				slowly := rng.IntN(2) == 0
				if in.push {
					for i := range in.n {
						in.vs[i] = int(fresh.Add(1))
					}
				}
				rec.record(client, in, func() (out opOutput) {
					ok := false
					switch {
					case in.push && batch:
						out.n = r.PushN(in.vs[:in.n])
					case in.push && slowly:
						ok = r.PushSlowly(in.vs[0], yieldSometimes(rng))
					case in.push:
						ok = r.TryPush(in.vs[0])
					case batch:
						out.n = r.PopN(out.vs[:in.n])
					case slowly:
						out.vs[0], ok = r.PopSlowly(yieldSometimes(rng))
					default:
						out.vs[0], ok = r.TryPop()
					}
					if ok {
						out.n = 1
					}
					return out
				})
			}
		})
		rec.excuse(opposite)
		rec.check(t, queueModel(capacity))
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
}

// TestSingleConsumerLinearizable has one client pop by TryPopSC while the others push by every
// method.
func TestSingleConsumerLinearizable(t *testing.T) {
	const capacity, callers, calls = 2, 3, 6
	rng := newRand(t)
	for range volume(3000) {
		r := NewMPMCAt[int](capacity, math.MaxUint64-rng.Uint64N(12))
		var rec recorder
		var fresh atomic.Int64
		clients(rng, callers, func(client int, rng *rand.Rand) {
			for range calls {
				in := opInput{push: client > 0, n: 1}
				batch := in.push && rng.IntN(3) == 0
				if batch {
					in.n = 1 + rng.IntN(3)
				}
				slowly := rng.IntN(2) == 0
				if in.push {
					for i := range in.n {
						in.vs[i] = int(fresh.Add(1))
					}
				}
				rec.record(client, in, func() (out opOutput) {
					ok := false
					switch {
					case batch:
						out.n = r.PushN(in.vs[:in.n])
					case in.push && slowly:
						ok = r.PushSlowly(in.vs[0], yieldSometimes(rng))
					case in.push:
						ok = r.TryPush(in.vs[0])
					case slowly:
						out.vs[0], ok = r.PopSCSlowly(yieldSometimes(rng))
					default:
						out.vs[0], ok = r.TryPopSC()
					}
					if ok {
						out.n = 1
					}
					return out
				})
			}
		})
		rec.excuse(opposite)
		rec.check(t, queueModel(capacity))
	}
}

// TestSPSCLinearizable needs no excuse for true or false, which are exact; only for a batch that
// was cut short.
func TestSPSCLinearizable(t *testing.T) {
	const capacity, calls = 2, 8
	rng := newRand(t)
	for range volume(3000) {
		r := NewSPSCAt[int](capacity, math.MaxUint64-rng.Uint64N(8))
		var rec recorder
		clients(rng, 2, func(client int, rng *rand.Rand) {
			next := 0
			for range calls {
				in := opInput{push: client == 0, n: 1 + rng.IntN(3)}
				slowly := rng.IntN(2) == 0
				if in.push {
					for i := range in.n {
						next++
						in.vs[i] = next
					}
				}
				rec.record(client, in, func() (out opOutput) {
					ok := false
					switch {
					case in.push && in.n > 1:
						out.n = r.PushN(in.vs[:in.n])
					case in.push && slowly:
						ok = r.PushSlowly(in.vs[0], yieldSometimes(rng))
					case in.push:
						ok = r.TryPush(in.vs[0])
					case in.n > 1:
						out.n = r.PopN(out.vs[:in.n])
					case slowly:
						out.vs[0], ok = r.PopSlowly(yieldSometimes(rng))
					default:
						out.vs[0], ok = r.TryPop()
					}
					if ok {
						out.n = 1
					}
					return out
				})
				yieldSometimes(rng)()
			}
		})
		rec.excuse(func(in opInput, out opOutput, other opInput, got opOutput) bool {
			return out.n > 0 && opposite(in, out, other, got)
		})
		rec.check(t, queueModel(capacity))
	}
}

// TestLanesLinearizable checks that one lane, with its ring of 2, its list and its bit, is one FIFO
// queue without bounds. Slow pushes and pops on the ring stand for calls that lose the processor in
// the claim window.
func TestLanesLinearizable(t *testing.T) {
	t.Run("denied", func(t *testing.T) { lanesLinearizable(t, false) })
	t.Run("overtaken", func(t *testing.T) {
		needFences(t)
		lanesLinearizable(t, true)
	})
}

func lanesLinearizable(t *testing.T, overtake bool) {
	const callers, calls, lane = 3, 5, 20
	rng := newRand(t)
	for range volume(3000) {
		l := NewLanesCap[int](2)
		if overtake {
			l.OvertakeAtOnce(lane)
		}
		l.SetLaneCounters(lane, math.MaxUint64-rng.Uint64N(8))
		var rec recorder
		var fresh atomic.Int64
		clients(rng, callers, func(client int, rng *rand.Rand) {
			for range calls {
				in := opInput{push: rng.IntN(5) < 3, n: 1}
				if rng.IntN(4) == 0 {
					in.n = 1 + rng.IntN(2)
				}
				if in.push {
					for i := range in.n {
						in.vs[i] = int(fresh.Add(1))
					}
				}
				slowly, bounded := rng.IntN(2) == 0, rng.IntN(4) == 0
				rec.record(client, in, func() (out opOutput) {
					switch {
					case in.push && in.n > 1:
						must(t, l.PushN(lane, in.vs[:in.n]))
						out.n = in.n
					case in.push && bounded:
						if out.n = 1; l.TryPushBounded(lane, in.vs[0]) != nil {
							out.n, out.excused = 0, true
						}
					case in.push && slowly:
						l.PushSlowly(lane, in.vs[0], yieldSometimes(rng))
						out.n = 1
					case in.push:
						must(t, l.Push(lane, in.vs[0]))
						out.n = 1
					case in.n > 1:
						out.n, _ = l.PopN(1<<lane, out.vs[:in.n])
					case slowly:
						if v, ok := l.PopSlowly(lane, yieldSometimes(rng)); ok {
							out.vs[0], out.n = v, 1
						}
					default:
						v, _, ok := l.Pop(1 << lane)
						if ok {
							out.vs[0], out.n = v, 1
						}
					}
					return out
				})
			}
		})
		// A batch that crosses from the ring to the list is no single step, so each of its items
		// counts as a push of its own within the same interval; and a pop of n that got fewer
		// claims nothing about the rest.
		var split []porcupine.Operation
		for _, op := range rec.ops {
			in, out := op.Input.(opInput), op.Output.(opOutput)
			if !in.push || in.n == 1 {
				if !in.push && out.n > 0 {
					in.n = out.n
					op.Input = in
				}
				split = append(split, op)
				continue
			}
			for i := range in.n {
				one := op
				one.Input = opInput{push: true, vs: [3]int{in.vs[i]}, n: 1}
				one.Output = opOutput{n: 1}
				one.ClientId += callers * i
				split = append(split, one)
			}
		}
		rec.ops = split
		rec.excuse(func(in opInput, out opOutput, other opInput, got opOutput) bool {
			return opposite(in, out, other, got) || !in.push && !other.push // a pop correcting the bit (O6)
		})
		rec.check(t, queueModel(unbounded))
	}
}

// TestFalseInClaimWindow shows what false means, step by step: the strict reading "false means
// full, or empty" is wrong in exactly these two cases.
func TestFalseInClaimWindow(t *testing.T) {
	r := NewMPMC[int](2)
	r.PushSlowly(1, func() {
		if !r.TryPush(2) {
			t.Error("a push must not wait for one in front of it")
		}
		if v, ok := r.TryPop(); ok {
			t.Errorf("TryPop = %d, past an unfinished push", v)
		}
		if r.Empty() || r.Len() != 2 {
			t.Errorf("Empty %v, Len %d with two claimed pushes", r.Empty(), r.Len())
		}
	})
	r.PopSlowly(func() {
		if v, ok := r.TryPop(); !ok || v != 2 {
			t.Errorf("TryPop = %d, %v; a pop must not wait for one in front of it", v, ok)
		}
		if r.TryPush(3) {
			t.Error("TryPush into a cell that a pop still holds")
		}
		if !r.Empty() || r.Len() != 0 {
			t.Errorf("Empty %v, Len %d with all items claimed", r.Empty(), r.Len())
		}
	})
	if !r.TryPush(3) {
		t.Error("TryPush must succeed once the pop has finished")
	}
}
