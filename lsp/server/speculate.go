package server

import (
	"context"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

const (
	// guessLasts is how long after a question it is worth while to work out what may be asked next:
	// about as long as it takes to open a file and move the mouse in it. Under load a guess has not
	// begun by then, and never does.
	guessLasts = 5 * time.Second

	// guessAfter is how long the next jump has to come. In a stream of them, as a program sends
	// it, no guess takes time from the question that follows. A person takes longer.
	guessAfter = 30 * time.Millisecond

	// guessPlaces bounds how many places of an answer are looked into.
	guessPlaces = 4
)

// A latest tells the last of those who came from those before it.
type latest struct{ turn atomic.Uint64 }

// come is called by who comes. What it returns reports whether nobody has come since.
func (l *latest) come() (isLast func() bool) {
	turn := l.turn.Add(1)
	return func() bool { return l.turn.Load() == turn }
}

// jumpLikely works out, when nothing else is to be done, what the editor asks first in a file that
// it jumps to: its outline, and what stands there. In a package that was not asked about before,
// that takes checking it. The next jump takes the place of one that is not done.
func (s *session) jumpLikely(root *root, places []lsp.Location) {
	docs := s.agreed.Load().docs
	var likely []lsp.Location
	for _, l := range places[:min(len(places), guessPlaces)] {
		if _, open := docs.Get(l.URI); !open && s.host.handles(l.URI) {
			likely = append(likely, l)
		}
	}
	if len(likely) == 0 {
		return
	}
	isLast := s.jumps.come()
	s.begin(func(ctx context.Context) {
		wait := time.NewTimer(guessAfter)
		defer wait.Stop()
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		if !isLast() {
			return
		}
		err := s.host.eng.Submit(ctx, lane.Speculative, func(t *runtime.Task) error {
			for _, l := range likely {
				// What cannot be answered is told if it is asked.
				_, _ = root.ws.Symbols(t, l.URI)
				_, _ = root.ws.Hover(t, l.URI, l.Span.Start)
				if err := t.Context().Err(); err != nil {
					return err
				}
			}
			return nil
		}, runtime.Named("likely jump"), runtime.Client(s.id), runtime.Deadline(time.Now().Add(guessLasts)),
			runtime.Supersede("likely jump "+strconv.FormatUint(s.id, 10)))
		if err != nil {
			s.log.Debug("server: likely jump not followed to its end", "err", err)
		}
	})
}
