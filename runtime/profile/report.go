package profile

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"github.com/google/pprof/profile"
)

// Where samples without a task come from.
const (
	Collector = "(garbage collector)"
	Scheduler = "(looking for work)"
	Outside   = "(outside tasks)"
)

// Seconds is a duration that JSON has as a number of seconds.
type Seconds time.Duration

// MarshalJSON writes the number.
func (s Seconds) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(s).Seconds()) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *Seconds) UnmarshalJSON(text []byte) error {
	var n float64
	if err := json.Unmarshal(text, &n); err != nil {
		return fmt.Errorf("profile: a number of seconds: %w", err)
	}
	*s = Seconds(n * float64(time.Second))
	return nil
}

func (s Seconds) String() string { return time.Duration(s).Round(time.Millisecond).String() }

// A Share is a part of the profile's time.
type Share struct {
	Name string  `json:"name"`
	Time Seconds `json:"seconds"`
	Cum  Seconds `json:"withCalledSeconds,omitempty"` // of functions: with what they call
}

// A Report is a profile added up.
type Report struct {
	Total   Seconds `json:"seconds"`     // CPU time in samples
	Wall    Seconds `json:"wallSeconds"` // from start to stop of the recording
	Lanes   []Share `json:"lanes"`       // largest first, like the others
	Tasks   []Share `json:"tasks"`
	Clients []Share `json:"clients"` // by the number that a client has in stats; 0 is the engine's own work
	Phases  []Share `json:"phases"`  // see Phase
	Funcs   []Share `json:"functions"`
	InTask  Seconds `json:"inTasksSeconds"` // samples that belong to tasks
}

// Record runs fn under the CPU profiler and returns the profile, in its compressed form and parsed.
func Record(fn func() error) ([]byte, *profile.Profile, error) {
	var raw bytes.Buffer
	if err := pprof.StartCPUProfile(&raw); err != nil {
		return nil, nil, err
	}
	err := fn()
	pprof.StopCPUProfile()
	if err != nil {
		return nil, nil, err
	}
	p, err := profile.ParseData(raw.Bytes())
	return raw.Bytes(), p, err
}

// Read adds up a profile.
func Read(p *profile.Profile) (*Report, error) {
	at := slices.IndexFunc(p.SampleType, func(t *profile.ValueType) bool { return t.Type == "cpu" && t.Unit == "nanoseconds" })
	if at < 0 {
		return nil, errors.New("profile: no CPU times in it")
	}
	r := &Report{Wall: Seconds(p.DurationNanos)}
	lanes, tasks, clients := map[string]*Share{}, map[string]*Share{}, map[string]*Share{}
	phases := map[string]*Share{}
	funcs := map[string]*Share{}
	for _, s := range p.Sample {
		t := Seconds(s.Value[at])
		r.Total += t
		lane, task, client := label(s, "lane"), label(s, "task"), label(s, "client")
		if lane == "" && task == "" {
			lane = origin(s)
			task, client = lane, lane
		} else {
			r.InTask += t
		}
		add(lanes, lane).Time += t
		add(tasks, task).Time += t
		add(clients, client).Time += t
		add(phases, Phase(s)).Time += t
		seen := map[string]bool{} // recursion counts once
		for depth, name := range stack(s) {
			f := add(funcs, name)
			if depth == 0 {
				f.Time += t
			}
			if !seen[name] {
				seen[name] = true
				f.Cum += t
			}
		}
	}
	r.Lanes, r.Tasks, r.Clients = sorted(lanes), sorted(tasks), sorted(clients)
	r.Phases, r.Funcs = sorted(phases), sorted(funcs)
	return r, nil
}

// Write prints the report with at most top lines in each part.
func (r *Report) Write(w io.Writer, top int) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "CPU %s in %s, %s in tasks\n", r.Total, r.Wall, r.percent(r.InTask))
	part := func(title string, shares []Share, cum bool) {
		fmt.Fprintf(&b, "\nby %s\n", title)
		for _, s := range shares[:min(top, len(shares))] {
			if cum {
				fmt.Fprintf(&b, "  %7s  %7s  %s\n", r.percent(s.Time), r.percent(s.Cum), s.Name)
			} else {
				fmt.Fprintf(&b, "  %7s  %8s  %s\n", r.percent(s.Time), s.Time, s.Name)
			}
		}
		if more := len(shares) - top; more > 0 {
			fmt.Fprintf(&b, "  … %d more\n", more)
		}
	}
	part("lane", r.Lanes, false)
	part("task", r.Tasks, false)
	part("client", r.Clients, false)
	part("phase", r.Phases, false)
	part("function (itself, with what it calls)", r.Funcs, true)
	_, err := w.Write(b.Bytes())
	return err
}

func (r *Report) percent(d Seconds) string {
	if r.Total == 0 {
		return "0.0 %"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(d)/float64(r.Total))
}

func label(s *profile.Sample, name string) string {
	if values := s.Label[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// origin says what a sample outside tasks is part of.
func origin(s *profile.Sample) string {
	for _, name := range stack(s) {
		switch {
		case name == "runtime.gcBgMarkWorker", name == "runtime.bgsweep", name == "runtime.bgscavenge":
			return Collector
		case name == "runtime.findRunnable", name == "runtime.schedule", name == "runtime.mcall", name == "runtime.park_m":
			return Scheduler
		}
	}
	return Outside
}

// stack yields the functions of a sample with their depth, innermost first, inlined ones included.
func stack(s *profile.Sample) func(yield func(int, string) bool) {
	return func(yield func(int, string) bool) {
		depth := 0
		for _, l := range s.Location {
			for _, line := range l.Line {
				name := "?"
				if line.Function != nil {
					name = short(line.Function.Name)
				}
				if !yield(depth, name) {
					return
				}
				depth++
			}
		}
	}
}

// short takes the shapes of generic functions off a name.
func short(name string) string {
	if open := strings.Index(name, "[go.shape."); open >= 0 {
		if end := strings.LastIndexByte(name, ']'); end > open {
			name = name[:open] + "[…]" + name[end+1:]
		}
	}
	return name
}

func add(to map[string]*Share, name string) *Share {
	s := to[name]
	if s == nil {
		s = &Share{Name: name}
		to[name] = s
	}
	return s
}

func sorted(shares map[string]*Share) (list []Share) {
	for _, s := range slices.SortedFunc(maps.Values(shares), func(a, b *Share) int {
		return cmp.Or(cmp.Compare(b.Time, a.Time), cmp.Compare(b.Cum, a.Cum), cmp.Compare(a.Name, b.Name))
	}) {
		list = append(list, *s)
	}
	return list
}
