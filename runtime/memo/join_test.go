package memo

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/cytisus/cytisus/runtime/sched"
)

// heldBehind defines a query that reads the keys of part one after the other, waits for gates[key],
// if there is one, behind the read of key in its first run, and answers with what it has read.
func (r *rig) heldBehind(name string, keys []string, gates map[string]*sched.Event, began *int, read func(f *Frame, key string) (string, error)) {
	r.query(name, func(f *Frame, _ string) (all string, err error) {
		*began++
		first := *began == 1
		for _, key := range keys {
			s, err := read(f, key)
			if err != nil {
				return "", err
			}
			all += s
			if gate := gates[key]; gate != nil && first {
				if err := f.Strand().Task.Await(gate); err != nil {
					return "", err
				}
			}
		}
		return all, nil
	})
}

// reader reads keys of a partition directly, or by way of a query for each.
func (r *rig) reader(direct bool) (read func(f *Frame, key string) (string, error), put func(pairs ...string)) {
	p := r.partition("files")
	read = func(f *Frame, key string) (string, error) { return r.text(f, p, key) }
	if !direct {
		r.query("text", read)
		read = func(f *Frame, key string) (string, error) { return r.get(f, "text", key) }
	}
	return read, func(pairs ...string) { r.put(p, pairs...) }
}

func (r *rig) wantAnswer(a *asked, want string) {
	r.t.Helper()
	if !a.Ended().Fired() {
		r.t.Fatalf("no answer yet, want %q", want)
	}
	if err := a.Wait(context.Background()); err != nil || a.answer != want {
		r.t.Fatalf("answer %q, %v, want %q", a.answer, err, want)
	}
}

// bothWays runs a test with reads of records and with reads of queries.
func bothWays(t *testing.T, fn func(t *testing.T, r *rig, direct bool)) {
	for _, direct := range []bool{true, false} {
		t.Run(fmt.Sprint("direct=", direct), func(t *testing.T) {
			seeds(t, 20, func(t *testing.T, r *rig) { fn(t, r, direct) })
		})
	}
}

// A run is held that has read what has changed since: the newer question answers meanwhile.
func TestNewerQuestionWaitsForNoStaleRun(t *testing.T) {
	bothWays(t, func(t *testing.T, r *rig, direct bool) {
		var gate sched.Event
		began := 0
		read, put := r.reader(direct)
		r.heldBehind("slow", []string{"x"}, map[string]*sched.Event{"x": &gate}, &began, read)
		put("x", "1")
		old := r.ask("slow", "k")
		r.settle()
		put("x", "2")
		now := r.ask("slow", "k")
		r.settle()
		r.wantAnswer(now, "2")
		if old.Ended().Fired() {
			t.Fatal("the run was not held")
		}
		gate.Fire()
		r.settle()
		r.wantAnswer(old, "1")
		if began != 2 {
			t.Errorf("%d runs, want 2", began)
		}
		r.want("slow", "k", "2")
	})
}

// What a run has read is as it was: the newer question has its answer of the same run.
func TestEqualWorkOfTwoGenerationsIsDoneOnce(t *testing.T) {
	bothWays(t, func(t *testing.T, r *rig, direct bool) {
		var gate sched.Event
		began := 0
		read, put := r.reader(direct)
		r.heldBehind("slow", []string{"x"}, map[string]*sched.Event{"x": &gate}, &began, read)
		put("x", "1", "y", "1")
		old := r.ask("slow", "k")
		r.settle()
		put("y", "2")
		now := r.ask("slow", "k")
		r.settle()
		put("y", "3")
		newest := r.ask("slow", "k")
		r.settle()
		gate.Fire()
		r.settle()
		for _, a := range []*asked{old, now, newest} {
			r.wantAnswer(a, "1")
		}
		if began != 1 {
			t.Errorf("%d runs, want 1", began)
		}
	})
}

// A run that was joined reads what has changed: the newer question goes its own way at once.
func TestJoinedUntilTheFirstReadThatDiffers(t *testing.T) {
	bothWays(t, func(t *testing.T, r *rig, direct bool) {
		var gates [3]sched.Event
		began := 0
		read, put := r.reader(direct)
		r.heldBehind("slow", []string{"x", "v", "w", "y", "z"}, map[string]*sched.Event{"x": &gates[0], "y": &gates[1], "z": &gates[2]}, &began, read)
		put("x", "1", "v", "1", "w", "1", "y", "1", "z", "1")
		old := r.ask("slow", "k")
		r.settle()
		put("z", "2")
		now := r.ask("slow", "k")
		r.settle()
		for i := range 2 {
			if began != 1 {
				t.Fatalf("%d runs behind gate %d, want 1", began, i)
			}
			gates[i].Fire()
			r.settle()
		}
		r.wantAnswer(now, "11112")
		gates[2].Fire()
		r.settle()
		r.wantAnswer(old, "11111")
	})
}

