package runtime_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cytisus/cytisus/runtime"
)

// A report holds blobs, so that the collector must follow values.
type report struct {
	Name  string
	Parts []runtime.Blob
}

var (
	reports = runtime.NewPartition[report]("reports")

	doubled = runtime.NewQuery("doubled", 1, func(t *runtime.Task, key string) (report, error) {
		s, err := inputs.Get(t, key)
		if err != nil {
			return report{}, err
		}
		b, err := t.PutBlob([]byte(s + s))
		return report{Name: key, Parts: []runtime.Blob{b}}, err
	})
)

func readParts(t testing.TB, r runtime.Reader, rep report) []byte {
	t.Helper()
	var all []byte
	for _, b := range rep.Parts {
		p, err := runtime.ReadBlob(r, b)
		if err != nil {
			t.Fatalf("blob of %s: %v", rep.Name, err)
		}
		all = append(all, p...)
	}
	return all
}

func TestCollectorKeepsWhatIsReachable(t *testing.T) {
	for _, place := range []string{"memory", "disk"} {
		t.Run(place, func(t *testing.T) {
			dir := ""
			if place == "disk" {
				dir = t.TempDir()
			}
			e := open(t, dir, runtime.Options{CollectEvery: -1})
			text := func(i, round int) string { return fmt.Sprint(i, round) + string(bytes.Repeat([]byte{byte(i)}, 3000)) }
			held := e.Snapshot()
			defer held.Release()
			for round := range 6 {
				for i := range 50 {
					put(t, e, inputs, fmt.Sprint(i), text(i, round))
					err := e.Commit(t.Context(), func(w *runtime.Writer) error {
						b, err := w.PutBlob([]byte(text(i, round) + "blob"))
						if err != nil {
							return err
						}
						return reports.Put(w, fmt.Sprint(i), report{Name: "r", Parts: []runtime.Blob{b}})
					})
					if err != nil {
						t.Fatal(err)
					}
				}
				if round == 2 {
					held.Release()
					held = e.Snapshot()
				}
				if _, err := e.Collect(t.Context()); err != nil {
					t.Fatal(err)
				}
				now := e.Snapshot()
				for i := range 50 {
					rep, err := doubled.Ask(t.Context(), e, fmt.Sprint(i))
					if err != nil {
						t.Fatal(err)
					}
					if got, want := string(readParts(t, now, rep)), text(i, round)+text(i, round); got != want {
						t.Fatalf("round %d: doubled(%d) differs", round, i)
					}
					rep, err = reports.Get(now, fmt.Sprint(i))
					if err != nil {
						t.Fatal(err)
					}
					if got, want := string(readParts(t, now, rep)), text(i, round)+"blob"; got != want {
						t.Fatalf("round %d: report %d differs", round, i)
					}
					if round >= 2 {
						s, err := inputs.Get(held, fmt.Sprint(i))
						if err != nil || s != text(i, 2) {
							t.Fatalf("round %d: the held snapshot lost input %d: %v", round, i, err)
						}
					}
				}
				now.Release()
			}
			if st := e.Stats().Collector; st.FreedRecords == 0 || st.Missing != 0 {
				t.Errorf("collector: %+v, want something freed and nothing missing", st)
			}
			if rep, err := e.Verify(t.Context(), nil); err != nil {
				t.Errorf("verify: %+v, %v", rep, err)
			}
		})
	}
}

func TestDiskUseStaysFlat(t *testing.T) {
	e := open(t, t.TempDir(), runtime.Options{CollectEvery: -1, SegmentBytes: 1 << 20})
	rng := rand.New(rand.NewPCG(1, 2))
	var after10, last int64
	for round := range 30 {
		err := e.Commit(t.Context(), func(w *runtime.Writer) error {
			for i := range 100 {
				text := make([]byte, 10_000)
				for j := range text {
					text[j] = byte(rng.Uint32())
				}
				if err := inputs.Put(w, fmt.Sprint(i), string(text)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		ask(t, e, sumOfLengths, "")
		if _, err := e.Collect(t.Context()); err != nil {
			t.Fatal(err)
		}
		last = e.Stats().Store.StoredBytes
		if round == 9 {
			after10 = last
		}
	}
	if last > after10*5/4 {
		t.Errorf("stored bytes grew from %d after round 10 to %d after round 30", after10, last)
	}
}
