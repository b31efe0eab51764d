// Package metrics holds what a host tells Prometheus against Prometheus' own parser.
package metrics

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/cytisus/cytisus/lsp/live"
	"github.com/cytisus/cytisus/lsp/server"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/inspect"
	"github.com/cytisus/cytisus/runtime/latency"
)

// A source is an engine without a host around it.
type source struct{ eng *runtime.Engine }

func (s source) Stats(context.Context) (server.Stats, error) {
	var times latency.Recorder
	for i := range 30 {
		times.Add(time.Microsecond << i)
	}
	h := times.Histogram()
	return server.Stats{
		Started: time.Now(), Engine: s.eng.Stats(), Sessions: []server.SessionStats{{}},
		Requests: []server.RequestStats{
			{Method: "textDocument/hover", Spread: h.Spread()},
			{Method: "odd\\ \"name\"\nof a method", Spread: h.Spread()},
		},
	}, nil
}

func (s source) Memory(context.Context) (m server.Memory, err error) {
	m.Account, err = inspect.Memory(s.eng)
	return m, err
}

func (source) Profile(context.Context, server.ProfileParams) (server.ProfileResult, error) {
	return server.ProfileResult{}, nil
}

var doubled = runtime.NewQuery("doubled", 1, func(_ *runtime.Task, n int) (int, error) { return 2 * n, nil })

var words = runtime.NewPartition[int]("words")

func TestPrometheusReadsMetrics(t *testing.T) {
	eng, err := runtime.Open("", runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := eng.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	for range 2 {
		if _, err := doubled.Ask(t.Context(), eng, 21); err != nil {
			t.Fatal(err)
		}
	}
	err = eng.Commit(t.Context(), func(w *runtime.Writer) error { return words.Put(w, "a", 1) })
	if err != nil {
		t.Fatal(err)
	}
	page, err := live.Listen("127.0.0.1:0", source{eng}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer page.Close()
	answer, err := http.Get(page.URL() + "metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var parser expfmt.TextParser
	families, err := parser.TextToMetricFamilies(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	requests := families["cytisus_request_seconds"]
	if requests.GetType() != dto.MetricType_HISTOGRAM || len(requests.GetMetric()) != 2 {
		t.Fatalf("requests: %v", requests)
	}
	for _, m := range requests.GetMetric() {
		h := m.GetHistogram()
		last := uint64(0)
		for _, b := range h.GetBucket() {
			if b.GetCumulativeCount() < last {
				t.Errorf("%v: the counts of buckets fall", m.GetLabel())
			}
			last = b.GetCumulativeCount()
		}
		if h.GetSampleCount() != 30 || last != 30 || h.GetSampleSum() <= 0 {
			t.Errorf("%v: %d samples, %d in buckets", m.GetLabel(), h.GetSampleCount(), last)
		}
	}
	if name := requests.GetMetric()[1].GetLabel()[0].GetValue(); name != "odd\\ \"name\"\nof a method" {
		t.Errorf("a name comes back as %q", name)
	}
	committed := false
	for _, m := range families["cytisus_lane_seconds"].GetMetric() {
		labels := map[string]string{}
		for _, l := range m.GetLabel() {
			labels[l.GetName()] = l.GetValue()
		}
		if labels["lane"] == "default" && labels["phase"] == "committed" {
			committed = m.GetHistogram().GetSampleCount() == 1 && len(m.GetHistogram().GetBucket()) == len(latency.Histogram{})
		}
	}
	if !committed {
		t.Errorf("the one commit is not told: %v", families["cytisus_lane_seconds"])
	}
	found := false
	for _, m := range families["cytisus_answers_total"].GetMetric() {
		labels := map[string]string{}
		for _, l := range m.GetLabel() {
			labels[l.GetName()] = l.GetValue()
		}
		if labels["query"] == "doubled" && labels["how"] == "ran" {
			found = m.GetCounter().GetValue() == 1
		}
	}
	if !found {
		t.Error("the query's one run is not told")
	}
	for name, f := range families {
		if f.GetHelp() == "" {
			t.Errorf("%s has no help", name)
		}
	}
}
