package runtime_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/inspect"
)

var (
	beyondRecords = flag.Int("beyond.records", 250_000, "how many records of 400 bytes a store has that is larger than its limit")
	beyondLimit   = flag.Int64("beyond.limit", 64, "the limit, in MiB")
)

const (
	beyondEnv   = "CYTISUS_BEYOND" // the directory of the store
	beyondBytes = 400
	beyondAsks  = 20_000
)

var beyondPart = runtime.NewPartition[[]byte]("beyond")

// M2: a store that is larger than the limit is filled and read at random, then opened, read and
// collected, by processes that never have more in memory than the limit: that is what the system
// says of their peak, whatever looks have seen.
func TestStoreBeyondTheLimit(t *testing.T) {
	if raceEnabled {
		t.Skip("the memory of the race detector is no part of the limit")
	}
	if dir := os.Getenv(beyondEnv); dir != "" {
		beyond(t, dir)
		return
	}
	if _, ok := arena.ReadResidence(); !ok {
		t.Skip("this system does not say what is in memory")
	}
	if size := int64(*beyondRecords) * beyondBytes; size < *beyondLimit<<20*5/4 {
		t.Fatalf("records of %d bytes are not beyond a limit of %d MiB", size, *beyondLimit)
	}
	dir := t.TempDir()
	for range 2 {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestStoreBeyondTheLimit$", "-test.v",
			fmt.Sprintf("-beyond.records=%d", *beyondRecords), fmt.Sprintf("-beyond.limit=%d", *beyondLimit))
		cmd.Env = append(os.Environ(), beyondEnv+"="+dir)
		out, err := cmd.CombinedOutput()
		t.Logf("%s", out)
		if err != nil {
			t.Fatalf("the process that is limited: %v", err)
		}
	}
}

// beyond is a process that is limited: the first fills the store.
func beyond(t *testing.T, dir string) {
	limit, records := *beyondLimit<<20, *beyondRecords
	e := open(t, dir, runtime.Options{Workers: 2, MemoryLimit: limit, LimitGo: true, Logger: quiet})
	key := func(i int) string { return fmt.Sprintf("%010d", i) }
	check := func(when string) {
		t.Helper()
		peak, ok := peakResident()
		if !ok {
			t.Fatal("the system does not say what the peak was")
		}
		a, err := inspect.Memory(e)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: at most %.1f MiB were in memory, the limit is %d; now %.1f: %s",
			when, float64(peak)/(1<<20), *beyondLimit, float64(a.Resident)/(1<<20), a.String())
		// A check build keeps every needed record's hash while it checks a phase of the
		// collector, which may begin at any time. That bookkeeping is a test's own: no limit
		// covers it, and the plain build has none.
		if peak > limit && !checked {
			t.Errorf("%s: %.1f MiB were in memory, the limit is %d", when, float64(peak)/(1<<20), *beyondLimit)
		}
	}
	snap := e.Snapshot()
	_, err := beyondPart.Get(snap, key(0))
	snap.Release()
	first := errors.Is(err, runtime.ErrNotFound)
	if first {
		err := beyondPart.Bulk(t.Context(), e, func(w *runtime.BulkWriter[[]byte]) (err error) {
			for i := range records {
				err = errors.Join(err, w.Put(key(i), beyondValue(i)))
			}
			return err
		})
		if err = errors.Join(err, e.Checkpoint(t.Context())); err != nil {
			t.Fatal(err)
		}
		check("filled")
	}
	snap = e.Snapshot()
	defer snap.Release()
	rng := rand.New(rand.NewPCG(1, 0))
	for range beyondAsks {
		i := rng.IntN(records)
		if v, err := beyondPart.Get(snap, key(i)); err != nil || !bytes.Equal(v, beyondValue(i)) {
			t.Fatalf("key %d is %x, %v", i, v, err)
		}
	}
	check("read")
	if first {
		return
	}
	if _, err := e.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("collected")
}

// beyondValue is what key i leads to, which does not compress.
func beyondValue(i int) []byte {
	v := make([]byte, 0, beyondBytes)
	rng := rand.NewPCG(uint64(i), 1)
	for len(v) < beyondBytes {
		v = strconv.AppendUint(v, rng.Uint64(), 36)
	}
	return v[:beyondBytes]
}

// peakResident is the most that this process ever had in memory.
func peakResident() (bytes int64, ok bool) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		var kib int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
			return kib << 10, true
		}
	}
	return 0, false
}
