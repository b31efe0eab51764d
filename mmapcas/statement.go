package mmapcas

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// A statement says that everything up to some lengths is complete, with a note: what a manifest
// record says. A commit that is to be durable puts its statement, with a proof, into one of the
// segments that it syncs (package comment, Committing). It is a record of the store's own:
//
//	 0  identity of the store, 16 bytes
//	16  sequence number of the newest statement that was durable when this one was made:64
//	24  number of parts:32, zeros:32
//	32  per part: segment:32, zeros:32, from:64, to:64, digest of what lies between, 16 bytes
//	..  the statement, as the manifest has it
//
// The digest is the name of all names between, those of the store's own records among them.
type statement struct {
	manifestRecord
	before uint64 // sequence number
	parts  []part

	seg *segment // that it was found in
	off int64
	// doubt: the walk had lost its way before. The statement may lie in a payload.
	doubt bool
}

// A part is one segment's share in what a commit syncs.
type part struct {
	number   uint32
	from, to int64
	digest   Hash
}

const (
	statementHeadBytes = 32
	statementPartBytes = 40
)

// encodeStatement returns the payload of a statement whose manifest record is encoded.
func encodeStatement(identity [identityBytes]byte, before uint64, parts []part, encoded []byte) []byte {
	le := binary.LittleEndian
	b := make([]byte, 0, statementHeadBytes+statementPartBytes*len(parts)+len(encoded))
	b = append(b, identity[:]...)
	b = le.AppendUint64(b, before)
	b = le.AppendUint32(b, uint32(len(parts)))
	b = le.AppendUint32(b, 0)
	for _, p := range parts {
		b = le.AppendUint32(b, p.number)
		b = le.AppendUint32(b, 0)
		b = le.AppendUint64(b, uint64(p.from))
		b = le.AppendUint64(b, uint64(p.to))
		b = append(b, p.digest[:]...)
	}
	return append(b, encoded...)
}

// parseStatement reads the payload of a record of the store's own.
func parseStatement(b []byte, identity [identityBytes]byte) (st statement, ok bool) {
	le := binary.LittleEndian
	if len(b) < statementHeadBytes || !bytes.Equal(b[:identityBytes], identity[:]) {
		return statement{}, false
	}
	st.before = le.Uint64(b[16:])
	n := int64(le.Uint32(b[24:]))
	b = b[statementHeadBytes:]
	if n*statementPartBytes > int64(len(b)) {
		return statement{}, false
	}
	for range n {
		p := part{number: le.Uint32(b), from: int64(le.Uint64(b[8:])), to: int64(le.Uint64(b[16:])), digest: Hash(b[24:40])}
		if p.from < segmentHeaderBytes || p.from > p.to || p.from%arena.Unit != 0 || p.to%arena.Unit != 0 {
			return statement{}, false
		}
		st.parts = append(st.parts, p)
		b = b[statementPartBytes:]
	}
	var size int
	st.manifestRecord, size, ok = parseManifestRecord(b)
	return st, ok && size == len(b) && st.before < st.seq
}

// digest is the name of all names between two offsets of a segment, and ok=false if not every byte
// between belongs to a record that is whole: with checked payloads, or by its header alone.
func (s *Store) digest(seg *segment, from, to int64, payloads bool) (h Hash, ok bool) {
	g := s.epochs.Pin()
	defer g.Unpin()
	var names []byte
	err := s.arena.Confine(func() error {
		mem := seg.mem.Mem()
		if to > int64(len(mem)) {
			return nil
		}
		for off := from; off < to; {
			r, ok := record.Parse(mem[off:to])
			if !ok || payloads && !r.Intact() {
				return nil
			}
			names = append(names, r.Hash[:]...)
			off += r.Extent()
		}
		ok = true
		return nil
	})
	return record.NameOf(0, names), ok && err == nil
}

// proven reports whether all is there that a statement is about and that was not durable before it.
// What mapping has shown of the segments tells where their files end.
func (s *Store) proven(st *statement, all []*found) bool {
	for _, p := range st.parts {
		seg := foundSegment(all, p.number)
		if seg == nil || p.to > seg.end {
			return false
		}
		if h, ok := s.digest(seg.seg, p.from, p.to, true); !ok || h != p.digest {
			return false
		}
	}
	return true
}

func foundSegment(all []*found, number uint32) *found {
	for _, f := range all {
		if f.number == number {
			return f
		}
	}
	return nil
}

// noteStatement remembers a statement that the walk over a tail has come by.
func (f *found) noteStatement(s *Store, off int64, r *record.Record, doubt bool) {
	var st statement
	ok := false
	_ = s.arena.Confine(func() error {
		st, ok = parseStatement(r.Stored.Bytes, s.identity)
		return nil
	})
	if ok {
		st.seg, st.off, st.doubt = f.seg, off, doubt
		f.statements = append(f.statements, st)
	}
}

