package index

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/cytisus/cytisus/lsp"
)

// The occurrences of a file are uvarints, sorted by start:
//
//	how far the start is behind the end of the one before, and 1; or 0, and how far it is behind its
//	  start, if they overlap
//	what is named, and how long the name is: its rank among what was named last, below 64; or 64 and
//	  bits that say what it is, then number, length, and signature if there is one
//
// A declaration's own occurrence is not among them, as the declaration has its place, unless it
// shares its start with another or has a signature. For the ranks it counts as if it was.
const (
	recentMax = 64

	codeNew       = 64 // and these:
	codeExternal  = 1
	codeDeclares  = 2
	codeSignature = 4
)

// recents are what was named last in a file, the last one first. Writer and reader do the same
// steps.
type recents struct {
	n    int
	keys [recentMax]uint64
}

// recentKey is what stands for a thing and the length of its name.
func recentKey(target int, external bool, bytes int) uint64 {
	k := uint64(bytes)<<32 | uint64(target)<<1
	if external {
		k |= 1
	}
	return k
}

// rank is the place of a key, -1 if it has none.
func (m *recents) rank(k uint64) int { return slices.Index(m.keys[:m.n], k) }

// raise puts what is at a place first. Most places are near.
func (m *recents) raise(rank int) {
	k := m.keys[rank]
	for i := rank; i > 0; i-- {
		m.keys[i] = m.keys[i-1]
	}
	m.keys[0] = k
}

// push puts a key first. One that is further back, too, is not found there any more.
func (m *recents) push(k uint64) {
	m.n = min(m.n+1, recentMax)
	copy(m.keys[1:m.n], m.keys[:m.n-1])
	m.keys[0] = k
}

// name puts a key first, which may have a place.
func (m *recents) name(k uint64) {
	if i := m.rank(k); i >= 0 {
		m.raise(i)
		return
	}
	m.push(k)
}

// Occurrences calls fn for every occurrence in a file, sorted by start, until fn says false. The
// signature is left out; see OccurrencesAt.
func (x *Index) Occurrences(file int, fn func(o Occurrence) bool) {
	x.scan(file, false, fn)
}

// OccurrencesAt lists what an offset lies on: usually one, two where one name means two things. Of
// two names that touch, the one that starts at the offset wins.
func (x *Index) OccurrencesAt(file, offset int) []Occurrence {
	var found []Occurrence
	x.scan(file, true, func(o Occurrence) bool {
		if o.Span.Start > offset {
			return false
		}
		if o.Span.Contains(offset) {
			found = append(found, o)
		}
		return true
	})
	if n := len(found); n > 0 {
		start := found[n-1].Span.Start
		found = slices.DeleteFunc(found, func(o Occurrence) bool { return o.Span.Start != start })
	}
	return found
}

func (x *Index) scan(file int, signatures bool, fn func(o Occurrence) bool) {
	if file < 0 || file >= x.FileCount() {
		return
	}
	from := x.fileField(file, 1)
	if from > len(x.occs) {
		return
	}
	s := occurrenceScan{x: x, file: file, rows: x.rowsFrom(x.fileField(file, 3)), r: reader{b: x.occs[from:]}}
	s.row, s.more = s.rows.next()
	for range x.fileField(file, 2) {
		start, ok := s.start()
		if !ok || !s.declarations(start, fn) {
			return
		}
		if o, ok := s.occurrence(start, signatures); !ok || !fn(o) {
			return
		}
	}
	s.declarations(math.MaxInt, fn)
}

// An occurrenceScan goes through the occurrences of a file: those that are written down, and
// between them the declarations' own.
type occurrenceScan struct {
	x      *Index
	file   int
	r      reader
	last   lsp.Span // of the one before that is written down
	rows   rowReader
	row    row // the next declaration
	more   bool
	recent recents
}

// start reads where the next occurrence starts that is written down.
func (s *occurrenceScan) start() (at int, ok bool) {
	if gap := s.r.int(); gap > 0 {
		at = s.last.End + gap - 1
	} else {
		at = s.last.Start + s.r.int()
	}
	return at, !s.r.bad && at >= 0
}

