package db

import "sync/atomic"

type counters struct {
	turns, chunks, unchanged, changes      atomic.Uint64
	checkpoints, nodesWritten, nodesLoaded atomic.Uint64
	logBytes, damaged                      atomic.Uint64
	cachedBytes, logChunks                 atomic.Int64
}

// Stats is what a database counts. Counters begin at zero with Open.
type Stats struct {
	Generation     uint64
	Partitions     []PartitionStats // by ID
	Snapshots      int              // held now
	OldestSnapshot uint64           // generation

	Turns     uint64 // in which chunks were applied; Chunks/Turns tells how well commits combine
	Chunks    uint64 // that changed something
	Unchanged uint64 // that did not
	Changes   uint64 // keys changed

	LogBytes     uint64 // written
	LogChunks    int    // since the newest checkpoint
	Checkpoints  uint64
	NodesWritten uint64
	NodesLoaded  uint64
	CachedBytes  int64 // nodes in memory, as of the newest checkpoint

	LostChunks      uint64 // that Open knew of, and could not replay: they are damaged, or lie behind one that is
	Damaged         uint64 // reads that met damage
	Replaced        int    // notes waiting for Replaced
	ReplacedDropped uint64
}

// PartitionStats describes one partition as it is now.
type PartitionStats struct {
	ID          PartID
	Name        string
	Side        bool
	Entries     uint64
	LastChanged uint64 // generation
}

// Stats returns the counters. It reads no tree and waits for nobody.
func (d *DB) Stats() Stats {
	// In this order: every partition of a state is in a catalog that is loaded later.
	cur, side := d.current.Load(), d.side.Load()
	cat := d.catalog.Load()
	s := Stats{
		Generation: cur.gen, Snapshots: d.Snapshots(), OldestSnapshot: d.OldestSnapshot(),
		Turns: d.counts.turns.Load(), Chunks: d.counts.chunks.Load(), Unchanged: d.counts.unchanged.Load(), Changes: d.counts.changes.Load(),
		LogBytes: d.counts.logBytes.Load(), LogChunks: int(d.counts.logChunks.Load()),
		Checkpoints: d.counts.checkpoints.Load(), NodesWritten: d.counts.nodesWritten.Load(), NodesLoaded: d.counts.nodesLoaded.Load(),
		CachedBytes: d.counts.cachedBytes.Load(), Damaged: d.counts.damaged.Load(), LostChunks: d.lostChunks,
	}
	for _, def := range cat.defs[1:] {
		st := cur
		if def.side {
			st = side
		}
		p := PartitionStats{ID: def.id, Name: def.name, Side: def.side, Entries: st.tree(def.id).entries()}
		if t := st.tree(def.id); t != nil {
			p.LastChanged = t.changed
		}
		s.Partitions = append(s.Partitions, p)
	}
	s.Replaced, s.ReplacedDropped = d.old.waiting()
	return s
}
