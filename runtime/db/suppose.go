package db

import (
	"cmp"
	"errors"
	"slices"
)

// ErrSupposed is returned for changes that cannot be supposed.
var ErrSupposed = errors.New("db: no such change can be supposed")

// Supposing returns what s would be if the keys of changes had their New record, or none if that is
// zero. Of changes of one key the last counts. Nothing is committed or written: what is supposed is
// in memory, beside the trees of s, which must be held as long as it is read. Generation, and when
// partitions changed, are those of s.
func (s *Snapshot) Supposing(changes []Change) (*Snapshot, error) {
	if s.released.Load() {
		return nil, ErrReleased
	}
	byPart := map[PartID]map[string]Hash{}
	for _, c := range changes {
		def, err := s.d.catalog.Load().find(c.Part)
		if err != nil || def.side {
			return nil, errors.Join(ErrSupposed, err)
		}
		if byPart[c.Part] == nil {
			byPart[c.Part] = map[string]Hash{}
		}
		byPart[c.Part][c.Key] = c.New
	}
	st := s.st.clone()
	a := applier{src: s.d.st, fan: s.d.o.fan}
	for part, keys := range byPart {
		edits := make([]edit, 0, len(keys))
		for key, h := range keys {
			edits = append(edits, edit{key, h})
		}
		slices.SortFunc(edits, func(a, b edit) int { return cmp.Compare(a.key, b.key) })
		for int(part) >= len(st.trees) {
			st.trees = append(st.trees, nil)
		}
		var t tree
		if was := st.trees[part]; was != nil {
			t = *was
		}
		var err error
		if t.root, err = a.apply(part, t.root, edits); err != nil {
			return nil, s.d.explain(part, err)
		}
		t.supposed = true
		st.trees[part] = &t
	}
	return &Snapshot{d: s.d, st: st, supposed: true}, nil
}
