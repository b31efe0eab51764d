package main

import (
	"sync"
	"testing"

	"github.com/cytisus/cytisus/lsp/server"
)

// What the holders have adds up to what is in memory within a tenth, at every moment of an index
// and of questions that are asked meanwhile.
func TestMemoryAddsUpUnderLoad(t *testing.T) {
	if raceFactor > 1 {
		t.Skip("the race detector's memory is nobody's")
	}
	dir := write(t, manyPackages(60))
	c := newCLI(t)
	host := newCage(t, 0).start(t, "daemon", dir, "--idle", "1m", "--store", c.store, "--progress", "none")
	host.serving(t)
	a := &app{err: t.Output(), flags: flags{store: c.store, tests: true, progress: "none"}}
	q, err := a.openAsker(t.Context(), dir, "asks while it is indexed")
	if err != nil {
		t.Fatal(err)
	}
	var load sync.WaitGroup
	indexed := make(chan struct{})
	load.Go(func() {
		defer close(indexed)
		if out, errs, code := c.run("index", "--progress", "none", dir); code != exitOK {
			t.Errorf("index: exit code %d\n%s%s", code, out, errs)
		}
	})
	places := somePlaces(t, dir, 60)
	load.Go(func() {
		defer q.close()
		for _, p := range places {
			if _, err := q.references(t.Context(), p, true); err != nil {
				t.Error(err)
			}
		}
	})
	looks, last := 0, false
	for !last {
		select {
		case <-indexed:
			load.Wait()
			last = true
		default:
		}
		m := decode[server.Memory](t, c.ok("stats", "--memory", "--json", dir))
		if off := m.Unaccounted(); off > m.Resident/10 || off < -m.Resident/10 {
			t.Errorf("look %d: %d bytes of %d are nobody's: %v", looks, off, m.Resident, &m.Account)
		}
		looks++
	}
	t.Logf("%d looks", looks)
	if looks < 3 {
		t.Errorf("%d looks: there was no load to speak of", looks)
	}
	c.ok("daemon", "--stop", dir)
	if err := host.wait(); err != nil {
		t.Errorf("the host: %v\n%s", err, host.says.String())
	}
}
