package live

import (
	"bytes"
	"cmp"
	"crypto/rand"
	_ "embed"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/cytisus/cytisus/lsp/server"
	"github.com/cytisus/cytisus/runtime"
)

//go:embed page.html
var pageText string

//go:embed style.css
var style string

//go:embed renew.js
var script string

// pages are the page and, inside it, what is renewed.
var pages = template.Must(template.New("page").Funcs(template.FuncMap{
	"bytes": bytesText, "grouped": grouped, "took": took, "ago": ago,
}).Parse(pageText))

// page answers with the whole page. Its script is known by a nonce, and no other may run.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	st, ok := s.look(w, r)
	if !ok {
		return
	}
	nonce := rand.Text()
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; connect-src 'self'; script-src 'nonce-"+nonce+"'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	s.execute(w, "page", map[string]any{
		"Style": template.CSS(style), "Script": template.JS(script), "Nonce": nonce, "State": s.view(st),
	})
}

// state answers with what is renewed.
func (s *Server) state(w http.ResponseWriter, r *http.Request) {
	if st, ok := s.look(w, r); ok {
		s.execute(w, "state", s.view(st))
	}
}

func (s *Server) execute(w http.ResponseWriter, name string, data any) {
	var out bytes.Buffer
	if err := pages.ExecuteTemplate(&out, name, data); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(out.Bytes()) // the client has gone if this fails
}

// A view is what the page shows.
type view struct {
	Now     time.Time
	Stats   server.Stats
	Memory  server.Memory
	Tiles   []tile
	Lanes   []laneView
	Queries []queryView
	Holders []bar
	Busy    int // workers
}

// A tile is one number that is seen first.
type tile struct{ Value, Name string }

type laneView struct {
	Name                                          string
	Queued                                        int
	Started, Completed, Failed, Panicked, Dropped uint64
}

type queryView struct {
	Name string
	runtime.QueryStats
	Answers uint64
	Share   int // of the answers, those that needed no run; percent
}

// A bar is a part of a whole.
type bar struct {
	Name    string
	Bytes   int64
	Count   int64
	Percent float64
	Parts   []bar
}

// view makes what the page shows of a state.
func (s *Server) view(st state) view {
	v := view{Now: time.Now(), Stats: st.Stats, Memory: st.Memory}
	e := &st.Stats.Engine
	for _, l := range e.Scheduler.Lanes {
		if l.Submitted > 0 {
			v.Lanes = append(v.Lanes, laneView{l.Lane.String(), l.Queued, l.Started, l.Completed, l.Failed, l.Panicked, l.Cancelled})
		}
	}
	var answers, known uint64
	for _, name := range slices.Sorted(maps.Keys(e.Queries)) {
		q := e.Queries[name]
		held := q.Reused + q.Steady + q.Validated
		all := held + q.Ran + q.Failed
		answers, known = answers+all, known+held
		if all > 0 {
			v.Queries = append(v.Queries, queryView{name, q, all, int(100 * held / all)})
		}
	}
	slices.SortStableFunc(v.Queries, func(a, b queryView) int {
		return cmp.Compare(b.Ran*uint64(b.RunTime), a.Ran*uint64(a.RunTime))
	})
	for _, w := range e.Scheduler.Workers {
		if !w.Idle {
			v.Busy++
		}
	}
	for _, h := range st.Memory.Holders {
		b := bar{Name: h.Name, Bytes: h.Bytes, Count: h.Count, Percent: percent(h.Bytes, st.Memory.Resident)}
		for _, p := range h.Parts {
			b.Parts = append(b.Parts, bar{Name: p.Name, Bytes: p.Bytes, Count: p.Count, Percent: percent(p.Bytes, h.Bytes)})
		}
		v.Holders = append(v.Holders, b)
	}
	slices.SortStableFunc(v.Holders, func(a, b bar) int { return cmp.Compare(b.Bytes, a.Bytes) })
	tasks, commits := s.rates.of(v.Now, e.Scheduler.Total().Ended(), uint64(e.Store.Commits))
	open := 0
	for _, c := range st.Stats.Sessions {
		open += c.Connection.Open
	}
	resident := "?"
	if st.Memory.Resident > 0 {
		resident = bytesText(st.Memory.Resident)
	}
	v.Tiles = []tile{
		{resident, "in memory"},
		{bytesText(e.Store.StoredBytes), "in the store"},
		{fmt.Sprintf("%d of %d", v.Busy, len(e.Scheduler.Workers)), "workers busy"},
		{grouped(open), "requests open"},
		{fmt.Sprintf("%.0f/s", tasks), "tasks"},
		{fmt.Sprintf("%.1f/s", commits), "commits"},
		{fmt.Sprintf("%.1f %%", percent(int64(known), int64(answers))), "answers that were known"},
	}
	return v
}

// rates are how fast counters grow between two looks.
type rates struct {
	mu             sync.Mutex
	at             time.Time // guarded by mu, like the others
	tasks, commits uint64
	lastTasks      float64
	lastCommits    float64
}

// of returns growths in a second. Looks that follow each other closely, of two browsers for one,
// get what the look before them got.
func (r *rates) of(now time.Time, tasks, commits uint64) (tasksRate, commitsRate float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	over := now.Sub(r.at).Seconds()
	if over < 0.5 {
		return r.lastTasks, r.lastCommits
	}
	if !r.at.IsZero() && tasks >= r.tasks && commits >= r.commits {
		r.lastTasks, r.lastCommits = float64(tasks-r.tasks)/over, float64(commits-r.commits)/over
	}
	r.at, r.tasks, r.commits = now, tasks, commits
	return r.lastTasks, r.lastCommits
}

func percent(part, whole int64) float64 {
	if whole <= 0 {
		return 0
	}
	return min(100*float64(part)/float64(whole), 100)
}

// bytesText is a size as people read it.
func bytesText(n int64) string {
	switch {
	case n < 1<<10 && n > -1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20 && n > -1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	case n < 1<<30 && n > -1<<30:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.2f GiB", float64(n)/(1<<30))
}

// grouped is a number with its digits in groups of three.
func grouped(n any) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// took is a duration with two or three digits; none if it is 0.
func took(d time.Duration) string {
	if d == 0 {
		return ""
	}
	for _, unit := range []time.Duration{time.Second, time.Millisecond, time.Microsecond} {
		if d >= unit {
			return d.Round(unit / 100).String()
		}
	}
	return d.String()
}

// ago is how long something has been there.
func ago(since, now time.Time) string { return now.Sub(since).Round(time.Second).String() }
