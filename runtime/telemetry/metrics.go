package telemetry

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/latency"
	"github.com/cytisus/cytisus/runtime/measure"
)

// scope is who spans and metrics say that they come from.
const scope = "github.com/cytisus/cytisus/runtime/telemetry"

// Metrics is a producer of all that an engine counts, cumulative since Metrics was called, which is
// best done right after the engine was opened. It may be called concurrently, and after Close.
func Metrics(e *runtime.Engine) metric.Producer { return &producer{e, time.Now()} }

type producer struct {
	engine *runtime.Engine
	since  time.Time
}

// Produce implements metric.Producer.
func (p *producer) Produce(ctx context.Context) ([]metricdata.ScopeMetrics, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	now := time.Now()
	var metrics []metricdata.Metrics
	for m := range measure.Of(p.engine.Stats()) {
		name := "cytisus." + m.Name
		if n := len(metrics); n == 0 || metrics[n-1].Name != name {
			metrics = append(metrics, metricdata.Metrics{Name: name, Description: m.Means, Unit: unit(m)})
		}
		p.add(&metrics[len(metrics)-1], m, now)
	}
	return []metricdata.ScopeMetrics{{Scope: instrumentation.Scope{Name: scope}, Metrics: metrics}}, nil
}

// unit is that of m in the words of UCUM, in which things that are counted have the unit 1.
func unit(m measure.Measure) string {
	if m.Unit == "" {
		return "1"
	}
	return m.Unit
}

// add adds a point to the data of a metric.
func (p *producer) add(to *metricdata.Metrics, m measure.Measure, now time.Time) {
	labels := attributes(m.Labels)
	point := metricdata.DataPoint[float64]{Attributes: labels, StartTime: p.since, Time: now, Value: m.Value}
	switch {
	case m.Times != nil:
		data, _ := to.Data.(metricdata.Histogram[float64])
		data.Temporality = metricdata.CumulativeTemporality
		data.DataPoints = append(data.DataPoints, metricdata.HistogramDataPoint[float64]{
			Attributes: labels, StartTime: p.since, Time: now,
			Count: m.Times.Count(), Bounds: bounds, BucketCounts: m.Times[:], Sum: m.Times.SumAtMost().Seconds(),
		})
		to.Data = data
	case m.Grows:
		data, _ := to.Data.(metricdata.Sum[float64])
		data.Temporality, data.IsMonotonic = metricdata.CumulativeTemporality, true
		data.DataPoints = append(data.DataPoints, point)
		to.Data = data
	default:
		data, _ := to.Data.(metricdata.Gauge[float64])
		data.DataPoints = append(data.DataPoints, point)
		to.Data = data
	}
}

// bounds are those of a latency.Histogram, whose last element has none, in seconds.
var bounds = func() []float64 {
	bounds := make([]float64, len(latency.Histogram{})-1)
	for i := range bounds {
		bounds[i] = latency.Bound(i).Seconds()
	}
	return bounds
}()

func attributes(labels []string) attribute.Set {
	pairs := make([]attribute.KeyValue, 0, len(labels)/2)
	for i := 0; i+1 < len(labels); i += 2 {
		pairs = append(pairs, attribute.String("cytisus."+labels[i], labels[i+1]))
	}
	return attribute.NewSet(pairs...)
}
