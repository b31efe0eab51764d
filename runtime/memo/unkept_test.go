package memo

import (
	"strconv"
	"testing"
)

// The helpers of an All meet the same key, whose outcome is not kept. Between its run and its being
// given to the question no strand of that runs it again.
func TestUnkeptOutcomeIsRunOnceForAQuestion(t *testing.T) {
	seeds(t, 200, func(t *testing.T, r *rig) {
		ran := map[string]int{}
		r.query("unstable", func(f *Frame, key string) (string, error) {
			ran[key]++
			f.strand.Task.Yield()
			f.Taint()
			return key, nil
		})
		r.query("middle", func(f *Frame, key string) (string, error) {
			f.strand.Task.Yield()
			return r.get(f, "unstable", key[:1])
		})
		keys := make([]string, 8)
		for i := range keys {
			keys[i] = strconv.Itoa(i%2) + strconv.Itoa(i)
		}
		r.query("all", func(f *Frame, _ string) (string, error) {
			_, err := r.table.All(f, r.queries["middle"], keys, 2, r.spawner(f))
			return "all", err
		})
		r.want("all", "", "all")
		if ran["0"] != 1 || ran["1"] != 1 {
			t.Errorf("for one question the keys ran %v times, want once each", ran)
		}
	})
}
