package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/cytisus/cytisus/benchmarks/compare"
)

// OpenSuite compares how long it takes from opening a store to the first answer. Its cases:
//
//	clean    after everything was committed and the store closed
//	killed   as files lie when the process that put and committed everything is killed: a copy of
//	         them, since opening changes them
//
// -n is the number of records of 128 bytes; 6,700,000 of them are 1 GB of ours. Pages are in
// memory. A round opens, reads one record, and is timed up to there; then it checks some more and
// closes. Bolt writes nothing at close, so that its killed files are as good as any; Pebble works
// in the background, and a copy of its files would not be what a killed process leaves.
func OpenSuite() compare.Suite {
	return compare.Suite{Name: "open", Doc: "from opening a store to the first answer: after closing, after a kill", Cases: openCases}
}

func openCases(env *compare.Env) ([]compare.Case, error) {
	d := newData(env, env.Size(1_000_000, 2000))
	filled := map[string]*filledStore{}
	fill := func(ctx context.Context, m maker) (*filledStore, error) {
		if f := filled[m.name]; f != nil {
			return f, nil
		}
		f, err := fillStore(ctx, env, m, d)
		filled[m.name] = f
		return f, err
	}
	ms := func(name string, killed bool, who ...string) compare.Case {
		c := compare.Case{Name: name, Columns: []compare.Column{{Unit: "ms"}}}
		for _, m := range makers {
			for _, w := range who {
				if m.name != w {
					continue
				}
				c.Entrants = append(c.Entrants, compare.Entrant{
					Name: m.name, Ours: m.ours, Skip: m.skip,
					Start: func(ctx context.Context) (compare.Session, error) {
						f, err := fill(ctx, m)
						if err != nil {
							return compare.Session{}, err
						}
						return compare.Session{Round: func(ctx context.Context) ([]float64, error) {
							return openRound(ctx, env, m, d, f, killed)
						}}, nil
					},
				})
			}
		}
		return c
	}
	return []compare.Case{
		ms("clean", false, "cytisus-mmapcas", "bbolt", "pebble-v2"),
		ms("killed", true, "cytisus-mmapcas", "bbolt"),
	}, nil
}

// A filledStore is a store on disk: closed, and as a killed process would have left it.
type filledStore struct{ closed, killed string }

func fillStore(ctx context.Context, env *compare.Env, m maker, d *data) (*filledStore, error) {
	f := &filledStore{}
	var err error
	if f.closed, err = env.TempDir(m.name); err != nil {
		return nil, err
	}
	c, err := m.open(ctx, f.closed, len(d.records), false)
	if err != nil {
		return nil, err
	}
	// Committed now and then, as a program does, the last time a while before the end.
	for at := 0; at < len(d.records); at += openCommit {
		if _, err := load(c, d.records[at:min(at+openCommit, len(d.records))]); err != nil {
			return nil, err
		}
		if s, ok := c.(settler); ok {
			if err := s.settle(); err != nil {
				return nil, err
			}
		}
	}
	if f.killed, err = env.TempDir(m.name); err != nil {
		return nil, err
	}
	// Saves in the background, ours, have come to an end by now or count as interrupted.
	if err := copyDir(f.closed, f.killed); err != nil {
		return nil, err
	}
	return f, c.close()
}

// openCommit is how many records are put between two commits.
const openCommit = 50_000

func openRound(ctx context.Context, env *compare.Env, m maker, d *data, f *filledStore, killed bool) ([]float64, error) {
	dir := f.closed
	if killed {
		var err error
		if dir, err = env.TempDir(m.name); err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		if err := copyDir(f.killed, dir); err != nil {
			return nil, err
		}
	}
	began := time.Now()
	c, err := m.open(ctx, dir, len(d.records), false)
	if err != nil {
		return nil, err
	}
	r, err := c.reader()
	if err != nil {
		return nil, err
	}
	first := d.probes[0]
	sum, ok := r.get(&first.key)
	took := time.Since(began)
	if !ok || sum != int(first.sum) {
		return nil, fmt.Errorf("wrong answer: %d, %v", sum, ok)
	}
	if err := r.close(); err != nil {
		return nil, err
	}
	if err := spotCheck(c, d.records); err != nil {
		return nil, err
	}
	return []float64{float64(took.Nanoseconds()) / 1e6}, c.close()
}

func copyDir(from, to string) error {
	list, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range list {
		err := copyFile(filepath.Join(from, e.Name()), filepath.Join(to, e.Name()))
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // a temporary file that has got its name meanwhile
			return err
		}
	}
	return nil
}

func copyFile(from, to string) (err error) {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	if cerr := dst.Close(); err == nil {
		err = cerr
	}
	return err
}
