package mmapcas

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	goruntime "runtime"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/epoch"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// A SyncMode says what waits for the disk. The package comment says what each survives.
type SyncMode uint8

const (
	// SyncNone never waits; the system writes when it likes.
	SyncNone SyncMode = iota
	// SyncGroup waits in Commit, for everything put before.
	SyncGroup
	// SyncEvery waits in every Put and PutBatch too.
	SyncEvery
)

func (s SyncMode) String() string {
	switch s {
	case SyncNone:
		return "none"
	case SyncGroup:
		return "group"
	case SyncEvery:
		return "every"
	}
	return fmt.Sprintf("SyncMode(%d)", uint8(s))
}

// Options tells Open how to run a store. The zero value works.
type Options struct {
	// Epochs is the clock that mapped memory is given back by. Nil means a domain of the store's
	// own. A domain that is handed in is the caller's to reap: memory of old index tables goes when
	// its Collect is called.
	Epochs *epoch.Domain
	// SegmentBytes is the size of a segment file, a power of two from 64 KiB to 4 GiB. Zero means
	// what arena.Options takes, 64 MiB as a rule. Fixed when a store is made; a store that exists
	// keeps its own.
	SegmentBytes int64
	// ReserveBytes is how much address space to reserve, which bounds the size of the store. Zero
	// means 1 TiB, or what the limits of the process permit.
	ReserveBytes int64
	// Appenders bounds how many goroutines put at the same time, and with it the number of segments
	// being filled. Zero means GOMAXPROCS.
	Appenders int
	// Sync is what waits for the disk.
	Sync SyncMode
	// FS is the file system. Nil means the operating system's.
	FS vfs.FS
	// Table selects the portable form of mapping, which systems without placed mappings use anyway.
	Table bool
	// Logger hears about damage, recovery and collections. Nil means silence.
	Logger *slog.Logger
	// ReadOnly opens a store that exists, beside other readers, and changes nothing on disk.
	ReadOnly bool
	// MustExist opens a store that exists, and makes none: ErrNoStore if there is none. ReadOnly
	// implies it.
	MustExist bool
	// Compress lists the kinds whose payloads are compressed when they are put, each by itself, if
	// they have 512 bytes to 8 MiB and that saves an eighth. A put of such a one takes some 6 us
	// for each KB more, a read some 1.5 us. What is stored can be read whatever this says.
	Compress []Kind
	// Frugal opens the store as after Store.SetFrugal.
	Frugal bool

	// unproven leaves the proof of statements out: tests show that it is needed.
	unproven bool
	// SaveIndexBytes is how much must have been committed since the index was saved for it to be
	// saved again. Zero means 16 MiB while the store is open and 256 KiB at Close, each with a
	// share of what is saved already.
	SaveIndexBytes int64
	// Name is what others read about the holder of the store's lock. Empty means the program's
	// name.
	Name string
}

func (o Options) withDefaults(dir string) Options {
	if o.Epochs == nil {
		o.Epochs = epoch.NewDomain()
	}
	if o.Appenders == 0 {
		o.Appenders = goruntime.GOMAXPROCS(0)
	}
	if o.FS == nil {
		o.FS = vfs.OS{}
	}
	if dir == "" && arena.Race {
		o.Table = true // heap memory, which the race detector watches
	}
	if o.FS.Table() {
		o.Table = true
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Name == "" {
		o.Name = filepath.Base(os.Args[0])
	}
	return o
}

// Validate reports what is wrong with the options, if anything.
func (o Options) Validate() error {
	if o.Appenders < 0 || o.Appenders > 1024 {
		return fmt.Errorf("mmapcas: Appenders is %d, want 0 to 1024", o.Appenders)
	}
	if o.SaveIndexBytes < 0 {
		return fmt.Errorf("mmapcas: SaveIndexBytes is %d, want 0 or more", o.SaveIndexBytes)
	}
	if o.Sync > SyncEvery {
		return fmt.Errorf("mmapcas: Sync is %d, want SyncNone, SyncGroup or SyncEvery", o.Sync)
	}
	return o.arena().Validate()
}

func (o Options) arena() arena.Options {
	return arena.Options{SegmentBytes: o.SegmentBytes, ReserveBytes: o.ReserveBytes, Table: o.Table}
}
