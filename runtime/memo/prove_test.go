package memo

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

var (
	proveEdits = flag.Int("prove.edits", 500, "edits of TestNoFalseCause")
	proveSeed  = flag.Uint64("prove.seed", 0, "seed of TestNoFalseCause; 0 takes a new one")
)

// prove asks for the proof of a query's last run.
func (r *rig) prove(query, key string) Proof {
	r.t.Helper()
	var p Proof
	h := r.task(context.Background(), func(f *Frame) (err error) {
		p, err = r.table.Prove(f.strand, r.queries[query], key)
		return err
	})
	if err := h.Wait(context.Background()); err != nil {
		r.t.Fatal(err)
	}
	return p
}

func (p Proof) text() string {
	var all []string
	for _, c := range p.Changes {
		all = append(all, c.String())
	}
	slices.Sort(all)
	if p.Problem != "" {
		all = append(all, p.Problem)
	}
	if p.Due {
		all = append(all, "due")
	}
	return strings.Join(all, "; ")
}

// A cause is what changed, and no more than is needed: what changed below and made no difference is
// none of it.
func TestCauseIsMinimal(t *testing.T) {
	r := newRig(t, 1, Options{})
	p := r.partition("files")
	r.query("parity", func(f *Frame, key string) (string, error) {
		a, err := r.text(f, p, key+"/a")
		if err != nil {
			return "", err
		}
		b, err := r.text(f, p, key+"/b")
		return fmt.Sprint((len(a) + len(b)) % 2), err
	})
	r.query("list", func(f *Frame, key string) (string, error) {
		var names []string
		err := f.Scan(p, db.Span{Lo: key + "/", Hi: key + "0"}, "", false, func(key string, _ mmapcas.Hash) bool {
			names = append(names, key)
			return true
		})
		return strings.Join(names, ","), err
	})
	r.query("both", func(f *Frame, key string) (string, error) {
		s, err := r.get(f, "parity", key)
		if err != nil {
			return "", err
		}
		names, err := r.get(f, "list", key)
		return s + names, err
	})
	ask := func() {
		if err := r.ask("both", "k").Wait(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	want := func(text string) {
		t.Helper()
		if got := r.prove("both", "k").text(); got != text {
			t.Errorf("got  %s\nwant %s", got, text)
		}
	}
	want("no run of it is known")
	r.put(p, "k/a", "1", "k/b", "1")
	ask()
	want("no earlier run of it is known")
	r.put(p, "k/a", "22")
	want(`files["k/a"] changed; due`)
	ask()
	want(`files["k/a"] changed`)
	r.put(p, "k/a", "55", "k/b", "4444") // of which the first makes no difference
	r.put(p, "k/b", "333333")            // nor does the last of b
	r.put(p, "k/b", "88888888")
	ask()
	want(`files["k/b"] changed`) // against the run that gave the other parity
	r.put(p, "k/c", "new", "other", "x")
	ask()
	want(`files["k/c"] was created`)
	r.put(p, "k/a", "", "k/c", "")
	ask()
	// Without either change the answer would be another, so both are of the cause.
	if p := r.prove("both", "k"); len(p.Changes) != 2 || p.Replays < 4 {
		t.Errorf("%s, %d replays", p.text(), p.Replays)
	}
}

// After a restart the cause is what the stored traces say.
func TestCauseIsKnownAfterARestart(t *testing.T) {
	r := newRig(t, 1, Options{})
	put := r.ladder()
	for _, s := range []string{"a", "bb", "ccc"} {
		put("k", s)
		r.want("length", "k", strings.Repeat("x", len(s)))
	}
	if err := r.table.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	r.newTable(Options{})
	if got := r.prove("length", "k").text(); got != `files["k"] changed` {
		t.Errorf("the last run: %s", got)
	}
	put("k", "dddd")
	if got := r.prove("length", "k").text(); got != `files["k"] changed; due` {
		t.Errorf("the next run: %s", got)
	}
	if _, reads := r.table.Explain(r.queries["length"], "k"); !slices.Equal(reads, []string{"upper(k)"}) {
		t.Errorf("it reads %q", reads)
	}
}

// randomPrograms defines queries in layers, each a pure function that reads what chance, and what
// it has read, tell it to.
func (r *rig) randomPrograms(seed uint64, part db.PartID, keys []string) (names []string) {
	const layers, inLayer = 3, 2
	r.tabular("table", func(f *Frame, key string) (map[string]string, error) {
		s, err := r.text(f, part, key)
		values := map[string]string{"one": fmt.Sprint(len(s) % 2)}
		if len(s) > 2 {
			values["two"] = fmt.Sprint(len(s) % 3)
		}
		return values, err
	})
	for layer := range uint64(layers) {
		for i := range uint64(inLayer) {
			names = append(names, r.query(fmt.Sprintf("q%d.%d", layer, i), func(f *Frame, key string) (string, error) {
				at := mix(seed ^ layer<<8 ^ i<<16 ^ uint64(slices.Index(keys, key))<<24)
				sum := uint64(0)
				for step := range 2 + at%3 {
					choice := mix(at ^ step<<32 ^ sum%2<<40)
					k := keys[choice%uint64(len(keys))]
					switch op := choice >> 8 % 8; {
					case op == 6:
						s, err := r.part(f, "table", k, []string{"one", "two"}[choice>>16%2])
						if err != nil {
							return "", err
						}
						sum += uint64(s[0])
					case op == 7:
						s, err := r.names(f, "table", k)
						if err != nil {
							return "", err
						}
						sum += uint64(len(s))
					case op < 2 && layer > 0:
						s, err := r.get(f, fmt.Sprintf("q%d.%d", layer-1, choice>>16%inLayer), k)
						if err != nil {
							return "", err
						}
						sum = mix(sum ^ uint64(len(s)) ^ uint64(s[0]))
					case op < 3:
						s, err := r.text(f, part, k)
						if err != nil {
							return "", err
						}
						sum += uint64(len(s))
					case op < 4:
						there, err := f.Has(part, k)
						if err != nil {
							return "", err
						}
						if there {
							sum++
						}
					case op < 5:
						n, err := f.Count(part, k, "", "")
						if err != nil {
							return "", err
						}
						sum += n
					default:
						err := f.Scan(part, db.Span{Lo: k, Limit: 2}, "", choice>>20%2 == 0, func(key string, h mmapcas.Hash) bool {
							sum += uint64(key[0])
							if choice>>20%2 == 0 {
								sum += uint64(h[0])
							}
							return true
						})
						if err != nil {
							return "", err
						}
					}
				}
				return fmt.Sprint(sum % 3), nil
			}))
		}
	}
	return names
}

// No false cause, over random edits of random programs: with the changes of a cause undone by a
// commit the run before is reused, and with all of them undone but one it is not.
func TestNoFalseCause(t *testing.T) {
	seed := *proveSeed
	if seed == 0 {
		seed = rand.Uint64N(1 << 48)
	}
	asked, told := 0, 0
	for edits := 0; edits < *proveEdits; {
		c := &causes{rig: newRig(t, seed, Options{}), rng: rand.New(rand.NewPCG(seed, 0)), now: map[string]string{}}
		c.part = c.partition("files")
		c.keys = []string{"a", "b", "c", "d", "e"}
		c.names = c.randomPrograms(seed, c.part, c.keys)
		for range 50 {
			c.edit()
			edits++
			if t.Failed() {
				t.Fatalf("replay with -run NoFalseCause -prove.edits=50 -prove.seed=%d", seed)
			}
		}
		asked, told = asked+c.asked, told+c.told
		seed++
	}
	t.Logf("%d runs, of %d the cause was told", asked, told)
	if told < asked*9/10 {
		t.Errorf("of %d runs the cause of %d only was told, which the traces in memory should know", asked, told)
	}
}

// causes are random edits and the causes that are told of what they set off.
type causes struct {
	*rig
	rng         *rand.Rand
	part        db.PartID
	keys, names []string
	now         map[string]string
	asked, told int
}

func (c *causes) askAll() {
	for _, name := range c.names {
		for _, key := range c.keys {
			if err := c.ask(name, key).Wait(context.Background()); err != nil {
				c.t.Fatal(err)
			}
		}
	}
}

func (c *causes) edit() {
	var pairs []string
	for range 1 + c.rng.IntN(3) {
		key, text := pick(c.rng, c.keys), ""
		if c.rng.IntN(4) > 0 {
			text = strings.Repeat("x", 1+c.rng.IntN(4))
		}
		pairs = append(pairs, key, text)
		c.now[key] = text
	}
	var before uint64
	for _, q := range c.queries {
		before += q.Counts.Ran.Load()
	}
	c.put(c.part, pairs...)
	c.askAll()
	for _, name := range c.names {
		for _, key := range c.keys {
			e := c.table.entry(c.queries[name], key)
			if e.reason().Verdict == RanChanged && c.rng.IntN(4) == 0 {
				c.judge(e, name, key)
				e.explain(Reason{Verdict: Reused}) // it is judged once
			}
		}
	}
}

// judge compares the cause of the run of e that the last edit has set off with what the table does.
func (c *causes) judge(e *entry, name, key string) {
	old := e.traces.next
	c.asked++
	p := c.prove(name, key)
	if p.Problem != "" {
		return
	}
	c.told++
	reused := func(undone []Change) bool {
		defer c.putAll()
		for _, ch := range undone {
			op := db.Op{Part: c.part, Key: ch.Key, Verb: db.Delete}
			if ch.Then != "" {
				h, err := mmapcas.ParseHash(ch.Then)
				if err != nil {
					c.t.Fatal(err)
				}
				op.Verb, op.Hash = db.Put, h
			}
			if _, err := c.db.Commit(context.Background(), []db.Op{op}); err != nil {
				c.t.Fatal(err)
			}
		}
		if err := c.ask(name, key).Wait(context.Background()); err != nil {
			c.t.Fatal(err)
		}
		return e.last.Load() == old
	}
	if p.Due || len(p.Changes) == 0 || !reused(p.Changes) {
		c.t.Errorf("%s(%s): said to be due to %s, and with that undone it is not reused", name, key, p.text())
	}
	for i := range p.Changes {
		if reused(slices.Delete(slices.Clone(p.Changes), i, i+1)) {
			c.t.Errorf("%s(%s): said to be due to %s, and with %s done it is reused all the same", name, key, p.text(), p.Changes[i])
		}
	}
}

// putAll makes what is there what the edits have made.
func (c *causes) putAll() {
	var pairs []string
	for _, key := range c.keys {
		pairs = append(pairs, key, c.now[key])
	}
	c.put(c.part, pairs...)
	c.askAll()
}
