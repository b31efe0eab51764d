package epoch

import (
	"sync"
	"sync/atomic"
)

const (
	retireShards = 8   // independent retire lists; a power of two
	batchItems   = 128 // objects in one batch
)

// A retired object waits for its epoch.
type retired struct {
	free  func()
	bytes int
	key   uint64 // for check builds; 0 = none
}

// A batch holds objects of one stamp, so that the stamp is compared once for all of them.
type batch struct {
	stamp uint64
	n     int
	items [batchItems]retired
	next  *batch
}

// A retireList is a queue of batches whose stamps never decrease (E2).
type retireList struct {
	mu    sync.Mutex
	first *batch // guarded by mu
	last  *batch // guarded by mu
	spare *batch // guarded by mu; one emptied batch kept for reuse
	count int    // guarded by mu; objects in the list
	bytes int64  // guarded by mu
	total uint64 // guarded by mu; objects ever retired here
	_     [lineBytes - 56]byte
}

// Retire hands over an object that no new reader can find any more. free runs once, from some call
// of [Domain.Collect], after every reader that may know the object has left; bytes is for reports
// and may be 0. Call it after the store that unlinks the object. Any goroutine may call it, also
// from inside a free function. free must not block for long and must not panic.
func (d *Domain) Retire(bytes int, free func()) { d.retire(0, bytes, free) }

// RetireKeyed is Retire for an object with an identity, such as its segment number or address:
// check builds panic if an object of the same key is retired again before it was freed. The key is
// not 0.
func (d *Domain) RetireKeyed(key uint64, bytes int, free func()) {
	d.debug.retired(key)
	d.retire(key, bytes, free)
}

func (d *Domain) retire(key uint64, bytes int, free func()) {
	if free == nil {
		panic("epoch: Retire of a nil free function")
	}
	l := &d.retired[stackHash()&(retireShards-1)]
	l.mu.Lock()
	stamp := d.global.Load() // under mu, so that stamps in this list never decrease (E2)
	b := l.last
	if b == nil || b.stamp != stamp || b.n == batchItems {
		b = l.grow(stamp)
	}
	b.items[b.n] = retired{free, bytes, key}
	b.n++
	l.count++
	l.bytes += int64(bytes)
	l.total++
	due := l.total%advanceEvery == 0
	l.mu.Unlock()
	if due {
		d.TryAdvance()
	}
}

// grow appends a batch for stamp. The list is locked.
func (l *retireList) grow(stamp uint64) *batch {
	b := l.spare
	if b == nil {
		b = new(batch)
	}
	l.spare = nil
	b.stamp = stamp
	if l.last == nil {
		l.first = b
	} else {
		l.last.next = b
	}
	l.last = b
	return b
}

// take removes the first batch if it may be freed in epoch g.
func (l *retireList) take(g uint64) *batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.first
	if b == nil || b.stamp+2 > g {
		return nil
	}
	l.first = b.next
	if l.first == nil {
		l.last = nil
	}
	l.count -= b.n
	for i := range b.items[:b.n] {
		l.bytes -= int64(b.items[i].bytes)
	}
	b.next = nil
	return b
}

// giveBack keeps an emptied batch for the next grow.
func (l *retireList) giveBack(b *batch) {
	clear(b.items[:b.n])
	b.n = 0
	l.mu.Lock()
	l.spare = b
	l.mu.Unlock()
}

func (l *retireList) pending() (n int, bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count, l.bytes
}

// Collect advances the epoch as far as the readers allow, at most two steps, and frees what has
// become free, on the calling goroutine. It returns the number of objects freed. With no reader
// inside, one call frees everything that was retired before it.
func (d *Domain) Collect() (freed int) {
	for range 2 {
		if !d.TryAdvance() {
			break
		}
	}
	g := d.global.Load()
	for i := range d.retired {
		l := &d.retired[i]
		for b := l.take(g); b != nil; b = l.take(g) {
			freed += d.free(b)
			l.giveBack(b)
		}
	}
	return freed
}

// free runs the free functions of a batch that has left its list (E4).
func (d *Domain) free(b *batch) int {
	var bytes uint64
	for i := range b.items[:b.n] {
		it := &b.items[i]
		d.debug.freed(it.key)
		it.free()
		bytes += uint64(it.bytes)
	}
	add(&d.freed, uint64(b.n))
	add(&d.freedBytes, bytes)
	return b.n
}

func add(c *atomic.Uint64, n uint64) {
	if n != 0 {
		c.Add(n)
	}
}
