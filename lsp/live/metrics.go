package live

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/cytisus/cytisus/runtime/latency"
)

// A writer writes metrics in the text format of Prometheus, version 0.0.4. A metric's help and
// type stand before its first sample.
type writer struct {
	bytes.Buffer
	begun map[string]bool
}

// sample writes one value. Labels are names and values by turns.
func (w *writer) sample(name, kind, help string, value float64, labels ...string) {
	w.begin(name, kind, help)
	w.line(name, value, labels)
}

func (w *writer) begin(name, kind, help string) {
	if !w.begun[name] {
		w.begun[name] = true
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
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
func (w *writer) histogram(name, help string, h latency.Histogram, labels ...string) {
	w.begin(name, "histogram", help)
	var count uint64
	var sum float64
	for i, n := range h {
		count += n
		bound := latency.Bound(i).Seconds()
		sum += float64(n) * bound
		le := strconv.FormatFloat(bound, 'g', -1, 64)
		if i == len(h)-1 {
			le = "+Inf"
		}
		w.line(name+"_bucket", float64(count), append(slices.Clone(labels), "le", le))
	}
	w.line(name+"_sum", sum, labels)
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
	const counter, gauge = "counter", "gauge"
	e := &st.Stats.Engine
	w.sample("cytisus_start_time_seconds", gauge, "When the host began, since 1970.", float64(st.Stats.Started.UnixNano())/1e9)
	w.sample("cytisus_generation", gauge, "The newest generation of the engine.", float64(e.Generation))
	w.sample("cytisus_snapshots", gauge, "Snapshots that are held.", float64(e.Snapshots))
	w.sample("cytisus_resident_bytes", gauge, "What the process has in memory.", float64(st.Memory.Resident))
	for _, h := range st.Memory.Holders {
		w.sample("cytisus_memory_bytes", gauge, "What holds memory of the process.", float64(h.Bytes), "holder", h.Name)
	}
	for _, q := range st.Stats.Requests {
		w.histogram("cytisus_request_seconds", "From reading a request until its answer was ready.", q.Times, "method", q.Method)
	}
	for _, l := range e.Latencies {
		for _, phase := range []struct {
			name string
			of   latency.Spread
		}{{"queued", l.Queued}, {"waited", l.Waited}, {"ran", l.Ran}, {"committed", l.Committed}} {
			w.histogram("cytisus_lane_seconds", "How long work of a lane took, by phase; of the engine's own tasks one in 256 is timed.",
				phase.of.Times, "lane", l.Lane.String(), "phase", phase.name)
		}
	}
	for _, l := range e.Scheduler.Lanes {
		w.sample("cytisus_lane_queued", gauge, "Tasks that wait in a lane.", float64(l.Queued), "lane", l.Lane.String())
	}
	for _, l := range e.Scheduler.Lanes {
		for _, outcome := range []struct {
			name string
			n    uint64
		}{{"completed", l.Completed}, {"failed", l.Failed}, {"panicked", l.Panicked}, {"cancelled", l.Cancelled}} {
			w.sample("cytisus_tasks_total", counter, "Tasks that have ended.", float64(outcome.n), "lane", l.Lane.String(), "outcome", outcome.name)
		}
	}
	idle := 0
	for _, worker := range e.Scheduler.Workers {
		if worker.Idle {
			idle++
		}
	}
	w.sample("cytisus_workers", gauge, "Workers.", float64(len(e.Scheduler.Workers)))
	w.sample("cytisus_workers_idle", gauge, "Workers that have nothing to do.", float64(idle))
	for _, name := range slices.Sorted(maps.Keys(e.Queries)) {
		q := e.Queries[name]
		for _, how := range []struct {
			name string
			n    uint64
		}{{"ran", q.Ran}, {"failed", q.Failed}, {"reused", q.Reused}, {"steady", q.Steady}, {"validated", q.Validated}} {
			w.sample("cytisus_answers_total", counter, "Answers of queries, by how they were found.", float64(how.n), "query", name, "how", how.name)
		}
	}
	c := &e.Collector
	w.sample("cytisus_collections_total", counter, "Collections of everything.", float64(c.Cycles))
	w.sample("cytisus_collections_short_total", counter, "Collections of what was new.", float64(c.Short))
	w.sample("cytisus_freed_bytes_total", counter, "Bytes of records that collections have freed.", float64(c.FreedBytes))
	w.sample("cytisus_garbage_bytes", gauge, "What a collection would free, estimated.", float64(c.GarbageBytes))
	w.histogram("cytisus_collection_slice_seconds", "How long slices of collections took.", c.Slices)
	w.sample("cytisus_store_records", gauge, "Records in the store.", float64(e.Store.Records))
	w.sample("cytisus_store_live_bytes", gauge, "Bytes of records in the store.", float64(e.Store.LiveBytes))
	w.sample("cytisus_store_bytes", gauge, "Bytes of the store's segments.", float64(e.Store.StoredBytes))
	w.sample("cytisus_store_commits_total", counter, "Commits to the store.", float64(e.Store.Commits))
	w.sample("cytisus_store_syncs_total", counter, "Flushes of the disk.", float64(e.Store.Syncs))
	w.sample("cytisus_store_damaged_total", counter, "Damaged places that were met.", float64(e.Store.Damaged))
	w.sample("cytisus_clients", gauge, "Clients that are connected.", float64(len(st.Stats.Sessions)))
	return w.Bytes()
}
