package live

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/cytisus/cytisus/runtime/latency"
	"github.com/cytisus/cytisus/runtime/measure"
)

// A writer writes metrics in the text format of Prometheus, version 0.0.4. A metric's help and
// type stand before its first sample.
type writer struct {
	bytes.Buffer
	begun map[string]bool
}

// units are how Prometheus' names end, by unit.
var units = map[string]string{measure.Bytes: "_bytes", measure.Seconds: "_seconds"}

// measure writes m under the name that Prometheus gives to such a measure.
func (w *writer) measure(m measure.Measure) {
	name := "cytisus_" + strings.ReplaceAll(m.Name, ".", "_") + units[m.Unit]
	kind := "gauge"
	if m.Times != nil {
		kind = "histogram"
	} else if m.Grows {
		name, kind = name+"_total", "counter"
	}
	if !w.begun[name] {
		w.begun[name] = true
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, m.Means, name, kind)
	}
	if m.Times != nil {
		w.histogram(name, *m.Times, m.Labels)
	} else {
		w.line(name, m.Value, m.Labels)
	}
}

func (w *writer) line(name string, value float64, labels []string) {
	w.WriteString(name)
	for i := 0; i+1 < len(labels); i += 2 {
		w.WriteByte("{,"[min(i, 1)])
		fmt.Fprintf(w, `%s="%s"`, labels[i], escape.Replace(labels[i+1]))
	}
	if len(labels) > 0 {
		w.WriteByte('}')
	}
	w.WriteByte(' ')
	w.WriteString(strconv.FormatFloat(value, 'g', -1, 64))
	w.WriteByte('\n')
}

var escape = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

// histogram writes one in the form of Prometheus: cumulative counts by upper bound, in seconds.
// The sum is not counted; it is told as if each duration were its bound.
func (w *writer) histogram(name string, h latency.Histogram, labels []string) {
	var count uint64
	for i, n := range h {
		count += n
		le := "+Inf"
		if i < len(h)-1 {
			le = strconv.FormatFloat(latency.Bound(i).Seconds(), 'g', -1, 64)
		}
		w.line(name+"_bucket", float64(count), append(slices.Clone(labels), "le", le))
	}
	w.line(name+"_sum", h.SumAtMost().Seconds(), labels)
	w.line(name+"_count", float64(count), labels)
}

func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	st, ok := s.look(w, r)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write(metricsOf(st)) // the client has gone if this fails
}

func metricsOf(st state) []byte {
	w := &writer{begun: map[string]bool{}}
	w.measure(measure.Measure{Name: "start.time", Means: "When the host began, since 1970.", Unit: measure.Seconds, Value: float64(st.Stats.Started.UnixNano()) / 1e9})
	w.measure(measure.Size("resident", "What the process has in memory.", st.Memory.Resident))
	for _, h := range st.Memory.Holders {
		w.measure(measure.Size("memory", "What holds memory of the process.", h.Bytes, "holder", h.Name))
	}
	for _, q := range st.Stats.Requests {
		w.measure(measure.Durations("request", "From reading a request until its answer was ready.", q.Times, "method", q.Method))
	}
	for m := range measure.Of(st.Stats.Engine) {
		w.measure(m)
	}
	w.measure(measure.Number("clients", "Clients that are connected.", len(st.Stats.Sessions)))
	return w.Bytes()
}
