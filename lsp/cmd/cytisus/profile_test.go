package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	pprof "github.com/google/pprof/profile"

	"github.com/cytisus/cytisus/runtime/profile"
)

// A process is profiled from another one while an editor asks it. The samples say for which lane,
// task and client they are.
func TestProfileWhileServed(t *testing.T) {
	dir := write(t, example)
	c := newCLI(t)
	if _, errs, code := c.run("profile", dir); code != exitNothing || !strings.Contains(errs, "nothing to profile") {
		t.Errorf("with no process to profile: exit code %d, %s", code, errs)
	}
	c.ok("index", dir)
	// To the flight recorder every request is slow.
	a := &app{err: t.Output(), flags: flags{store: c.store, tests: true, workers: 1}, flightAfter: 1}
	editor, end := serveHere(t, a, dir)
	asking, stop := context.WithCancel(t.Context())
	asked := make(chan error, 1)
	go func() {
		for {
			if err := editor.call(asking, "workspace/symbol", map[string]any{"query": "a"}, nil); err != nil {
				if errors.Is(err, context.Canceled) {
					err = nil
				}
				asked <- err
				return
			}
		}
	}()
	file := filepath.Join(t.TempDir(), "cpu.pb.gz")
	var labels map[string][]string
	for range 20 { // one sample in a task is enough, and on a busy machine half a second may have none
		c.ok("profile", "--seconds", "0.5", "-o", file, dir)
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p, err := pprof.ParseData(raw)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(p.Sample, func(s *pprof.Sample) bool { return len(s.Label["lane"]) > 0 })
		if i >= 0 {
			labels = p.Sample[i].Label
			break
		}
	}
	if len(labels["lane"]) != 1 || len(labels["task"]) != 1 || len(labels["client"]) != 1 {
		t.Errorf("labels of a sample: %v", labels)
	}
	type said struct {
		Kind   string    `json:"kind"`
		Bytes  int       `json:"bytes"`
		Report *struct{} `json:"report"`
	}
	for _, kind := range profile.Kinds() {
		file := filepath.Join(t.TempDir(), "profile")
		got := decode[said](t, c.ok("profile", "--json", "--kind", string(kind), "--seconds", "0.05", "-o", file, dir))
		info, err := os.Stat(file)
		if err != nil || info.Size() == 0 || int64(got.Bytes) != info.Size() || got.Kind != string(kind) || (got.Report != nil) != (kind == profile.CPU) {
			t.Errorf("%s: %+v, %v", kind, got, err)
		}
	}
	if _, errs, code := c.run("profile", "--kind", "memory", dir); code != exitUsage || !strings.Contains(errs, "goroutine") {
		t.Errorf("no such kind: exit code %d, %s", code, errs)
	}
	if _, _, code := c.run("profile", "--seconds", "-1", dir); code != exitUsage {
		t.Errorf("-1 seconds: exit code %d", code)
	}
	stop()
	if err := <-asked; err != nil {
		t.Error(err)
	}
	end()
	flights, err := filepath.Glob(filepath.Join(c.store, profile.FlightDir, "*.trace"))
	if err != nil || len(flights) == 0 {
		t.Errorf("no flight is in the store's directory: %v", err)
	}
	c.ok("verify", dir) // which they are no damage to
}
