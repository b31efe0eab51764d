package measure_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/measure"
)

var (
	texts  = runtime.NewPartition[string]("texts")
	length = runtime.NewQuery("length", 1, func(t *runtime.Task, name string) (int, error) {
		text, err := texts.Get(t, name)
		return len(text), err
	})
)

// What an engine did is in its measures, and those of one name come together, with the same labels,
// unit and meaning, and never twice with the same values of labels.
func TestMeasures(t *testing.T) {
	e, err := runtime.Open("", runtime.Options{Workers: 1, AuditShare: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(t.Context())
	put := func(text string) {
		err := e.Commit(t.Context(), func(w *runtime.Writer) error { return texts.Put(w, "a", text) })
		if n, askErr := length.Ask(t.Context(), e, "a"); err != nil || askErr != nil || n != len(text) {
			t.Fatal(n, err, askErr)
		}
	}
	put("one")
	put("three")

	values := map[string]float64{}
	first := map[string]measure.Measure{}
	last := ""
	for m := range measure.Of(e.Stats()) {
		if f, met := first[m.Name]; !met {
			first[m.Name] = m
		} else if m.Name != last || m.Means != f.Means || m.Unit != f.Unit || m.Grows != f.Grows || (m.Times == nil) != (f.Times == nil) || !slices.Equal(names(m), names(f)) {
			t.Errorf("%s is not one measure: %+v, and %+v after %s", m.Name, f, m, last)
		}
		last = m.Name
		if m.Means == "" || len(m.Labels)%2 != 0 {
			t.Errorf("not whole: %+v", m)
		}
		key := m.Name + fmt.Sprint(m.Labels)
		if _, met := values[key]; met {
			t.Errorf("%s comes twice", key)
		}
		values[key] = m.Value
		if m.Times != nil {
			values[key] = float64(m.Times.Count())
		}
	}
	for key, want := range map[string]float64{
		"answers[query length how ran]": 2, "workers[]": 1, "snapshots[]": 0, "collections[]": 0,
	} {
		if got, there := values[key]; !there || got != want {
			t.Errorf("%s is %v, not %v", key, got, want)
		}
	}
	for _, name := range []string{"store.records", "store.live", "generation"} {
		if values[name+"[]"] <= 0 {
			t.Errorf("%s is %v", name, values[name+"[]"])
		}
	}
	committed := 0.0
	for key, n := range values {
		if strings.HasPrefix(key, "lane[") && strings.HasSuffix(key, "phase committed]") {
			committed += n
		}
	}
	if committed != 2 {
		t.Errorf("%v commits were timed, not 2", committed)
	}
}

// names are those of a measure's labels.
func names(m measure.Measure) (names []string) {
	for i := 0; i < len(m.Labels); i += 2 {
		names = append(names, m.Labels[i])
	}
	return names
}

// Whoever has seen enough is told no more.
func TestMeasuresEnd(t *testing.T) {
	total := len(slices.Collect(measure.Of(runtime.Stats{Queries: map[string]runtime.QueryStats{"q": {}}})))
	for n := range total {
		seen := 0
		for range measure.Of(runtime.Stats{Queries: map[string]runtime.QueryStats{"q": {}}}) {
			if seen++; seen > n {
				break
			}
		}
		if seen != n+1 {
			t.Fatalf("%d of %d were told", seen, n+1)
		}
	}
}
