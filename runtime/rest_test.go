package runtime_test

import (
	goruntime "runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/account"
)

// M8: what is spare goes back when a stretch ends in which little was allocated, and not before,
// and not again before as much was allocated.
func TestMemoryGoesBackAtRest(t *testing.T) {
	const garbage = 64 << 20
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // garbage stays until somebody asks
	litter := func() {
		for range garbage >> 20 {
			goruntime.KeepAlive(make([]byte, 1<<20))
		}
	}
	spare := func() int64 {
		m := account.ReadGo()
		return m.Spare()
	}
	debug.FreeOSMemory()
	var r runtime.Rest
	now := time.Now()
	r.Look(now)
	litter()
	r.Look(now.Add(runtime.RestAfter))
	if spare() < garbage/2 {
		t.Errorf("%d bytes are spare after a stretch in which %d were allocated: they went back", spare(), garbage)
	}
	r.Look(now.Add(runtime.RestAfter * 3 / 2))
	if spare() < garbage/2 {
		t.Errorf("%d bytes are spare in the middle of a stretch: the others went back", spare())
	}
	r.Look(now.Add(runtime.RestAfter * 2))
	if spare() > garbage/4 {
		t.Errorf("%d bytes are spare after a stretch at rest", spare())
	}
	// What is spare for another reason is no cause to try again.
	var before, after debug.GCStats
	debug.ReadGCStats(&before)
	for i := range time.Duration(4) {
		r.Look(now.Add(runtime.RestAfter * (3 + i)))
	}
	if debug.ReadGCStats(&after); after.NumGC != before.NumGC {
		t.Errorf("the collector ran %d times while nothing was allocated", after.NumGC-before.NumGC)
	}
	litter()
	r.Look(now.Add(runtime.RestAfter * 8))
	r.Look(now.Add(runtime.RestAfter * 9))
	if spare() > garbage/4 {
		t.Errorf("%d bytes are spare at the second rest", spare())
	}
}

// M8: while somebody asks, nothing goes back, until that has lasted for long.
func TestMemoryStaysWhileSomebodyAsks(t *testing.T) {
	const garbage = 64 << 20
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // garbage stays until somebody asks
	debug.FreeOSMemory()
	var r runtime.Rest
	now := time.Now()
	stretch := func(urgent uint64) (spare int64) {
		now = now.Add(runtime.RestAfter)
		r.LookWhen(now, urgent)
		m := account.ReadGo()
		return m.Spare()
	}
	litter := func() {
		for range garbage >> 20 {
			goruntime.KeepAlive(make([]byte, 1<<20))
		}
	}
	stretch(1)
	litter()
	stretch(2) // busy
	for i := range uint64(3) {
		if spare := stretch(3 + i); spare < garbage/2 {
			t.Fatalf("%d bytes are spare after stretch %d, in which somebody asked: the others went back", spare, i)
		}
	}
	if spare := stretch(5); spare > garbage/4 {
		t.Errorf("%d bytes are spare after a stretch in which nobody asked", spare)
	}
	litter()
	stretch(6) // busy
	for i := range uint64(runtime.RestWaits) {
		if spare := stretch(7 + i); spare < garbage/2 {
			t.Fatalf("%d bytes are spare after stretch %d of the second time", spare, i)
		}
	}
	if spare := stretch(100); spare > garbage/4 {
		t.Errorf("%d bytes are spare though it has waited for long", spare)
	}
}
