package telemetry_test

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/telemetry"
)

// A program gives a producer to the reader that it has, here one that is read by hand.
func ExampleMetrics() {
	ctx := context.Background()
	eng, err := runtime.Open("", runtime.Options{Workers: 1})
	if err != nil {
		panic(err)
	}
	defer eng.Close(ctx)
	reader := metric.NewManualReader(metric.WithProducer(telemetry.Metrics(eng)))
	provider := metric.NewMeterProvider(metric.WithReader(reader))
	defer provider.Shutdown(ctx)

	var got metricdata.ResourceMetrics
	if err := reader.Collect(ctx, &got); err != nil {
		panic(err)
	}
	for _, m := range got.ScopeMetrics[0].Metrics {
		if data, ok := m.Data.(metricdata.Gauge[float64]); ok && m.Name == "cytisus.workers" {
			fmt.Println(m.Name, data.DataPoints[0].Value)
		}
	}
	// Output: cytisus.workers 1
}
