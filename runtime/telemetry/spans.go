package telemetry

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/cytisus/cytisus/runtime"
)

// Spans is an Options.Trace that makes a span of each run, verification and audit of an answer that
// took atLeast so long: "run" and the query's name, with key and cause as attributes. What is not
// timed (a reuse, a key that left memory) is counted by Metrics and makes none. A processor that
// exports in the goroutine that ends a span keeps the answer waiting; one that batches does not.
func Spans(tp trace.TracerProvider, atLeast time.Duration) func(runtime.TraceEvent) {
	tracer := tp.Tracer(scope)
	return func(ev runtime.TraceEvent) {
		if ev.Took <= 0 || ev.Took < atLeast {
			return
		}
		ended := time.Now()
		_, span := tracer.Start(context.Background(), ev.What.String()+" "+ev.Query,
			trace.WithNewRoot(), trace.WithTimestamp(ended.Add(-ev.Took)), trace.WithAttributes(
				attribute.String("cytisus.query", ev.Query),
				attribute.String("cytisus.key", ev.Key),
				attribute.String("cytisus.cause", ev.Cause)))
		span.End(trace.WithTimestamp(ended))
	}
}
