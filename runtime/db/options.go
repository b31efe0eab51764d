package db

import (
	"log/slog"

	"github.com/cytisus/cytisus/mmapcas"
)

// Options of a database; the zero value works.
type Options struct {
	// Durable makes Commit return only when the chunk is durable, by one mmapcas.Store.Commit for
	// all chunks of a turn. Without it a chunk survives the process but perhaps not a power cut
	// until the next checkpoint.
	Durable bool

	// Volatile keeps no log and makes no checkpoints on its own: for a store that does not outlive
	// the process.
	Volatile bool

	// ReadOnly writes nothing: no commits, no new partitions, no checkpoints. What a crash left is
	// replayed in memory.
	ReadOnly bool

	// Refs returns what a record that is a value refers to; payload is valid during the call only.
	// A commit that a power cut has left without some of that is not replayed. Nil: values refer to
	// nothing.
	Refs func(kind mmapcas.Kind, payload []byte) []Hash

	// CheckpointCommits is the number of logged chunks after which a checkpoint is made in the
	// background. Zero means 16384, negative never.
	CheckpointCommits int

	// CheckpointBytes is the size of the log, in bytes, after which a checkpoint is made in the
	// background. Zero means 32 MiB, negative never.
	CheckpointBytes int64

	// CacheBytes bounds the clean nodes kept in memory, checked after each checkpoint and when a
	// quarter of it, or 1 MiB if that is more, was loaded since. So many bytes of leaves that
	// commits have made, or 16 MiB if that is more, are a reason for a checkpoint, too, unless
	// CheckpointBytes is negative. Zero means 256 MiB, negative no bound.
	CacheBytes int64

	// PointCacheBytes bounds the memory, off the Go heap, in which the answers of exact reads (Get,
	// GetBatch, Latest) are kept for the next time. It grows from 64 KiB as it is used. The size
	// counts as the next lower power of two; a sixteenth of it comes on top. Zero means 64 MiB,
	// which is 1.5 million keys, negative none.
	PointCacheBytes int64

	// History is the number of generations before the newest that SnapshotAt can still read. They
	// hold memory and records as snapshots do. Zero: only those that somebody holds a snapshot of.
	History int

	// ReplacedMax bounds the notes kept for Replaced; beyond it the oldest are dropped and counted.
	// Zero means 1 << 20.
	ReplacedMax int

	// Logger gets what Open repaired, failed background checkpoints and resets. Nil means
	// slog.Default().
	Logger *slog.Logger

	pointTreeMin uint64 // least entries of a tree whose reads are kept; tests make it small. Zero means pointTreeMin

	fan       int   // applier.fan; tests make it small. Zero means fanMax
	loadedMin int64 // least bytes of loaded nodes that are a reason to look; tests make it small. Zero means 1 MiB
}

func (o *Options) fill() {
	if o.CheckpointCommits == 0 {
		o.CheckpointCommits = 16384
	}
	if o.CheckpointBytes == 0 {
		o.CheckpointBytes = 32 << 20
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 256 << 20
	}
	if o.PointCacheBytes == 0 {
		o.PointCacheBytes = 64 << 20
	}
	if o.pointTreeMin == 0 {
		o.pointTreeMin = pointTreeMin
	}
	if o.ReplacedMax <= 0 {
		o.ReplacedMax = 1 << 20
	}
	if o.loadedMin == 0 {
		o.loadedMin = 1 << 20
	}
	if o.fan == 0 {
		o.fan = fanMax
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
}
