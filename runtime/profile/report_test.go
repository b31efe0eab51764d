package profile

import (
	"context"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/google/pprof/profile"
)

// synthetic builds a profile with samples of one time unit per given stack, outermost function
// last.
func synthetic(samples ...*profile.Sample) *profile.Profile {
	return &profile.Profile{
		SampleType:    []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}},
		DurationNanos: int64(time.Second),
		Sample:        samples,
	}
}

func sampleOf(d time.Duration, labels map[string][]string, stack ...string) *profile.Sample {
	s := &profile.Sample{Value: []int64{1, int64(d)}, Label: labels}
	for _, name := range stack {
		s.Location = append(s.Location, &profile.Location{Line: []profile.Line{{Function: &profile.Function{Name: name}}}})
	}
	return s
}

func task(lane, name, client string) map[string][]string {
	return map[string][]string{"lane": {lane}, "task": {name}, "client": {client}}
}

func TestRead(t *testing.T) {
	r, err := Read(synthetic(
		sampleOf(30*time.Millisecond, task("rpc-2", "hover", "7"), "strings.Index", "main.find", "main.find", "sched.run"),
		sampleOf(10*time.Millisecond, task("idle", "sweep", "2"), "main.sweep", "sched.run"),
		sampleOf(20*time.Millisecond, task("idle", "hover", "2"), "strings.Index", "sched.run"),
		sampleOf(25*time.Millisecond, nil, "runtime.scanobject", "runtime.gcBgMarkWorker"),
		sampleOf(10*time.Millisecond, nil, "runtime.futex", "runtime.findRunnable", "runtime.mcall"),
		sampleOf(5*time.Millisecond, nil, "main.main"),
	))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := r.Write(&out, 3); err != nil {
		t.Fatal(err)
	}
	const want = `CPU 100ms in 1s, 60.0 % in tasks

by lane
   30.0 %      30ms  idle
   30.0 %      30ms  rpc-2
   25.0 %      25ms  (garbage collector)
  … 2 more

by task
   50.0 %      50ms  hover
   25.0 %      25ms  (garbage collector)
   10.0 %      10ms  (looking for work)
  … 2 more

by client
   30.0 %      30ms  2
   30.0 %      30ms  7
   25.0 %      25ms  (garbage collector)
  … 2 more

by phase
   65.0 %      65ms  (outside tasks)
   25.0 %      25ms  (garbage collector)
   10.0 %      10ms  (looking for work)

by function (itself, with what it calls)
   50.0 %   50.0 %  strings.Index
   25.0 %   25.0 %  runtime.scanobject
   10.0 %   10.0 %  main.sweep
  … 7 more
`
	if out.String() != want {
		t.Errorf("report is\n%s\nwant\n%s", out.String(), want)
	}
	for _, f := range r.Funcs {
		if f.Name == "main.find" && f.Cum != Seconds(30*time.Millisecond) {
			t.Errorf("a recursive function counts %v, want its sample once", f.Cum)
		}
	}
}

func TestReadNothing(t *testing.T) {
	if _, err := Read(&profile.Profile{SampleType: []*profile.ValueType{{Type: "alloc_space", Unit: "bytes"}}}); err == nil {
		t.Error("a heap profile was read as a CPU profile")
	}
	r, err := Read(synthetic())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Write(new(strings.Builder), 3); err != nil || r.Total != 0 {
		t.Errorf("empty profile: %v, %v", r.Total, err)
	}
}

// TestRecord records a real profile and finds its label again. A busy machine may give a few
// hundred milliseconds no sample, or one of the collector.
func TestRecord(t *testing.T) {
	var r *Report
	for range 20 {
		if r = recordSpin(t); len(r.Tasks) > 0 && r.Tasks[0].Name == "spin" {
			break
		}
	}
	if r.Total == 0 {
		t.Skip("no samples: the machine gave this test no time")
	}
	if r.InTask == 0 || r.Lanes[0].Name != "rpc-0" || r.Tasks[0].Name != "spin" {
		t.Errorf("lanes %v, tasks %v", r.Lanes, r.Tasks)
	}
}

// recordSpin records a labelled loop.
func recordSpin(t *testing.T) *Report {
	t.Helper()
	raw, p, err := Record(func() error {
		pprof.Do(context.Background(), pprof.Labels("lane", "rpc-0", "task", "spin"), func(context.Context) {
			sum := 0
			for began := time.Now(); time.Since(began) < 300*time.Millisecond; {
				sum++
			}
			if sum == 0 {
				t.Error("no time passed")
			}
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if again, err := profile.ParseData(raw); err != nil || len(again.Sample) != len(p.Sample) {
		t.Errorf("the profile to be written does not read back: %v", err)
	}
	r, err := Read(p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestShort(t *testing.T) {
	for name, want := range map[string]string{
		"main.f":                            "main.f",
		"p.(*Ring[go.shape.*uint8]).TryPop": "p.(*Ring[…]).TryPop",
		"p.(*Query[go.shape.string,go.shape.struct { A []uint8 }]).Get": "p.(*Query[…]).Get",
		"p.byValue[go.shape.int].func1":                                 "p.byValue[…].func1",
	} {
		if got := short(name); got != want {
			t.Errorf("short(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestPhase(t *testing.T) {
	const (
		module = "github.com/cytisus/cytisus/"
		memo   = module + "runtime/memo."
		eval   = memo + "(*Query).eval"
		db     = module + "runtime/db."
	)
	for _, c := range []struct {
		want  string
		stack []string
	}{
		{Queries, []string{"go/types.Check", eval, memo + "(*Table).runFunction", memo + "(*Table).evaluate", eval}},
		{Queries, []string{db + "(*Snapshot).Get", module + "runtime.(*Partition[…]).Get", eval}}, // the function reads
		{Verifying, []string{db + "(*Snapshot).Get", memo + "(*Table).firstDifference", memo + "(*Table).Get", eval}},
		{Verifying, []string{memo + "(*Table).covers", eval}},
		{Marking, []string{memo + "(*source).raise", memo + "(*Table).catchUp", memo + "(*Table).evaluate"}},
		{Keeping, []string{"github.com/zeebo/blake3.Sum256", memo + "(*Table).Keep", memo + "(*Table).runFunction"}},
		{Keeping, []string{memo + "(*recorder).add", memo + "(*Frame).record", eval}},
		{Commits, []string{db + "(*Database).apply", module + "runtime.(*Engine).commit"}},
		{Reclaim, []string{module + "runtime/gc.(*Collector).mark", "runtime.goexit"}},
		{Collector, []string{"runtime.scanobject", "runtime.gcBgMarkWorker"}},
		{Outside, []string{"main.main"}},
	} {
		if got := Phase(sampleOf(1, nil, c.stack...)); got != c.want {
			t.Errorf("%q is %q, want %q", c.stack, got, c.want)
		}
	}
}
