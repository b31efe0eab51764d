package runtime

import (
	"encoding/binary"
	"maps"
	"slices"

	"github.com/cytisus/cytisus/mmapcas"
)

// A program is the name of a program's queries and their versions, with what it was made from.
type program struct {
	defined, bound int // numbers of queries
	name           uint64
}

// programName is memo's Options.Program. Of several queries of one name that differ in version it
// counts the one that the engine has met.
func (e *Engine) programName() uint64 {
	defined, bound := allQueries.size(), e.queries.Size()
	if p := e.program.Load(); p != nil && p.defined == defined && p.bound == bound {
		return p.name
	}
	versions := map[string]int{}
	for name, all := range allQueries.all() {
		version := all[0].versioned()
		if !slices.ContainsFunc(all, func(q anyQuery) bool { return q.versioned() != version }) {
			versions[name] = version
		}
	}
	e.queries.Range(func(name string, b boundQuery) bool {
		versions[name] = b.version
		return true
	})
	var text []byte
	for _, name := range slices.Sorted(maps.Keys(versions)) {
		text = append(binary.AppendUvarint(text, uint64(len(name))), name...)
		text = binary.AppendVarint(text, int64(versions[name]))
	}
	h := mmapcas.HashOf(kindValue, text)
	p := &program{defined, bound, binary.LittleEndian.Uint64(h[:])}
	e.program.Store(p)
	return p.name
}
