package compare

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// A Suite is a list of cases under one name.
type Suite struct {
	Name string
	Doc  string // one line, for the list of suites

	// Cases makes the cases for one run. What they share (a loaded store) is made here or on first
	// use, and given back through Env.Cleanup.
	Cases func(*Env) ([]Case, error)

	// RoundMax bounds the start and each round of one entrant where the plan says nothing. Zero
	// means two minutes.
	RoundMax time.Duration
}

// ErrAbsent is in the error of a Start that finds that what it needs is not to be had here: a
// program that cannot be fetched, or source code. A peer is skipped then, and the whole case if the
// entrant is ours.
var ErrAbsent = errors.New("not to be had here")

// A Case is one question, asked of all its entrants.
type Case struct {
	Name string

	// Columns are the figures that one round gives; each makes rows of its own. Most cases have
	// one.
	Columns []Column

	// Entrants has exactly one that is Ours.
	Entrants []Entrant
}

// A Column is one figure of a round.
type Column struct {
	Suffix string // added to the case's name, "" for the only column
	Unit   string // "ns/item"
}

// An Entrant is ours or a peer.
type Entrant struct {
	Name string
	Ours bool

	// Skip, if not empty, says why this entrant cannot take part here.
	Skip string

	// Rounds bounds the rounds of an entrant that is very much slower than the others. Zero means
	// no bound.
	Rounds int

	// Start prepares the entrant; what it costs is not measured.
	Start func(context.Context) (Session, error)
}

// A Session is an entrant at work in one case.
type Session struct {
	// Round does the work once and returns a figure for each column of the case, NaN where there is
	// none. It checks what it computed (C1).
	Round func(context.Context) ([]float64, error)

	// Close gives back what Start took; it may be nil.
	Close func() error
}

// Env is what a suite may know about the run it is part of.
type Env struct {
	// N scales the suite: records, keys, items. Zero means the suite's default.
	N int

	// Quick asks for a run of seconds that shows that everything works; its figures mean nothing.
	Quick bool

	// Seed makes keys, values and orders. Equal seeds make equal data.
	Seed uint64

	// Dir is an empty directory for files, removed after the run.
	Dir string

	// Logf writes a line to the log.
	Logf func(format string, args ...any)

	cleanups []func() error
}

// Size returns N if it was given, else the quick or the usual default.
func (e *Env) Size(usual, quick int) int {
	switch {
	case e.N > 0:
		return e.N
	case e.Quick:
		return quick
	default:
		return usual
	}
}

// Rand returns a source for one purpose; every call with the same purpose returns the same
// sequence.
func (e *Env) Rand(purpose uint64) *rand.Rand { return rand.New(rand.NewPCG(e.Seed, purpose)) }

// TempDir makes a fresh directory under Dir.
func (e *Env) TempDir(name string) (string, error) {
	return os.MkdirTemp(e.Dir, filepath.Base(name)+"-")
}

// Cleanup registers fn to run after the suite's last case, last registered first.
func (e *Env) Cleanup(fn func() error) { e.cleanups = append(e.cleanups, fn) }
