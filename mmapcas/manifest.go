package mmapcas

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/cytisus/cytisus/mmapcas/record"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// The manifest is a log of records, each starting at a multiple of 64 bytes. The record that counts
// is the valid one with the highest sequence number.
//
//	 0  magic:32
//	 4  bytes of the record, a multiple of 64:32
//	 8  sequence number:64
//	16  next segment number:32: segments from this on are newer than the record
//	20  number of segments:32
//	24  bytes of the note:32
//	28  flags:32, bit 0: the lengths were synced before this record was written
//	32  records in the index, a hint for its size:64
//	40  per segment: number:32, zeros:32, length:64
//	..  note, zeros
//	-4  checksum of everything before
//
// When the log is longer than manifestBytesMax it is replaced by a file with its newest record.
// Behind it lie zeros, some disk space that was taken ahead: on a disk that is full, a process
// that deletes and collects can still say so.

const (
	manifestName      = "manifest"
	manifestMagic     = 0x4d545943
	manifestAlign     = 64
	manifestHeadBytes = 40
	manifestSegBytes  = 16
	manifestBytesMax  = 1 << 20
	manifestAhead     = 16 << 10 // taken when no more than half of it is left
	manifestSynced    = 1
)

// MaxNoteBytes bounds the note of a commit.
const MaxNoteBytes = 4 << 10

// manifestSegment says that the first length bytes of a segment are complete.
type manifestSegment struct {
	number uint32
	length int64
}

type manifestRecord struct {
	seq      uint64
	next     uint32 // next segment number
	records  uint64
	synced   bool // flag bit 0
	segments []manifestSegment
	note     []byte
}

func (m *manifestRecord) encode() []byte {
	n := manifestHeadBytes + manifestSegBytes*len(m.segments) + len(m.note) + 4
	n = (n + manifestAlign - 1) / manifestAlign * manifestAlign
	b := make([]byte, n)
	le := binary.LittleEndian
	le.PutUint32(b, manifestMagic)
	le.PutUint32(b[4:], uint32(n))
	le.PutUint64(b[8:], m.seq)
	le.PutUint32(b[16:], m.next)
	le.PutUint32(b[20:], uint32(len(m.segments)))
	le.PutUint32(b[24:], uint32(len(m.note)))
	if m.synced {
		le.PutUint32(b[28:], manifestSynced)
	}
	le.PutUint64(b[32:], m.records)
	at := manifestHeadBytes
	for _, s := range m.segments {
		le.PutUint32(b[at:], s.number)
		le.PutUint64(b[at+8:], uint64(s.length))
		at += manifestSegBytes
	}
	copy(b[at:], m.note)
	le.PutUint32(b[n-4:], record.Checksum(b[:n-4]))
	return b
}

// parseManifestRecord reads the record at the start of b and returns its size.
func parseManifestRecord(b []byte) (m manifestRecord, size int, ok bool) {
	le := binary.LittleEndian
	if len(b) < manifestAlign || le.Uint32(b) != manifestMagic {
		return manifestRecord{}, 0, false
	}
	n := int64(le.Uint32(b[4:]))
	segments, note := int64(le.Uint32(b[20:])), int64(le.Uint32(b[24:]))
	if n%manifestAlign != 0 || n < manifestAlign || n > int64(len(b)) || note > MaxNoteBytes ||
		manifestHeadBytes+manifestSegBytes*segments+note+4 > n {
		return manifestRecord{}, 0, false
	}
	b = b[:n]
	if record.Checksum(b[:n-4]) != le.Uint32(b[n-4:]) {
		return manifestRecord{}, 0, false
	}
	m = manifestRecord{seq: le.Uint64(b[8:]), next: le.Uint32(b[16:]), records: le.Uint64(b[32:]), synced: le.Uint32(b[28:])&manifestSynced != 0}
	at := manifestHeadBytes
	for range segments {
		m.segments = append(m.segments, manifestSegment{number: le.Uint32(b[at:]), length: int64(le.Uint64(b[at+8:]))})
		at += manifestSegBytes
	}
	m.note = append(m.note, b[at:at+int(note)]...)
	return m, int(n), true
}

