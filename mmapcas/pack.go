package mmapcas

import (
	"encoding/binary"
	"errors"
	"path/filepath"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/record"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// packWriteBytes is how much of a packed segment is written at once.
const packWriteBytes = 1 << 20

// A packer writes the live records of one plain segment to a packed one. The steps, each of which may be the last:
//
//   - add: blocks go to a file under a temporary name, which Open removes;
//   - publish: the file is whole and synced, gets its name, which is synced too, and is mapped. From now on every manifest record
//     lists it, in full. One that is not listed so was never needed, and Open removes it: its records are all where they were;
//   - switchSome: index entries are led from the plain segment to the packed one, some at a time;
//   - the plain segment goes like any that a sweep has emptied (G4).
//
// Nothing about it is necessary: whatever fails before publish leaves the plain segment in its place.
type packer struct {
	s      *Store
	from   *segment
	number uint32
	tmp    string
	file   vfs.File
	block  int // bytes of a block

	header  segmentHeader
	at      int64  // of the next byte in the file that is not in out
	out     []byte // to be written
	raw     []byte // payloads of the block that is being filled
	records uint32 // in it
	headers []byte
	entries []byte
	zip     []byte // scratch
	unzip   []byte // scratch

	to       *segment // once it is published
	switched uint32   // records whose entries have been seen to
}

// newPacker begins to pack a segment.
func (s *Store) newPacker(from *segment) (*packer, error) {
	number, err := s.takeNumber()
	if err != nil {
		return nil, err
	}
	p := &packer{s: s, from: from, number: number, at: segmentHeaderBytes, block: packedBlockBytes}
	if s.opts.packedBlock > 0 {
		p.block = s.opts.packedBlock
	}
	p.tmp = p.name() + vfs.TempSuffix
	if err = s.lock.Check(); err == nil {
		p.file, err = s.fs.Create(p.tmp)
	}
	if err != nil {
		s.numberTaken(number)
		return nil, err
	}
	return p, nil
}

func (p *packer) name() string { return filepath.Join(p.s.dir, segmentName(p.number)) }

// add takes a record, whose payload is intact. The caller is inside a pin and inside Confine.
func (p *packer) add(r *record.Record) error {
	if len(p.raw)+len(r.Padded) > p.block && p.records > 0 {
		if err := p.endBlock(); err != nil {
			return err
		}
	}
	unit := len(p.raw) / arena.Unit
	p.raw = append(p.raw, r.Padded...) // may fault, and has done nothing then
	h := packedHeader(r, unit)
	p.headers = append(p.headers, h[:]...)
	p.records++
	p.header.packed.raw += r.Extent()
	return nil
}

// writesFor reports whether add of this record may write to the file.
func (p *packer) writesFor(r *record.Record) bool {
	return p.records > 0 && len(p.raw)+len(r.Padded) > p.block && len(p.out)+len(p.raw)+arena.Unit >= packWriteBytes
}

// endBlock writes the block that is being filled.
func (p *packer) endBlock() error {
	e := packedEntry{
		first: p.header.packed.records, records: p.records, at: p.at + int64(len(p.out)), raw: uint32(len(p.raw)),
	}
	stored := p.raw
	if len(p.raw) <= packedZstdBytes {
		p.zip = encoder().EncodeAll(p.raw, p.zip[:0])
		if len(p.zip) <= len(p.raw)-len(p.raw)/8 && len(p.zip) < len(p.raw) {
			stored = p.zip
		}
	}
	e.bytes, e.sum = uint32(len(stored)), record.Checksum(stored)
	if e.bytes < e.raw && !p.comesBack(&e) {
		stored = p.raw
		e.bytes, e.sum = e.raw, record.Checksum(stored)
	}
	b := e.encode()
	p.entries = append(p.entries, b[:]...)
	p.out = append(p.out, stored...)
	p.out = append(p.out, make([]byte, -len(p.out)&(arena.Unit-1))...)
	p.header.packed.records += p.records
	p.header.packed.blocks++
	p.raw, p.records = p.raw[:0], 0
	if len(p.out) < packWriteBytes {
		return nil
	}
	return p.flush()
}

// comesBack reports whether a block is unpacked as it was: the plain segment will be gone.
func (p *packer) comesBack(e *packedEntry) bool {
	if cap(p.unzip) < len(p.raw)+blockRoom {
		p.unzip = make([]byte, 0, len(p.raw)+blockRoom)
	}
	dst := p.unzip[:len(p.raw)]
	return e.unzip(dst, p.zip) && string(dst) == string(p.raw)
}

func (p *packer) flush() error {
	_, err := p.file.WriteAt(p.out, p.at)
	p.at += int64(len(p.out))
	p.out = p.out[:0]
	return err
}

// publish makes the packed segment part of the store. Without records there is none, which is right too. The sync waits for the disk.
func (p *packer) publish(c *Cycle) error {
	s := p.s
	if p.records > 0 {
		if err := p.endBlock(); err != nil {
			return err
		}
	}
	shape := &p.header.packed
	if shape.records == 0 {
		p.abandon()
		return nil
	}
	shape.headersAt = p.at + int64(len(p.out))
	p.out = append(append(p.out, p.headers...), p.entries...)
	n := shape.directoryEnd() + segmentHeaderBytes
	bytes := (n + packedAlign - 1) &^ (packedAlign - 1)
	p.out = append(p.out, make([]byte, bytes-n)...)
	number := p.number
	p.header.version, p.header.number, p.header.identity, p.header.bytes = packedVersion, number, s.identity, bytes
	head := p.header.encode()
	p.out = append(p.out, head...)
	err := p.flush()
	if err == nil {
		_, err = p.file.WriteAt(head, 0)
	}
	if err == nil {
		err = p.file.Sync()
	}
	if err != nil {
		return err
	}
	file := p.file
	p.file = nil
	if err := errors.Join(file.Close(), s.fs.Rename(p.tmp, p.name())); err != nil {
		return errors.Join(err, s.remove(p.tmp))
	}
	if err := s.fs.SyncDir(s.dir); err != nil {
		return errors.Join(err, s.remove(p.name()))
	}
	// With commitMu held no manifest record is written that knows half of it.
	s.commitMu.Lock()
	defer s.commitMu.Unlock()
	if s.closed.Load() {
		return ErrClosed // the next Open removes the file
	}
	if p.to, err = s.adoptPacked(c, number, p.header); err != nil {
		return errors.Join(err, s.remove(p.name()))
	}
	s.numberTaken(number)
	s.counters.packed.Add(1)
	return nil
}

// adoptPacked maps a packed segment that is whole and durable. The caller holds commitMu.
func (s *Store) adoptPacked(c *Cycle, number uint32, h segmentHeader) (*segment, error) {
	seg := &segment{number: number, name: filepath.Join(s.dir, segmentName(number)), whole: true, noted: h.bytes, packed: newPacked(h.packed)}
	var err error
	if seg.file, err = s.fs.Open(seg.name, true); err != nil {
		return nil, err
	}
	seg.mem, err = s.arena.Map(arena.Spec{
		Source: seg.file.Source(), Bytes: h.bytes, Length: h.bytes, Ready: h.bytes, Owner: seg, ReadOnly: true,
	})
	if err != nil {
		return nil, errors.Join(classify(err), seg.file.Close())
	}
	seg.synced.Store(h.bytes)
	if err := c.admit(seg, segmentHeaderBytes); err != nil {
		return nil, errors.Join(err, seg.mem.Unmap(), seg.file.Close())
	}
	s.segMu.Lock()
	s.segs[number] = seg
	s.segMu.Unlock()
	s.counters.segmentsMade.Add(1)
	return seg, nil
}

// abandon forgets what was written.
func (p *packer) abandon() {
	if p.to != nil {
		return // it is part of the store
	}
	if p.file != nil {
		// What cannot be removed now is removed by the next Open.
		_ = p.file.Close()
		_ = p.s.remove(p.tmp)
		p.file = nil
	}
	p.s.numberTaken(p.number)
}

// switchSome leads some index entries from the plain segment to the packed one and reports whether all have been seen to.
// Entries that lead elsewhere by now, or nowhere, stay: then the copy is surplus, and nobody's. The caller holds a pin.
func (p *packer) switchSome(st *SweepStats) (done bool) {
	s := p.s
	from, to := p.from.mem.First(), p.from.mem.At(p.from.mem.Bytes())
	for range sweepCheck {
		if p.switched >= p.header.packed.records {
			return true
		}
		k := int64(p.switched) * record.HeaderBytes
		p.switched++
		h := Hash(p.headers[k+record.HashAt : k+record.PayloadSumAt])
		err := s.arena.Confine(func() error {
			if at := s.index.Find(h); at >= from && at < to && s.index.Change(h, at, p.to.mem.At(p.header.packed.headersAt+k)) {
				st.Packed++
				st.PackedBytes += record.HeaderBytes + arena.RoundUp(int64(binary.LittleEndian.Uint32(p.headers[k:])))
				s.counters.moved.Add(1)
			}
			return nil
		})
		if err != nil {
			_ = s.readError(h, arena.Nil, err)
		}
	}
	return false
}
