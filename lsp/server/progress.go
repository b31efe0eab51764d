package server

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
)

const (
	methodProgress       = "$/progress"
	methodProgressCreate = "window/workDoneProgress/create"
	methodProgressCancel = "window/workDoneProgress/cancel"
)

// A progress is one token on which work is shown. It begins at most once, ends at most
// once, and its percentage never goes back.
type progress struct {
	s     *session
	token protocol.ProgressToken
	key   string // of the token, for reports that outdate each other

	cancellable bool // immutable

	mu      sync.Mutex
	begun   bool      // guarded by mu
	ended   bool      // guarded by mu
	percent uint32    // guarded by mu
	last    time.Time // guarded by mu: of the newest report
}

func (s *session) newProgress(token protocol.ProgressToken) *progress {
	return &progress{s: s, token: token, key: tokenKey(token)}
}

func tokenKey(token protocol.ProgressToken) string { return fmt.Sprintf("%T %v", token, token) }

// shownWork is the work of requests that a client sees the progress of, and may cancel by it.
type shownWork struct {
	mu   sync.Mutex
	ends map[string]context.CancelCauseFunc // guarded by mu: by the key of the token
}

// begin returns a context that cancel ends.
func (w *shownWork) begin(ctx context.Context, key string) (context.Context, func()) {
	ctx, end := context.WithCancelCause(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ends == nil {
		w.ends = make(map[string]context.CancelCauseFunc)
	}
	w.ends[key] = end
	return ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.ends, key)
		end(nil)
	}
}

// cancelProgress ends the work that a token stands for, as cancelling its request would. An index
// is not ended: others wait for it, and what it has done would be done again.
func (s *session) cancelProgress(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p protocol.WorkDoneProgressCancelParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	s.shown.mu.Lock()
	defer s.shown.mu.Unlock()
	if end := s.shown.ends[tokenKey(p.Token)]; end != nil {
		end(dispatch.ErrCancelled)
	}
	return dispatch.Done, nil
}

func (p *progress) notify(value any, key string) {
	raw, err := protocol.Marshal(value)
	if err != nil {
		p.s.log.Error("server: encoding progress", "err", err)
		return
	}
	params := &protocol.ProgressParams{Token: p.token, Value: raw}
	if key != "" {
		_ = p.s.conn.NotifyLatest(key, methodProgress, params) // fails only at the end
		return
	}
	_ = p.s.conn.Notify(methodProgress, params)
}

func (p *progress) begin(title, message string, percent uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.begun || p.ended {
		return
	}
	p.begun, p.percent = true, percent
	v := &protocol.WorkDoneProgressBegin{Kind: "begin", Title: title, Percentage: &percent}
	if p.cancellable {
		v.Cancellable = &p.cancellable
	}
	if message != "" {
		v.Message = &message
	}
	p.notify(v, "")
}

// report shows how far work is, at intervals.
func (p *progress) report(message string, percent uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if !p.begun || p.ended || now.Sub(p.last) < p.s.host.o.ProgressInterval {
		return
	}
	p.last, p.percent = now, max(percent, p.percent)
	shown := p.percent
	p.notify(&protocol.WorkDoneProgressReport{Kind: "report", Message: &message, Percentage: &shown}, p.key)
}

func (p *progress) end(message string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.begun || p.ended {
		p.ended = true
		return
	}
	p.ended = true
	v := &protocol.WorkDoneProgressEnd{Kind: "end"}
	if message != "" {
		v.Message = &message
	}
	p.notify(v, "")
}