// parseManifest finds the newest valid record of a log, nil if there is none. used is where the log
// ends: behind its last valid record. damaged counts places before used which belong to no valid
// record.
func parseManifest(b []byte) (newest *manifestRecord, used int64, damaged int) {
	gap := 0
	for at := 0; at < len(b); {
		m, n, ok := parseManifestRecord(b[at:])
		if !ok {
			// A torn record, or a damaged one: what follows at the next aligned place may be valid.
			at += manifestAlign
			gap++
			continue
		}
		if newest == nil || m.seq > newest.seq {
			newest = &m
		}
		at += n
		used = int64(at)
		damaged += gap
		gap = 0
	}
	return newest, used, damaged
}

// manifest is the open log. commitMu of the store guards it.
type manifest struct {
	fs      vfs.FS
	dir     string
	name    string
	f       vfs.File
	end     int64
	ready   int64  // bytes that have disk space, as far as is known
	seq     uint64 // the highest that a statement was given, of the manifest or not
	damaged int
	// careful: a log that takes the place of another is whole on the disk before it has its name.
	careful bool
	// behind: some of the log was not synced.
	behind bool
}

// number returns the number of the next statement.
func (m *manifest) number() uint64 {
	m.seq++
	return m.seq
}

// openManifest reads the log; the record is nil when there is none yet.
func openManifest(fsys vfs.FS, dir string, readOnly bool) (*manifest, *manifestRecord, error) {
	m := &manifest{fs: fsys, dir: dir, name: filepath.Join(dir, manifestName)}
	b, err := vfs.ReadFile(fsys, m.name)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	newest, used, damaged := parseManifest(b)
	m.end, m.damaged = used, damaged
	if newest != nil {
		m.seq = newest.seq
	}
	if readOnly {
		return m, newest, nil
	}
	if m.f, err = fsys.Open(m.name, false); err != nil {
		return nil, nil, err
	}
	// A torn record must not follow a valid one once that is longer than the torn start.
	if int64(len(b)) > used {
		if err := m.f.Truncate(used); err != nil {
			return nil, nil, errors.Join(err, m.f.Close())
		}
	}
	return m, newest, nil
}

// append adds a record that has its number. With sync it is durable when append returns nil. failed
// says that a sync failed, after which nothing is certain; any other error leaves the log as it
// was.
func (m *manifest) append(r *manifestRecord, sync bool) (failed bool, err error) {
	b := r.encode()
	if m.f != nil {
		// A record in a file that has no name any more would be found by no Open, and one behind
		// where the file was cut would follow damage.
		size, err := m.f.Size()
		linked, lerr := m.f.Linked()
		if err = errors.Join(err, lerr); err != nil {
			return false, fmt.Errorf("mmapcas: look at %s: %w", m.name, err)
		}
		if !linked || size < m.end {
			return m.replace(b, sync)
		}
	}
	if m.f == nil || m.end+int64(len(b)) > manifestBytesMax {
		return m.replace(b, sync)
	}
	m.lengthen()
	if _, err := m.f.WriteAt(b, m.end); err != nil {
		return false, fmt.Errorf("mmapcas: write %s: %w", m.name, err)
	}
	m.behind = true
	if sync {
		if err := m.sync(); err != nil {
			return true, err
		}
	}
	m.end += int64(len(b))
	return false, nil
}

// sync makes durable what the log says.
func (m *manifest) sync() error {
	if m.f == nil || !m.behind {
		return nil
	}
	if err := m.f.Sync(); err != nil {
		return err
	}
	m.behind = false
	return nil
}

// lengthen takes disk space ahead. If there is none, what was taken before serves for a while.
func (m *manifest) lengthen() {
	if m.ready-m.end > manifestAhead/2 {
		return
	}
	if to := min(m.end+manifestAhead, manifestBytesMax); m.f.Allocate(m.end, to) == nil {
		m.ready = to
	}
}

// replace writes a log of one record in place of the old one.
func (m *manifest) replace(b []byte, sync bool) (failed bool, err error) {
	sync = sync || m.careful
	// Closed first: some systems do not replace a file that is open. Without a handle the next
	// append comes here again.
	if m.f != nil {
		f := m.f
		m.f = nil
		if err := f.Close(); err != nil {
			return false, err
		}
	}
	if replaced, err := vfs.WriteFile(m.fs, m.dir, m.name, b, sync); err != nil {
		// Once it took the old log's place, what the old handle writes reaches nobody.
		return replaced, err
	}
	f, err := m.fs.Open(m.name, false)
	if err != nil {
		return true, err
	}
	m.f, m.end, m.ready, m.behind = f, int64(len(b)), int64(len(b)), !sync
	m.lengthen()
	return false, nil
}

func (m *manifest) close() error {
	if m.f == nil {
		return nil
	}
	return m.f.Close()
}
