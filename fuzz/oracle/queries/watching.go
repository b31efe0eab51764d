package queries

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cytisus/cytisus/runtime"
)

// A watching is a watch and what it was told.
type watching interface {
	// judge compares what was told with what was to tell. committed says that this step made a
	// generation.
	judge(t *trial, committed bool) error

	// await waits until the watch was told what there is, where workers are threads.
	await(t *trial)
	stop()
}

// patience is how long a watch may take to be told.
const patience = time.Minute

// A told is what all watches have: a lock for what their function writes, and a signal of it.
type told struct {
	mu    sync.Mutex
	moved chan struct{} // has a value when something was told since it was last received from
	wrong error         // guarded by mu: the first thing that was wrong
	times int           // guarded by mu: runs since the last judgement
	end   func()
}

func (w *told) stop() { w.end() }

// tell is called with the lock held, when something was told.
func (w *told) tell(wrong error) {
	if w.wrong == nil {
		w.wrong = wrong
	}
	w.times++
	select {
	case w.moved <- struct{}{}:
	default:
	}
}

// until waits until there is what done says.
func (w *told) until(done func() bool) {
	end := time.NewTimer(patience)
	defer end.Stop()
	for {
		w.mu.Lock()
		ok := done()
		w.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-w.moved:
		case <-end.C:
			return // the judge says what is missing
		}
	}
}

func (t *trial) watch(s *Step) (watching, error) {
	if s.Kind == WatchQuery {
		return t.watchQuery(s.Cell)
	}
	return t.watchPart(s)
}

// A partWatch is a watch of a partition.
type partWatch struct {
	told
	part   int
	pat    Pattern
	when   bool
	values map[string]int // guarded by mu: as the changes that were told say; all that match, before the first
	gen    uint64         // guarded by mu: told of last
	keys   []string       // guarded by mu: told of since the last judgement
	was    map[string]int // at the last judgement
}

// even is the condition of watches.
func even(_ string, _, now *int) bool { return now != nil && *now%2 == 0 }

func (t *trial) watchPart(s *Step) (*partWatch, error) {
	w := &partWatch{part: s.Part, pat: s.Pat, when: s.When, values: t.matching(s.Part, s.Pat), was: t.matching(s.Part, s.Pat)}
	w.moved = make(chan struct{}, 1)
	var err error
	if w.when {
		w.end, err = partitions[s.Part].Watch(t.eng, s.Pat.pattern(), even, w.changes)
	} else {
		w.end, err = t.eng.Watch(partitions[s.Part], s.Pat.pattern(), w.changes)
	}
	return w, err
}

// matching returns what there is now of a pattern.
func (t *trial) matching(part int, pat Pattern) map[string]int {
	m := map[string]int{}
	for k, v := range t.now[part] {
		if pat.matches(k) {
			m[k] = v
		}
	}
	return m
}

// changes is the function of the watch.
func (w *partWatch) changes(task *runtime.Task, c runtime.Changes) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tell(w.take(task, c))
	return nil
}

func (w *partWatch) take(task *runtime.Task, c runtime.Changes) error {
	if c.Generation <= w.gen || task.Generation() < c.Generation || len(c.List) == 0 {
		return fmt.Errorf("told of %d changes of generation %d after %d, reading %d", len(c.List), c.Generation, w.gen, task.Generation())
	}
	w.gen = c.Generation
	for i, ch := range c.List {
		w.keys = append(w.keys, ch.Key)
		was, there := w.values[ch.Key]
		switch {
		case i > 0 && c.List[i-1].Key >= ch.Key:
			return fmt.Errorf("%s is told after %s", ch.Key, c.List[i-1].Key)
		case ch.Old == ch.New || ch.Deleted != ch.New.IsZero():
			return fmt.Errorf("%s: a change that is none: %+v", ch.Key, ch)
		case !w.when && there == ch.Old.IsZero():
			return fmt.Errorf("%s: %+v after %d, %t", ch.Key, ch, was, there)
		}
		if delete(w.values, ch.Key); ch.Deleted {
			continue
		}
		v, err := partitions[w.part].Load(task, ch.New)
		if err != nil {
			return fmt.Errorf("%s: what was told: %w", ch.Key, err)
		}
		if !w.when && there && v == was {
			return fmt.Errorf("%s: told of %d again", ch.Key, v)
		}
		w.values[ch.Key] = v
	}
	return nil
}

