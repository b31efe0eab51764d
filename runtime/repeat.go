package runtime

import (
	"reflect"

	"github.com/cytisus/cytisus/runtime/memo"
)

// repeatFrom is how many keys an All must have for its run to remember them.
const repeatFrom = 256

// An allKept is what a run remembers of an All: the keys, all different, and their answers.
// Immutable.
type allKept[K comparable, V any] struct {
	keys   []K
	values []V
}

// repeats says whether the answers of an All may be remembered by a run, and what they take. The
// zero: they may not.
type repeats struct {
	may  bool
	each int  // bytes of a key and an answer in a list
	deep bool // an answer has more elsewhere
}

// repeatsFor says so of queries from K to V. Keys that are equal must stand for the same key, and
// answers must not refer to records, since these might be gone.
func repeatsFor[K comparable, V any](results resultForm[V]) repeats {
	k, v := reflect.TypeFor[K](), reflect.TypeFor[V]()
	if !plainKeys(k) || results.refers() {
		return repeats{}
	}
	return repeats{may: true, each: int(k.Size() + v.Size()), deep: !flat(v)}
}

// plainKeys reports whether keys of a type that are equal have the same bytes: there is one zero,
// and nothing is elsewhere but the bytes of strings.
func plainKeys(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String:
		return true
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); f.Name == "_" || !plainKeys(f.Type) {
				return false
			}
		}
		return true
	case reflect.Array:
		return plainKeys(t.Elem())
	}
	return flat(t) && t.Kind() != reflect.Float32 && t.Kind() != reflect.Float64 &&
		t.Kind() != reflect.Complex64 && t.Kind() != reflect.Complex128
}

// flat reports whether a value of a type is all in one place.
func flat(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			if !flat(t.Field(i).Type) {
				return false
			}
		}
		return true
	case reflect.Array:
		return flat(t.Elem())
	}
	return reflect.Bool <= t.Kind() && t.Kind() <= reflect.Complex128
}

// remember has the run remember what an All that began with so many reads gave.
func (q *Query[K, V]) remember(t *Task, m *memo.Query, before int, kept *allKept[K, V]) {
	n := len(kept.keys)
	t.frame.Remember(m, before, n, kept, n*q.repeats.each, q.repeats.deep)
}

// allRepeated is All where the run before asked for the same keys, but for some that come and go in
// one place, and for the most part has the answers. It reports false if that is not so.
func (q *Query[K, V]) allRepeated(t *Task, m *memo.Query, ks []K) (out []V, ok bool, err error) {
	before, _ := t.frame.ReadsSoFar()
	a := t.eng.memo.Repeat(t.frame, m)
	if a == nil {
		return nil, false, nil
	}
	was := a.Kept().(*allKept[K, V])
	head, tail := sharedEnds(was.keys, ks)
	others := ks[head : len(ks)-tail]
	if !distinct(others, was.keys[:head], was.keys[len(was.keys)-tail:]) {
		return nil, false, nil
	}
	var keys []string
	for _, k := range others {
		key, err := q.encode(k)
		if err != nil {
			return nil, true, fails(t, err)
		}
		keys = append(keys, key)
	}
	anew, ok, err := a.All(head, keys, tail, t.eng.sched.Workers()-1, t.spawnHelpers(q.name))
	if !ok || err != nil {
		return nil, ok, public(err)
	}
	now := &allKept[K, V]{keys: was.keys, values: make([]V, len(ks))}
	if len(others) > 0 || len(was.keys) != len(ks) {
		now.keys = append(make([]K, 0, len(ks)), ks...)
	}
	copy(now.values, was.values[:head])
	copy(now.values[len(ks)-tail:], was.values[len(was.values)-tail:])
	for _, n := range anew {
		if now.values[n.Place], err = q.answer(n.Answer); err != nil {
			return nil, true, err
		}
	}
	q.remember(t, m, before, now)
	return append(make([]V, 0, len(ks)), now.values...), true, nil
}

// sharedEnds returns how many elements two lists begin with, and how many of the others they end
// with.
func sharedEnds[K comparable](a, b []K) (head, tail int) {
	n := min(len(a), len(b))
	for head < n && a[head] == b[head] {
		head++
	}
	for tail < n-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	return head, tail
}

// distinct reports whether the elements of a list are different from each other, and from those of
// others.
func distinct[K comparable](list []K, others ...[]K) bool {
	if len(list) == 0 {
		return true
	}
	set := make(map[K]struct{}, len(list))
	for _, k := range list {
		set[k] = struct{}{}
	}
	if len(set) < len(list) {
		return false
	}
	for _, other := range others {
		for _, k := range other {
			if _, there := set[k]; there {
				return false
			}
		}
	}
	return true
}
