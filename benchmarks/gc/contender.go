package gc

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"github.com/cytisus/cytisus/benchmarks/compare"
)

// A contender keeps values under keys.
type contender interface {
	// overwrite gives keys new values, in one commit.
	overwrite(ctx context.Context, keys []string, values [][]byte) error

	get(key string) ([]byte, error)

	// collect takes back all that can be.
	collect(ctx context.Context) error

	close() error
}

// A maker makes a contender that keeps its files, if it has some, in dir.
type maker struct {
	name  string
	ours  bool
	open  func(dir string) (contender, error)
	files bool

	// reclaims reports whether processor time with these labels, below this function, takes back
	// space.
	reclaims func(labels map[string][]string, origin string) bool
}

const (
	valueBytes  = 64
	commitKeys  = 10   // overwrites in one commit
	loadKeys    = 1000 // keys in one commit of the load
	checkedKeys = 1000 // read back after a round
)

// A world is a contender, and what it should hold.
type world struct {
	contender
	dir      string
	versions []uint32 // of each key's value, 0 for none
	rng      *rand.Rand
	keys     []string
	values   [][]byte
}

func keyOf(i int) string { return fmt.Sprintf("%08d", i) }

// appendValue appends the value of a key in a version.
func appendValue(dst []byte, i int, version uint32) []byte {
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], uint64(i))
	binary.LittleEndian.PutUint32(seed[8:], version)
	var value [valueBytes]byte
	_, _ = rand.NewChaCha8(seed).Read(value[:])
	return append(dst, value[:]...)
}

// newWorld opens a contender and gives n keys their first values.
func newWorld(ctx context.Context, env *compare.Env, m maker, n int) (*world, error) {
	dir, err := env.TempDir(m.name)
	if err != nil {
		return nil, err
	}
	c, err := m.open(dir)
	if err != nil {
		return nil, err
	}
	w := &world{contender: c, dir: dir, versions: make([]uint32, n), rng: env.Rand(1)}
	for from := 0; from < n; from += loadKeys {
		w.begin()
		for i := from; i < min(from+loadKeys, n); i++ {
			w.add(i)
		}
		if err := w.commit(ctx); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// begin begins a commit; add makes a new value for a key in it.
func (w *world) begin() { w.keys, w.values = w.keys[:0], w.values[:0] }

func (w *world) add(i int) {
	w.versions[i]++
	w.keys = append(w.keys, keyOf(i))
	w.values = append(w.values, appendValue(nil, i, w.versions[i]))
}

func (w *world) commit(ctx context.Context) error { return w.overwrite(ctx, w.keys, w.values) }

// next makes a commit of random keys, but does not commit it.
func (w *world) next() {
	w.begin()
	for range commitKeys {
		w.add(w.rng.IntN(len(w.versions)))
	}
}

// some commits so many overwrites of random keys, and calls after, if it is not nil, after each
// commit.
func (w *world) some(ctx context.Context, overwrites int, after func(done int) error) error {
	for done := 0; done < overwrites; done += commitKeys {
		w.next()
		if err := w.commit(ctx); err != nil {
			return err
		}
		if after != nil {
			if err := after(done); err != nil {
				return err
			}
		}
	}
	return nil
}

// check reads random keys back.
func (w *world) check() error {
	for range min(checkedKeys, len(w.versions)) {
		i := w.rng.IntN(len(w.versions))
		got, err := w.get(keyOf(i))
		if err != nil {
			return err
		}
		if want := appendValue(nil, i, w.versions[i]); !bytes.Equal(got, want) {
			return fmt.Errorf("wrong answer: key %d is %x, want %x", i, got, want)
		}
	}
	return nil
}