func (w *partWatch) await(t *trial) {
	if w.when {
		return // it is not known what comes
	}
	now := t.matching(w.part, w.pat)
	w.until(func() bool { return equalMaps(w.values, now) })
}

func (w *partWatch) judge(t *trial, committed bool) error {
	now := t.matching(w.part, w.pat)
	if t.setting.Threads {
		w.await(t)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wrong != nil {
		return faultf(wrongWatch, "watch of %s[%v]: %v", partNames[w.part], w.pat, w.wrong)
	}
	var want []string // one commit: told exactly of this
	for _, k := range recordKeys {
		v, there := now[k]
		was, had := w.was[k]
		if (v != was || there != had) && (!w.when || there && v%2 == 0) {
			want = append(want, k)
		}
	}
	keys, times := w.keys, w.times
	w.was, w.keys, w.times = now, nil, 0
	if t.setting.Threads && w.when {
		return nil
	}
	if !slices.Equal(keys, want) || times > 1 {
		return faultf(wrongWatch, "watch of %s[%v]: told of %v in %d runs, and to tell was %v", partNames[w.part], w.pat, keys, times, want)
	}
	if !w.when && !equalMaps(w.values, now) {
		return faultf(wrongWatch, "watch of %s[%v]: told of %v, and there is %v", partNames[w.part], w.pat, w.values, now)
	}
	return nil
}

func equalMaps(a, b map[string]int) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if o, ok := b[k]; !ok || o != v {
			return false
		}
	}
	return true
}

// A queryWatch is a watch of a query.
type queryWatch struct {
	told
	cell Cell
	last *runtime.Answer[result] // guarded by mu
	all  []*runtime.Answer[result]
	sky  int // the weather when it was last asked
}

func (t *trial) watchQuery(c Cell) (*queryWatch, error) {
	w := &queryWatch{cell: c, sky: t.judge.sky}
	w.moved = make(chan struct{}, 1)
	var err error
	w.end, err = t.query(c.Query).watch(t.eng, c.Arg, w.answer)
	return w, err
}

// answer is the function of the watch.
func (w *queryWatch) answer(task *runtime.Task, old, now *runtime.Answer[result]) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var err error
	switch {
	case old != w.last:
		err = errors.New("told of another old answer than it was told before")
	case old != nil && old.Generation >= now.Generation:
		err = fmt.Errorf("told of generation %d after %d", now.Generation, old.Generation)
	case task.Generation() != now.Generation:
		err = fmt.Errorf("reads generation %d, and is told of %d", task.Generation(), now.Generation)
	case old != nil && old.Err == nil && now.Err == nil && old.Value == now.Value:
		err = fmt.Errorf("told of %s again", now.Value.Text)
	}
	if err == nil && now.Err == nil {
		_, err = now.Value.whole(task)
	}
	w.last = now
	w.all = append(w.all, now)
	w.tell(err)
	return nil
}

func (w *queryWatch) await(t *trial) {
	o := t.plain(t.gen).of(w.cell)
	w.until(func() bool { return w.last != nil && o.tells(w.last) })
}

// tells reports whether an answer is o.
func (o *outcome) tells(a *runtime.Answer[result]) bool {
	return o.fails(failure(a.Err)) && o.text == a.Value.Text
}

func (w *queryWatch) judge(t *trial, committed bool) error {
	if committed {
		w.sky = t.judge.sky
	}
	if w.sky == t.judge.sky && t.setting.Threads {
		w.await(t)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wrong != nil {
		return faultf(wrongWatch, "watch of %v: %v", w.cell, w.wrong)
	}
	for _, a := range w.all {
		if o := t.plain(a.Generation).of(w.cell); !o.tells(a) {
			return faultf(wrongWatch, "watch of %v: told of %s %v in generation %d, from scratch it is %v", w.cell, a.Value.Text, a.Err, a.Generation, &o.run)
		}
	}
	w.all = nil
	if w.sky != t.judge.sky {
		return nil // what rests on the weather is not told of it
	}
	if o := t.plain(t.gen).of(w.cell); w.last == nil || !o.tells(w.last) {
		return faultf(wrongWatch, "watch of %v: in generation %d it is %v, and was told of %+v last", w.cell, t.gen, &o.run, w.last)
	}
	return nil
}