// declarations calls fn for the declarations' own before a place, and reports false if it is
// enough.
func (s *occurrenceScan) declarations(before int, fn func(o Occurrence) bool) bool {
	for s.more && s.row.file == s.file && s.row.start < before {
		w, target := s.row, s.rows.i-1
		s.row, s.more = s.rows.next()
		if w.silent {
			continue
		}
		s.recent.push(recentKey(target, false, w.bytes))
		if !fn(Occurrence{Span: w.span(), Target: target, Declares: true}) {
			return false
		}
	}
	return true
}

// occurrence reads the rest of the one at start.
func (s *occurrenceScan) occurrence(start int, signatures bool) (o Occurrence, ok bool) {
	code := s.r.uint()
	if code < codeNew {
		if code >= uint64(s.recent.n) {
			return o, false
		}
		s.recent.raise(int(code))
		k := s.recent.keys[0]
		o.Target, o.IsExternal = int(k&(1<<32-1)>>1), k&1 != 0
		s.last = lsp.Span{Start: start, End: start + int(k>>32)}
		o.Span = s.last
		return o, !s.r.bad
	}
	o.IsExternal, o.Declares = code&codeExternal != 0, code&codeDeclares != 0
	o.Target = s.r.int()
	n := s.r.int()
	if code&codeSignature != 0 {
		if v := s.r.uint(); signatures {
			o.Signature = s.x.str(v)
		}
	}
	s.recent.name(recentKey(o.Target, o.IsExternal, n))
	s.last = lsp.Span{Start: start, End: start + n}
	o.Span = s.last
	return o, !s.r.bad
}

// An occurrenceWriter makes the bytes of the occurrences of all files.
type occurrenceWriter struct {
	strings *stringTable
	decls   []Declaration // in the order of their numbers
	spoken  []bool        // of these: which are not silent
	bytes   []byte
}

// add appends the occurrences of a file, which are sorted, and returns how many are written down.
func (w *occurrenceWriter) add(file int, occs []Occurrence) (written uint32) {
	var (
		recent recents
		last   lsp.Span
	)
	for i, o := range occs {
		shared := i > 0 && occs[i-1].Span.Start == o.Span.Start || i+1 < len(occs) && occs[i+1].Span.Start == o.Span.Start
		key := recentKey(o.Target, o.IsExternal, o.Span.End-o.Span.Start)
		if o.Declares && !o.IsExternal && o.Signature == "" && !shared {
			if d := &w.decls[o.Target]; d.File == file && d.Span == o.Span {
				w.spoken[o.Target] = true
				recent.push(key)
				continue
			}
		}
		written++
		if o.Span.Start >= last.End {
			w.bytes = binary.AppendUvarint(w.bytes, uint64(o.Span.Start-last.End+1))
		} else {
			w.bytes = append(w.bytes, 0)
			w.bytes = binary.AppendUvarint(w.bytes, uint64(o.Span.Start-last.Start))
		}
		last = o.Span
		rank := recent.rank(key)
		if rank >= 0 && !o.Declares && o.Signature == "" {
			w.bytes = append(w.bytes, byte(rank))
			recent.raise(rank)
			continue
		}
		w.full(&o)
		if rank >= 0 {
			recent.raise(rank)
		} else {
			recent.push(key)
		}
	}
	return written
}

// full appends what an occurrence names without reference to others.
func (w *occurrenceWriter) full(o *Occurrence) {
	code := byte(codeNew)
	if o.IsExternal {
		code |= codeExternal
	}
	if o.Declares {
		code |= codeDeclares
	}
	if o.Signature != "" {
		code |= codeSignature
	}
	w.bytes = append(w.bytes, code)
	w.bytes = binary.AppendUvarint(w.bytes, uint64(o.Target))
	w.bytes = binary.AppendUvarint(w.bytes, uint64(o.Span.End-o.Span.Start))
	if o.Signature != "" {
		v, _ := w.strings.number(o.Signature)
		w.bytes = binary.AppendUvarint(w.bytes, v)
	}
}
