package db

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

const linearKeys = 4

// A linearInput is a commit that sets some keys in two partitions, or a snapshot that reads all of
// both. 0: not set, -1: delete.
type linearInput struct {
	commit bool
	set    [linearKeys]int
}

// A linearOutput is what a snapshot found. 0: absent.
type linearOutput struct{ p, q [linearKeys]int }

// linearModel: a commit changes both partitions at once, and a snapshot sees one moment between its
// call and its return, in both.
var linearModel = porcupine.Model{
	Init: func() any { return [linearKeys]int{} },
	Step: func(state, input, output any) (bool, any) {
		s, in := state.([linearKeys]int), input.(linearInput)
		if !in.commit {
			out := output.(linearOutput)
			return out.p == s && out.q == s, s
		}
		for i, v := range in.set {
			if v != 0 {
				s[i] = max(v, 0)
			}
		}
		return true, s
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %+v", input, output) },
}

// Histories of concurrent commits and snapshots, with checkpoints that forget nodes between them,
// and crashes in the middle of each history.
func TestSnapshotsAreLinearizable(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rounds := 40
	if raceEnabled {
		rounds = 15
	}
	for round := range rounds {
		b := newBench(t, Options{fan: 2, CacheBytes: 1, CheckpointCommits: 7})
		var clock atomic.Int64
		var mu sync.Mutex
		var history []porcupine.Operation
		value := map[Hash]int{}
		names := make([]Hash, 2*4*8*linearKeys+1)
		for i := 1; i < len(names); i++ {
			names[i] = b.put("", fmt.Sprint(i)).Hash
			value[names[i]] = i
		}
		var next atomic.Int64
		for range 2 {
			q, err := b.Partition("q", false)
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			for client := range 4 {
				rng := rand.New(rand.NewPCG(seed, uint64(round*10+client)))
				wg.Go(func() {
					for range 8 {
						op := porcupine.Operation{ClientId: client}
						in := linearInput{commit: rng.IntN(2) == 0}
						var ops []Op
						if in.commit {
							for k := range in.set {
								key := fmt.Sprint("key", k)
								switch rng.IntN(4) {
								case 0, 1:
									v := int(next.Add(1))
									in.set[k] = v
									ops = append(ops, Op{b.p, key, Put, names[v]}, Op{q, key, Put, names[v]})
								case 2:
									in.set[k] = -1
									ops = append(ops, Op{Part: q, Key: key, Verb: Delete}, Op{Part: b.p, Key: key, Verb: Delete})
								}
							}
						}
						var out linearOutput
						op.Call = clock.Add(1)
						if in.commit {
							if _, err := b.Commit(t.Context(), ops); err != nil {
								t.Error(err)
							}
						} else {
							s := b.Snapshot()
							read := func(part PartID) (got [linearKeys]int) {
								if err := s.Scan(part, Prefix("key"), func(k string, h Hash) bool {
									got[k[3]-'0'] = value[h]
									return true
								}); err != nil {
									t.Error(err)
								}
								return got
							}
							out.p = read(b.p)
							out.q = read(q)
							s.Release()
						}
						op.Return = clock.Add(1)
						op.Input, op.Output = in, out
						mu.Lock()
						history = append(history, op)
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			// The process dies and another takes its place: nothing may be missing from what
			// follows.
			crashed := b.st.crash()
			closeNow(t, b.DB)
			b = reopenBench(t, crashed, b.o)
		}
		closeNow(t, b.DB)
		if t.Failed() {
			return
		}
		if res := porcupine.CheckOperationsTimeout(linearModel, history, 20*time.Second); res == porcupine.Illegal {
			t.Fatalf("round %d of seed %d: no order of these operations explains what was read: %v", round, seed, history)
		}
	}
}

// The checker finds what it is there to find.
func TestLinearModelRefusesViolations(t *testing.T) {
	put := func(call, ret int64, v int) porcupine.Operation {
		return porcupine.Operation{ClientId: 0, Call: call, Return: ret, Input: linearInput{commit: true, set: [linearKeys]int{v}}, Output: linearOutput{}}
	}
	see := func(call, ret int64, p, q int) porcupine.Operation {
		return porcupine.Operation{
			ClientId: 1, Call: call, Return: ret, Input: linearInput{},
			Output: linearOutput{[linearKeys]int{p}, [linearKeys]int{q}},
		}
	}
	for _, c := range []struct {
		name    string
		history []porcupine.Operation
		want    bool
	}{
		{"a commit that runs is seen", []porcupine.Operation{put(1, 4, 7), see(2, 3, 7, 7)}, true},
		{"or is not seen yet", []porcupine.Operation{put(1, 4, 7), see(2, 3, 0, 0)}, true},
		{"one partition without the other", []porcupine.Operation{put(1, 4, 7), see(2, 3, 7, 0)}, false},
		{"a commit that had returned is missing", []porcupine.Operation{put(1, 2, 7), see(3, 4, 0, 0)}, false},
		{"the new, and then the old", []porcupine.Operation{put(1, 2, 7), put(3, 8, 9), see(4, 5, 9, 9), see(6, 7, 7, 7)}, false},
		{"what nobody wrote", []porcupine.Operation{put(1, 2, 7), see(3, 4, 8, 8)}, false},
	} {
		if got := porcupine.CheckOperations(linearModel, c.history); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}