// newestStatement finds the statement that counts: the manifest's newest, or one of a tail that is
// newer, and reports whether it is one of these. Statements of tails that are newer than it are
// given up for good.
//
// Of the newest of all in the tails it is not known whether its commit came to its end, so it has
// to be proven. If it cannot be, the one counts that was durable when it was made, or the newest
// before that: these need no proof, since it would not have been made without them. One in doubt
// has to be proven in any case, and tells nothing of others.
func (s *Store) newestStatement(all []*found, manifest *manifestRecord) (newest *manifestRecord, stated bool) {
	var list []*statement // newest first
	for _, f := range all {
		for i := range f.statements {
			if st := &f.statements[i]; st.seq > manifest.seq {
				list = append(list, st)
			}
		}
	}
	if len(list) == 0 {
		return manifest, false
	}
	slices.SortStableFunc(list, func(a, b *statement) int { return cmp.Compare(b.seq, a.seq) })
	newest = manifest
	limit := uint64(math.MaxUint64) // what is newer is given up
	sure := false                   // what is not, and not in doubt, was durable
	for _, st := range list {
		if st.seq > limit {
			continue
		}
		if sure && !st.doubt || s.opts.unproven || s.proven(st, all) {
			newest, stated = &st.manifestRecord, true
			break
		}
		if !st.doubt {
			limit, sure = st.before, true
		}
	}
	s.manifest.seq = max(s.manifest.seq, list[0].seq)
	for _, st := range list {
		if st.seq > newest.seq {
			s.giveUp(st)
		}
	}
	return newest, stated
}

// giveUp makes a statement a record like others, which nothing refers to: its future is not that of
// this store any more, and what is put from now on must not make it look proven.
func (s *Store) giveUp(st *statement) {
	s.log.Warn("mmapcas: a commit that did not come to its end is given up", "segment", st.seg.name, "offset", st.off, "sequence", st.seq)
	if s.opts.ReadOnly {
		return
	}
	var b [record.HeaderBytes]byte
	err := s.arena.Confine(func() error {
		r, ok := record.Parse(st.seg.mem.Mem()[st.off:])
		if !ok {
			return errors.New("it cannot be read any more")
		}
		record.PutHeader(&b, 0, r.Hash, r.Stored, r.Sum)
		return nil
	})
	if err == nil {
		_, err = st.seg.file.WriteAt(b[:], st.off)
	}
	if err != nil {
		s.log.Warn("mmapcas: a commit that was given up may come back", "segment", st.seg.name, "offset", st.off, "err", err)
	}
}

// How much a statement in a segment may cover: its proof takes a look at each record, now and at
// the next Open, and where that is long, one more flush is short. And how much may be covered by
// statements in segments alone, which the next Open walks over.
const (
	statementBytesMax = 1 << 20
	unsettledBytesMax = 32 << 20
)

// putStatement puts the statement of a manifest record into a segment that is to be synced, with
// its proof, numbers the record, and reports whether it has. If not, the manifest alone states it.
// The caller holds commitMu.
func (s *Store) putStatement(r *manifestRecord, lengths map[*segment]int64) bool {
	// What was durable before has names that are: no statement counts as durable without them.
	if s.durable == 0 || s.durable != s.told || s.failure.Load() != nil {
		return false
	}
	var parts []part
	all := s.unsettled
	for _, seg := range s.segments() {
		n, ok := lengths[seg]
		if !ok || seg.synced.Load() >= n {
			continue
		}
		from := max(seg.noted, segmentHeaderBytes)
		all += n - from
		if !seg.listed || seg.lost.Load() || all-s.unsettled > statementBytesMax || all > unsettledBytesMax {
			return false
		}
		digest, ok := s.digest(seg, from, n, false)
		if !ok {
			return false
		}
		parts = append(parts, part{seg.number, from, n, digest})
	}
	put := false
	s.pool.exclusive(func(appenders []*appender) {
		for _, a := range appenders {
			if put = s.stateIn(a, parts, r); put {
				return
			}
		}
	})
	if put {
		s.unsettled = all
	}
	return put
}

// stateIn puts a statement into the segment of an appender, if that is one of its parts and has
// room.
func (s *Store) stateIn(a *appender, parts []part, r *manifestRecord) bool {
	m := a.Segment()
	if m == nil {
		return false
	}
	seg := m.Owner().(*segment)
	if !slices.ContainsFunc(parts, func(p part) bool { return p.number == seg.number }) {
		return false
	}
	said := *r
	said.seq, said.records, said.synced = s.manifest.seq+1, uint64(s.index.Count()), true
	payload := encodeStatement(s.identity, s.durable, parts, said.encode())
	if a.Room() < record.Extent(len(payload)) {
		return false
	}
	err := s.arena.Confine(func() error {
		_, b, err := a.Reserve(record.Extent(len(payload)))
		if err != nil {
			a.leave(err)
			return err
		}
		record.WriteOwn(b, payload, &a.scratch)
		a.Commit()
		return nil
	})
	if err != nil {
		a.Abandon() // if it was memory that failed
		return false
	}
	*r = said
	s.manifest.seq = said.seq
	return true
}
