package runtime

import (
	"errors"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/cytisus/cytisus/mmapcas/vfs"
	"github.com/cytisus/cytisus/runtime/account"
	"github.com/cytisus/cytisus/runtime/lane"
)

// A diskLimit holds Options.DiskLimit: see "Limits" in the package comment, L1 to L4.
type diskLimit struct {
	quota *vfs.Quota // nil: there is none

	refused atomic.Uint64 // how often something was refused
	seen    uint64        // the keeper's own: of these, when the last collection began
	gen     uint64        // the keeper's own: the generation then
}

// limitDisk puts the files of a store under the limit.
func (e *Engine) limitDisk(dir string) error {
	if e.o.DiskLimit == 0 || dir == "" {
		return nil
	}
	var fs vfs.FS = vfs.OS{}
	if e.o.fs != nil {
		fs = e.o.fs
	}
	q, err := vfs.NewQuota(fs, dir, e.o.DiskLimit)
	if err != nil {
		return err
	}
	e.disk.quota, e.o.fs = q, q
	return nil
}

// near reports whether the store has three quarters of what it may.
func (d *diskLimit) near() bool {
	if d.quota == nil {
		return false
	}
	held, most := d.quota.Held()
	return held >= most/4*3
}

// due reports whether a collection is to be begun for the limit's sake, of a store with so many
// bytes, of which so many are known to be needless (L2).
func (d *diskLimit) due(stored, garbage int64, last *cycleEnd, gen uint64) bool {
	if !d.near() {
		return false
	}
	_, most := d.quota.Held()
	worth := max(most/64, diskWorth)
	if n := d.refused.Load(); n != d.seen && (garbage > 0 || last == nil || gen != d.gen) {
		return true
	}
	if last == nil {
		return stored >= most/2
	}
	return garbage >= worth || stored-last.live >= worth && stored-last.stored >= worth
}

// began notes that a collection begins.
func (d *diskLimit) began(gen uint64) { d.seen, d.gen = d.refused.Load(), gen }

// lane is where a collection runs that nobody waits for.
func (d *diskLimit) lane() lane.Lane {
	if d.near() {
		return lane.Default
	}
	return lane.Idle
}

// diskWorth is the least garbage that is a reason for a collection.
const diskWorth = 1 << 20

// limited says of an error that it is the disk limit's, and who holds what; others it returns as
// they are.
func (e *Engine) limited(err error) error {
	full, ok := errors.AsType[*vfs.QuotaError](err)
	if !ok {
		return err
	}
	e.disk.refused.Add(1)
	return &LimitError{What: "disk", Limit: full.Most, Held: full.Held, Holders: e.diskHolders(), err: err}
}

// diskHolders says what the bytes of the store's files are.
func (e *Engine) diskHolders() []account.Holder {
	st := e.store.Stats()
	segments := account.Holder{Name: "segments", Count: int64(st.Segments), Parts: []account.Holder{
		{Name: "records", Bytes: st.LiveBytes, Count: st.Records},
		{Name: "known to be garbage", Bytes: int64(e.gc.Stats().GarbageBytes)},
	}}
	reserve := account.Holder{Name: "reserve"}
	other := account.Holder{Name: "index, log and locks"}
	for name, bytes := range e.disk.quota.Files() {
		switch base := filepath.Base(name); {
		case strings.HasSuffix(base, ".seg"):
			segments.Bytes += bytes
		case strings.HasPrefix(base, "reserve"):
			reserve.Bytes += bytes
		default:
			other.Bytes += bytes
		}
	}
	return []account.Holder{segments, reserve, other}
}
