// Package telemetry gives what engines count and do to OpenTelemetry. It is a module of its own, so
// that who embeds an engine without it depends on nothing of OpenTelemetry.
//
// Metrics are aggregated by the engine already: a Producer hands them to a reader of the SDK, which
// exports them wherever it exports to. Their names are those of package measure behind "cytisus.",
// those of the live page in Prometheus' form the same with underscores.
//
//	reader := metric.NewPeriodicReader(exporter, metric.WithProducer(telemetry.Metrics(eng)))
//
// Spans are what took a run, a verification or an audit of an answer. Each is the root of a trace:
// an answer is computed once for all who wait for it, who may belong to several requests, and so to
// none.
//
//	opts.Trace = telemetry.Spans(tracerProvider, 10*time.Millisecond)
package telemetry