// showIndexing shows the client every index of a root while the session lasts.
func (s *session) showIndexing(r *root) {
	var current *progress // touched by the observer only, which is called in order
	stop := r.index.observe(func(at lsp.Progress, run *indexRun) {
		title, message := "Indexing "+filepath.Base(r.ws.Root()), progressMessage(at)
		if current == nil && run == nil && s.agreed.Load().caps.progress {
			current = s.newProgress(protocol.String(fmt.Sprintf("cytisus-index-%d-%d", s.id, s.tokens.Add(1))))
			s.beginCreated(current, title, message, progressPercent(at))
		}
		if run == nil {
			if current != nil {
				current.report(message, progressPercent(at))
			}
			return
		}
		end := summaryMessage(run.summary)
		kind := protocol.MessageTypeInfo
		if run.err != nil {
			end, kind = "failed: "+run.err.Error(), protocol.MessageTypeError
		}
		if current != nil {
			current.end(end)
			current = nil
		}
		if !closed(run.err) {
			s.tell(kind, run.err != nil, fmt.Sprintf("%s: index of %s: %s", s.host.o.Name, r.ws.Root(), end))
		}
		if missing := run.summary.Missing; run.err == nil && len(missing) > 0 {
			message := missingMessage(missing)
			s.tell(protocol.MessageTypeWarning, s.pub.firstTime("missing "+r.prefix), fmt.Sprintf("%s: %s is not read whole: %s", s.host.o.Name, r.ws.Root(), message))
		}
	})
	s.begin(func(ctx context.Context) { <-ctx.Done(); stop() })
}

// beginCreated asks the client to create a token and begins when it has.
func (s *session) beginCreated(p *progress, title, message string, percent uint32) {
	s.begin(func(ctx context.Context) {
		if err := s.conn.Call(ctx, methodProgressCreate, &protocol.WorkDoneProgressCreateParams{Token: p.token}, nil); err != nil {
			if ctx.Err() == nil {
				s.log.Warn("server: the client refuses a progress token", "err", err)
			}
			return
		}
		p.begin(title, message, percent)
	})
}

// withProgress shows a request's work on the token that the client gave with it, if it
// did. While the root is being indexed, that is what the request may be waiting for.
func (s *session) withProgress(token protocol.ProgressToken, title string, r *root, work dispatch.Work) dispatch.Work {
	if token == nil {
		return work
	}
	p := s.newProgress(token)
	p.cancellable = true
	return func(ctx context.Context) (any, error) {
		ctx, done := s.shown.begin(ctx, p.key)
		defer done()
		p.begin(title, "", 0)
		stop := r.index.observe(func(at lsp.Progress, run *indexRun) {
			if run == nil {
				p.report("indexing: "+progressMessage(at), progressPercent(at))
			}
		})
		defer p.end("")
		defer stop()
		return work(ctx)
	}
}

func progressMessage(p lsp.Progress) string {
	switch {
	case p.UnitsTotal > 0:
		return fmt.Sprintf("%s: %d of %d %s", p.Phase, p.UnitsDone, p.UnitsTotal, p.Unit)
	case p.FilesTotal > 0:
		return fmt.Sprintf("%s: %d of %d files", p.Phase, p.FilesDone, p.FilesTotal)
	}
	return p.Phase
}

// progressPercent maps an index to 0 to 100: files are read in the first tenth, units
// make up the rest.
func progressPercent(p lsp.Progress) uint32 {
	part := func(done, total, width int) uint32 {
		if total <= 0 {
			return 0
		}
		return uint32(min(max(done, 0), total) * width / total)
	}
	if p.UnitsTotal > 0 {
		return 10 + part(p.UnitsDone, p.UnitsTotal, 90)
	}
	return part(p.FilesDone, p.FilesTotal, 10)
}

// missingMax is how much of what an index lacks is shown.
const missingMax = 3

func missingMessage(missing []string) string {
	message := strings.Join(missing[:min(len(missing), missingMax)], "; ")
	if more := len(missing) - missingMax; more > 0 {
		message += fmt.Sprintf("; and %d more", more)
	}
	return message
}

func summaryMessage(s lsp.Summary) string {
	share := 0.0
	if all := s.Ran + s.Reused; all > 0 {
		share = 100 * float64(s.Reused) / float64(all)
	}
	units := ""
	if s.Units > 0 {
		units = fmt.Sprintf("%d %s, ", s.Units, s.Unit)
	}
	return fmt.Sprintf("%s%d files, %d diagnostics in %v, %.0f %% reused", units, s.Files, s.Diagnostics, s.Wall.Round(time.Millisecond), share)
}
