// Package inside is the door through which packages beside package runtime see what is no part of
// its face. Package runtime opens it: its init sets the variables, whose values of type any are of
// its own types.
package inside

import (
	"context"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/mmapcas/vfs"
	"github.com/cytisus/cytisus/runtime/account"
	"github.com/cytisus/cytisus/runtime/db"
	"github.com/cytisus/cytisus/runtime/gc"
	"github.com/cytisus/cytisus/runtime/sched"
)

// An Engine is a runtime.Engine from within.
type Engine struct {
	DB        *db.DB
	Store     *mmapcas.Store
	Collector *gc.Collector
	Scheduler *sched.Pool

	// Account says who holds the memory of the process.
	Account func() account.Account
	// Answers says what the answers of each query take in memory and in the store.
	Answers func() ([]Answers, error)
	// Admit says why the engine does not take a call, which is named, with its context.
	Admit func(ctx context.Context, call string) error
	// NotInCommit says why a call is not taken from the function of a commit, for which it would
	// wait.
	NotInCommit func(call string) error
	// Flush writes what is known of answers and not stored yet.
	Flush func(ctx context.Context)
	// Durability is that of the partition of a name, a runtime.Durability.
	Durability func(partition string) any
}

// Answers are those of a query.
type Answers struct {
	Query           string
	InMemory, Heap  int64 // keys, and bytes
	InStore, Stored int64 // keys, and bytes
}

var (
	// Of looks into a *runtime.Engine.
	Of func(engine any) *Engine

	// Simulated returns runtime.Options of an engine whose workers are a simulation and whose store
	// lies in a file system.
	Simulated func(options any, how *sched.Deterministic, in vfs.FS) any

	// Public makes an error of a lower package one that matches those of package runtime.
	Public func(error) error

	// Span is what a runtime.Pattern and []runtime.ReadOption mean.
	Span func(pattern, options any) db.Span

	// CursorAfter is the runtime.Cursor after a key.
	CursorAfter func(key string) any

	// Decode reads a record as the program's definition of the partition does. Known is false if
	// there is none, or more than one.
	Decode func(partition string, kind mmapcas.Kind, payload []byte) (v any, known bool, err error)

	// Plain returns the bytes of a record of a value without what the engine has put around them:
	// as they were given, or as CBOR with names of fields. OK is false for records of other kinds.
	Plain func(kind mmapcas.Kind, payload []byte) (p []byte, ok bool, err error)
)
