package telemetry_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/telemetry"
)

var (
	texts  = runtime.NewPartition[string]("texts")
	length = runtime.NewQuery("length", 1, func(t *runtime.Task, name string) (int, error) {
		text, err := texts.Get(t, name)
		for began := time.Now(); name == "slow" && time.Since(began) < 2*slow; {
		}
		return len(text), err
	})
)

// slow is how long runs take that get a span.
const slow = 20 * time.Millisecond

// A reader of the SDK is given all kinds of measures, whole and with their labels; a run that took
// long has a span as long as it, and others have none.
func TestTelemetry(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	tp := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	e, err := runtime.Open("", runtime.Options{Workers: 1, AuditShare: -1, Trace: telemetry.Spans(tp, slow)})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(t.Context())
	reader := metric.NewManualReader(metric.WithProducer(telemetry.Metrics(e)))
	metric.NewMeterProvider(metric.WithReader(reader))

	for _, name := range []string{"quick", "slow"} {
		err := e.Commit(t.Context(), func(w *runtime.Writer) error { return texts.Put(w, name, "text") })
		if n, askErr := length.Ask(t.Context(), e, name); err != nil || askErr != nil || n != 4 {
			t.Fatal(n, err, askErr)
		}
	}

	var got metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &got); err != nil {
		t.Fatal(err)
	}
	by := map[string]metricdata.Metrics{}
	for _, scope := range got.ScopeMetrics {
		for _, m := range scope.Metrics {
			if _, met := by[m.Name]; met || m.Description == "" || m.Unit == "" {
				t.Errorf("%s is there twice, or not whole: %+v", m.Name, m)
			}
			by[m.Name] = m
		}
	}
	ran := attribute.NewSet(attribute.String("cytisus.query", "length"), attribute.String("cytisus.how", "ran"))
	answers, _ := by["cytisus.answers"].Data.(metricdata.Sum[float64])
	i := slices.IndexFunc(answers.DataPoints, func(p metricdata.DataPoint[float64]) bool { return p.Attributes == ran })
	if i < 0 || answers.DataPoints[i].Value != 2 || !answers.IsMonotonic {
		t.Errorf("two runs are %+v", answers)
	}
	if live, ok := by["cytisus.store.live"].Data.(metricdata.Gauge[float64]); !ok || live.DataPoints[0].Value <= 0 || by["cytisus.store.live"].Unit != "By" {
		t.Errorf("bytes in the store are %+v", by["cytisus.store.live"])
	}
	committed := uint64(0)
	lanes, _ := by["cytisus.lane"].Data.(metricdata.Histogram[float64])
	for _, p := range lanes.DataPoints {
		var sum uint64
		for _, n := range p.BucketCounts {
			sum += n
		}
		if sum != p.Count || len(p.BucketCounts) != len(p.Bounds)+1 || !slices.IsSorted(p.Bounds) || p.Sum <= 0 && sum > 0 {
			t.Errorf("not a histogram: %+v", p)
		}
		if phase, _ := p.Attributes.Value("cytisus.phase"); phase.AsString() == "committed" {
			committed += p.Count
		}
	}
	if committed != 2 {
		t.Errorf("%d commits were timed, not 2", committed)
	}

	var runs []tracetest.SpanStub
	for _, span := range spans.GetSpans() {
		if strings.HasPrefix(span.Name, "run ") {
			runs = append(runs, span)
		}
	}
	// The quick run may have been stopped by the machine for as long as the slow one takes.
	if len(runs) == 0 || len(runs) > 2 {
		t.Fatalf("%d runs have spans", len(runs))
	}
	span := runs[len(runs)-1]
	if took := span.EndTime.Sub(span.StartTime); span.Name != "run length" || took < 2*slow || !slices.Contains(span.Attributes, attribute.String("cytisus.key", "slow")) {
		t.Errorf("the span of a run of %v: %s of %v with %v", 2*slow, span.Name, took, span.Attributes)
	}
}

// A reader that gives up is told so.
func TestProduceGivesUp(t *testing.T) {
	e, err := runtime.Open("", runtime.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(t.Context())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := telemetry.Metrics(e).Produce(ctx); err == nil {
		t.Error("a producer goes on without its reader")
	}
}