// A run that has read nothing yet says nothing of itself.
func TestRunThatHasReadNothingIsNotJoined(t *testing.T) {
	var gate sched.Event
	r := newRig(t, 1, Options{})
	p := r.partition("files")
	began := 0
	r.query("slow", func(f *Frame, key string) (string, error) {
		if began++; began == 1 {
			if err := f.Strand().Task.Await(&gate); err != nil {
				return "", err
			}
		}
		return r.text(f, p, key)
	})
	r.put(p, "k", "1")
	old := r.ask("slow", "k")
	r.settle()
	r.put(p, "k", "2")
	now := r.ask("slow", "k")
	r.settle()
	r.wantAnswer(now, "2")
	gate.Fire()
	r.settle()
	r.wantAnswer(old, "1")
}

// A question about an older generation waits for no newer run, so that generations never wait for
// each other in a circle.
func TestOlderQuestionJoinsNoNewerRun(t *testing.T) {
	var gate sched.Event
	r := newRig(t, 1, Options{})
	began := 0
	read, put := r.reader(true)
	r.heldBehind("slow", []string{"x"}, map[string]*sched.Event{"x": &gate}, &began, read)
	put("x", "1")
	before := r.db.Snapshot()
	defer before.Release()
	put("y", "1")
	newest := r.ask("slow", "k")
	r.settle()
	old := &asked{}
	old.Handle = r.task(context.Background(), func(f *Frame) (err error) {
		f.strand.Snap = before
		old.answer, err = r.get(f, "slow", "k")
		return err
	})
	r.settle()
	r.wantAnswer(old, "1")
	gate.Fire()
	r.settle()
	r.wantAnswer(newest, "1")
}

// A joined run goes on when the task that runs it is cancelled, and stops when the last that waits
// for it does.
func TestJoinedRunIsWanted(t *testing.T) {
	seeds(t, 40, func(t *testing.T, r *rig) {
		for _, leave := range []bool{false, true} {
			var gate sched.Event
			began := 0
			read, put := r.reader(true)
			r.heldBehind(fmt.Sprint("slow", leave), []string{"x"}, map[string]*sched.Event{"x": &gate}, &began, read)
			put("x", "1", "y", "1")
			old := r.ask(fmt.Sprint("slow", leave), "k")
			r.settle()
			put("y", "2")
			now := r.ask(fmt.Sprint("slow", leave), "k")
			r.settle()
			old.Cancel(errWhy)
			r.settle()
			if leave {
				now.Cancel(errWhy)
				r.settle()
				for _, a := range []*asked{old, now} {
					if err := a.Wait(context.Background()); !errors.Is(err, errWhy) {
						t.Fatalf("cancelled, and ended with %v", err)
					}
				}
				continue
			}
			gate.Fire()
			r.settle()
			r.wantAnswer(now, "1")
			if err := old.Wait(context.Background()); err != nil && !errors.Is(err, errWhy) {
				t.Fatal(err)
			}
			if began != 1 {
				t.Errorf("%d runs, want 1", began)
			}
		}
	})
}

// A joined run that leaves nothing that could be kept is of no use to another generation.
func TestJoinedRunThatIsNotKept(t *testing.T) {
	for _, end := range []string{"fails", "is tainted", "panics"} {
		t.Run(end, func(t *testing.T) {
			seeds(t, 20, func(t *testing.T, r *rig) {
				var gate sched.Event
				began := 0
				p := r.partition("files")
				r.query("slow", func(f *Frame, _ string) (string, error) {
					began++
					run := began
					s, err := r.text(f, p, "x")
					if err == nil && run == 1 {
						err = f.Strand().Task.Await(&gate)
					}
					switch {
					case err != nil || run > 1:
					case end == "fails":
						return "", errWhy
					case end == "panics":
						panic(errWhy)
					default:
						f.Taint()
					}
					return fmt.Sprint(s, " in run ", run), err
				})
				r.put(p, "x", "1", "y", "1")
				old := r.ask("slow", "k")
				r.settle()
				r.put(p, "y", "2")
				now := r.ask("slow", "k")
				r.settle()
				gate.Fire()
				r.settle()
				r.wantAnswer(now, "1 in run 2")
				if err := old.Wait(context.Background()); (err == nil) != (end == "is tainted") {
					t.Error(err)
				}
			})
		})
	}
}
