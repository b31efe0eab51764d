package profiles

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"runtime/pprof"
	"slices"

	"github.com/google/pprof/profile"
)

// A Kind is what a run is profiled for, and what the report of it shows.
type Kind struct {
	Name  string
	parts []kindPart
}

type kindPart struct{ profile, value string }

// Kinds are the kinds there are. Only samples of processor time carry labels; that is Go's doing.
var Kinds = []Kind{
	{"cpu", []kindPart{{"cpu", "cpu"}, {"allocs", "alloc_space"}}},
	{"heap", []kindPart{{"allocs", "alloc_space"}, {"allocs", "alloc_objects"}, {"heap", "inuse_space"}}},
	{"mutex", []kindPart{{"mutex", "delay"}}},
	{"block", []kindPart{{"block", "delay"}}},
}

// KindOf returns the kind of a name.
func KindOf(name string) (Kind, error) {
	i := slices.IndexFunc(Kinds, func(k Kind) bool { return k.Name == name })
	if i < 0 {
		return Kind{}, fmt.Errorf("profiles: there is no kind %q; there are cpu, heap, mutex, block", name)
	}
	return Kinds[i], nil
}

// file is where Record puts a profile of a run that is called name.
func file(dir, profile, name string) string {
	return filepath.Join(dir, profile+"-"+name+".pb.gz")
}

// Parts lists what a report shows of the run called head, and of base unless that is "".
func (k Kind) Parts(dir, head, base string) (list []Part) {
	for _, p := range k.parts {
		part := Part{Kind: p.profile, Value: p.value, File: file(dir, p.profile, head)}
		part.Link = filepath.Base(part.File)
		if base != "" {
			part.Base = file(dir, p.profile, base)
			part.Other = filepath.Base(part.Base)
		}
		list = append(list, part)
	}
	return list
}

// How much is recorded of allocations (a sample for so many bytes), of waits (one for so many
// nanoseconds) and of contentions (one in so many).
const (
	memoryRate    = 64 << 10
	blockRate     = 10_000
	mutexFraction = 5
)

// Record runs work and writes its profiles of the kind into a directory. What the process did
// before is not in them, but for what is in use at the end. It is called once in a process, from
// main: the rate of Go's memory profiler must not change later.
func (k Kind) Record(dir, name string, work func() error) (err error) {
	goruntime.MemProfileRate = memoryRate
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	wants := func(p string) bool {
		return slices.ContainsFunc(k.parts, func(part kindPart) bool { return part.profile == p })
	}
	if wants("mutex") {
		defer goruntime.SetMutexProfileFraction(goruntime.SetMutexProfileFraction(mutexFraction))
	}
	if wants("block") {
		goruntime.SetBlockProfileRate(blockRate)
		defer goruntime.SetBlockProfileRate(0)
	}
	before := map[string]*profile.Profile{}
	for _, p := range []string{"allocs", "mutex", "block"} {
		if wants(p) {
			if before[p], err = lookup(p); err != nil {
				return err
			}
		}
	}
	if wants("cpu") {
		f, err := os.Create(file(dir, "cpu", name))
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return fmt.Errorf("profiles: %w", err)
		}
	}
	err = work()
	if wants("cpu") {
		pprof.StopCPUProfile()
	}
	if err != nil {
		return err
	}
	if wants("heap") {
		goruntime.GC()
		p, err := lookup("heap")
		if err == nil {
			err = write(p, file(dir, "heap", name))
		}
		if err != nil {
			return err
		}
	}
	for p, old := range before {
		now, err := lookup(p)
		if err != nil {
			return err
		}
		old.Scale(-1)
		gained, err := profile.Merge([]*profile.Profile{old, now})
		if err == nil {
			err = write(gained, file(dir, p, name))
		}
		if err != nil {
			return fmt.Errorf("profiles: %s: %w", p, err)
		}
	}
	return nil
}

// lookup reads one of the profiles that Go keeps. Of allocations the newest that it tells are from
// before the last but one collection.
func lookup(name string) (*profile.Profile, error) {
	if name == "allocs" {
		goruntime.GC()
		goruntime.GC()
	}
	var raw bytes.Buffer
	if err := pprof.Lookup(name).WriteTo(&raw, 0); err != nil {
		return nil, fmt.Errorf("profiles: %s: %w", name, err)
	}
	p, err := profile.ParseData(raw.Bytes())
	if err != nil {
		return nil, fmt.Errorf("profiles: %s: %w", name, err)
	}
	return p, nil
}

func write(p *profile.Profile, file string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(p.Write(f), f.Close())
}
