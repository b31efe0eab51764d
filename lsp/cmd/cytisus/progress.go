package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"github.com/cytisus/cytisus/lsp"
)

// A meter shows how far a long piece of work is.
type meter interface {
	update(lsp.Progress)
	done()
}

// newMeter returns the meter that --progress asks for; auto is a bar on a terminal and plain lines
// elsewhere.
func (a *app) newMeter() (meter, error) {
	kind := a.flags.progress
	if kind == "auto" {
		kind = "plain"
		if f, ok := a.err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
			kind = "bar"
		}
	}
	switch kind {
	case "bar":
		return newBar(a.err), nil
	case "plain":
		return &plainMeter{w: a.err, started: time.Now()}, nil
	case "none":
		return noMeter{}, nil
	}
	return nil, &usageError{fmt.Errorf("--progress is %q, want auto, bar, plain or none", a.flags.progress)}
}

type noMeter struct{}

func (noMeter) update(lsp.Progress) {}
func (noMeter) done()               {}

// A barMeter is one bar over units once their number is known, over files before.
type barMeter struct {
	mu      sync.Mutex
	started time.Time
	p       *mpb.Progress
	bar     *mpb.Bar
	last    lsp.Progress // guarded by mu
	pace    pace         // guarded by mu
}

func newBar(w io.Writer) *barMeter {
	m := &barMeter{started: time.Now()}
	m.p = mpb.New(mpb.WithOutput(w), mpb.WithWidth(40), mpb.WithRefreshRate(100*time.Millisecond))
	m.bar = m.p.New(0,
		mpb.BarStyle().Lbound("[").Filler("=").Tip(">").Padding(" ").Rbound("]"),
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return fmt.Sprintf("%-9s", m.snapshot().Phase) })),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return m.counts() })),
	)
	return m
}

func (m *barMeter) snapshot() lsp.Progress {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.last
}

func (m *barMeter) counts() string {
	p := m.snapshot()
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.pace.describe(p, time.Since(m.started))
}

func (m *barMeter) update(p lsp.Progress) {
	m.mu.Lock()
	m.last = p
	m.mu.Unlock()
	done, total := p.UnitsDone, p.UnitsTotal
	if total == 0 {
		done, total = p.FilesDone, p.FilesTotal
	}
	m.bar.SetTotal(int64(max(total, done+1)), false)
	m.bar.SetCurrent(int64(done))
}

func (m *barMeter) done() {
	m.bar.Abort(true)
	m.p.Wait()
}

// plainEvery is how often lines are printed where no bar can be drawn.
const plainEvery = time.Second

// A plainMeter prints a line for each new phase, and one each second.
type plainMeter struct {
	w       io.Writer
	started time.Time
	phase   string
	printed time.Time
	pace    pace
}

func (m *plainMeter) update(p lsp.Progress) {
	now := time.Now()
	if p.Phase == m.phase && now.Sub(m.printed) < plainEvery {
		return
	}
	m.phase, m.printed = p.Phase, now
	fmt.Fprintf(m.w, "%-9s %s\n", p.Phase, m.pace.describe(p, now.Sub(m.started)))
}

func (m *plainMeter) done() {}

// A pace tells how fast units are done. The time before the first one, in which files were read
// and packages listed, says nothing about the others.
type pace struct {
	begun bool
	from  time.Duration // spent when units began to be checked
}

// describe gives the counts, and the rate and the time left once they can be told.
func (e *pace) describe(p lsp.Progress, spent time.Duration) string {
	s := ""
	if p.FilesTotal > 0 {
		s += fmt.Sprintf("%d/%d files  ", p.FilesDone, p.FilesTotal)
	} else if p.FilesDone > 0 {
		s += fmt.Sprintf("%d files  ", p.FilesDone)
	}
	if p.UnitsTotal > 0 {
		if !e.begun {
			e.begun, e.from = true, spent
		}
		s += fmt.Sprintf("%d/%d %s  ", p.UnitsDone, p.UnitsTotal, p.Unit)
		if in := (spent - e.from).Seconds(); in >= 1 && p.UnitsDone >= max(3, p.UnitsTotal/20) {
			rate := float64(p.UnitsDone) / in
			left := time.Duration(float64(p.UnitsTotal-p.UnitsDone) / rate * float64(time.Second))
			s += fmt.Sprintf("%.0f/s  %s left  ", rate, left.Round(time.Second))
		}
	}
	return s + spent.Round(100*time.Millisecond).String()
}
