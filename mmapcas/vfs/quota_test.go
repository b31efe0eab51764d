package vfs

import (
	"errors"
	"math/rand/v2"
	"path/filepath"
	"testing"
)

// A quota lets through what fits, refuses the rest as a full disk does, and its count is that of
// the files, whatever is done to them.
func TestQuota(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 0))
		mem := NewMem()
		const dir, limit = "/store", 10_000
		if err := mem.MkdirAll(dir); err != nil {
			t.Fatal(err)
		}
		before, err := mem.Create(filepath.Join(dir, "before"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := before.WriteAt(make([]byte, 1000), 0); err != nil {
			t.Fatal(err)
		}
		q, err := NewQuota(mem, dir, limit)
		if err != nil {
			t.Fatal(err)
		}
		files := map[string]File{}
		size := map[string]int64{"before": 1000}
		refused, grown := 0, 0
		for range 300 {
			name := []string{"a", "b", "c"}[rng.IntN(3)]
			f := files[name]
			path := filepath.Join(dir, name)
			var all int64
			for _, n := range size {
				all += n
			}
			switch what := rng.IntN(6); {
			case f == nil:
				if files[name], err = q.Create(path); err != nil {
					t.Fatal(err)
				}
				size[name] = 0
			case what < 3:
				to := int64(rng.IntN(6000))
				if what == 0 {
					err = f.Allocate(min(size[name], to), to)
				} else {
					_, err = f.WriteAt(make([]byte, to), 0)
				}
				if fits := to <= size[name] || all-size[name]+to <= limit; fits != (err == nil) {
					t.Fatalf("seed %d: %s of %d bytes, of %d in all, to have %d: %v", seed, name, size[name], all, to, err)
				}
				var full *QuotaError
				if err != nil {
					if refused++; !NoSpace(err) || !errors.As(err, &full) || full.Held != all {
						t.Fatalf("seed %d: refused with %v while %d bytes are held", seed, err, all)
					}
					continue
				}
				grown++
				size[name] = max(size[name], to)
			case what == 3:
				n := size[name] / 2
				if err := f.Truncate(n); err != nil {
					t.Fatal(err)
				}
				size[name] = n
			case what == 4:
				if err := errors.Join(f.Close(), q.Remove(path)); err != nil {
					t.Fatal(err)
				}
				delete(files, name)
				delete(size, name)
			default:
				if files["d"] != nil {
					files["d"].Close()
				}
				f.Close()
				if err := q.Rename(path, filepath.Join(dir, "d")); err != nil {
					t.Fatal(err)
				}
				size["d"] = size[name]
				delete(files, name)
				delete(size, name)
			}
			var want int64
			for _, n := range size {
				want += n
			}
			if held, most := q.Held(); held != want || most != limit || held > limit {
				t.Fatalf("seed %d: %d bytes are held of %d, want %d", seed, held, most, want)
			}
		}
		if refused == 0 || grown == 0 {
			t.Errorf("seed %d: %d refused, %d grown", seed, refused, grown)
		}
	}
}
