package server

import (
	"context"
	"maps"
	"sync"

	"github.com/cytisus/cytisus/lsp/document"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

// A pulling compares what a client was told in answer to its pulls with what there is to tell when
// the workspaces have settled, and asks it to pull again where that is something else. An answer
// may rest on a state that the partition of diagnostics never showed; then no change of the
// partition says that the answer is out of date.
//
// An answer is let go once it has been compared with a state that the partition shows: from there
// on the partition's changes tell. That it is such a state is known if there was no change of
// inputs from before the workspaces settled until after the comparison. Otherwise it is compared
// again, so that a round ends with each pause in what clients and disks do.
type pulling struct {
	s *session

	mu    sync.Mutex
	told  map[string]pulled // guarded by mu: answers to be compared, by canonical URI
	going bool              // guarded by mu: a goroutine compares
}

// A pulled is what a client was told last of a file.
type pulled struct {
	doc *document.Document // nil: the client had not opened it
	id  string             // of the result
}

func (p *pulling) init(s *session) { p.s, p.told = s, make(map[string]pulled) }

// answered is called with the answer to a pull.
func (p *pulling) answered(name string, doc *document.Document, id string) {
	if !p.s.agreed.Load().caps.refreshDiagnostics {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told[name] = pulled{doc, id}
	if !p.going {
		p.going = true
		p.s.begin(p.compareAll)
	}
}

// take returns what is to be compared; without any, or at the session's end, the work has ended.
func (p *pulling) take(ctx context.Context) map[string]pulled {
	p.mu.Lock()
	defer p.mu.Unlock()
	batch := p.told
	p.told = make(map[string]pulled)
	p.going = len(batch) > 0 && ctx.Err() == nil
	if !p.going {
		return nil
	}
	return batch
}

// again puts back what has not been answered anew since it was taken.
func (p *pulling) again(batch map[string]pulled) {
	p.mu.Lock()
	defer p.mu.Unlock()
	newer := p.told
	p.told = batch
	maps.Copy(p.told, newer)
}

func (p *pulling) compareAll(ctx context.Context) {
	for batch := p.take(ctx); batch != nil; batch = p.take(ctx) {
		roots := p.s.roots()
		before := p.s.host.inputs(roots)
		for _, r := range roots {
			if err := r.settle(ctx, false); err != nil && ctx.Err() == nil && !closed(err) && !p.s.host.storeFailed(err) {
				p.s.log.Warn("server: waiting for what a pull may have passed by", "root", r.ws.Root(), "err", err)
			}
		}
		differs, err := p.compare(ctx, batch)
		switch {
		case err != nil:
			if ctx.Err() == nil && !closed(err) && !p.s.host.storeFailed(err) {
				p.s.log.Warn("server: comparing diagnostics that were pulled", "err", err)
			}
		case differs:
			p.s.pub.refresh()
		case p.s.host.inputs(roots) != before:
			p.again(batch)
		}
	}
}

// compare reports whether one of some files has other diagnostics than the client was told. A
// document that has been edited since is dropped: the client pulls it again.
func (p *pulling) compare(ctx context.Context, batch map[string]pulled) (differs bool, err error) {
	s := p.s
	// A task may go on when ctx has ended: what it finds then is nobody's.
	return runtime.Evaluate(ctx, s.host.eng, lane.Default, func(t *runtime.Task) (differs bool, err error) {
		for name, was := range batch {
			doc, _ := s.agreed.Load().docs.Get(name)
			root := s.rootOf(name)
			if doc != was.doc || root == nil {
				delete(batch, name)
				continue
			}
			q := &question{s: s, t: t, root: root, uri: name, doc: doc}
			if err := q.checkText(); err != nil {
				continue // an edit is under way, or another client's text counts
			}
			list, err := root.ws.Diagnostics(t, name)
			if err != nil && !nothing(q, err) {
				return false, err
			}
			_, id, err := q.items(list)
			if err != nil {
				return false, err
			}
			if id != was.id {
				return true, nil
			}
		}
		return false, nil
	}, runtime.Client(s.id), runtime.Named("compare diagnostics"))
}

// inputs is a number that is another one when texts or files may have changed, in the engine too.
func (h *Host) inputs(roots []*root) uint64 {
	n := h.overlays.count()
	for _, r := range roots {
		r.mu.Lock()
		n += r.reports
		r.mu.Unlock()
		_, runs, going := r.index.state()
		n += uint64(runs)
		if going {
			n++ // it ends as one more run, or fails and has changed nothing that counts
		}
	}
	return n
}
