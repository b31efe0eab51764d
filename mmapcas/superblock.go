package mmapcas

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"path/filepath"

	"github.com/cytisus/cytisus/mmapcas/record"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// The superblock is a file of 4096 bytes with the same 128 bytes at 0 and at 2048, so that one
// damaged sector does not cost the store:
//
//	  0  magic "CYTISUS\n"
//	  8  format version:32
//	 12  zeros
//	 16  store identity, 16 random bytes
//	 32  bytes per segment:64
//	 40  zeros
//	124  checksum of bytes 0 to 124
//
// Magic, version and checksum keep their places in all formats to come, so that any version can
// tell a newer store from a damaged one. The file is written once.

const (
	superblockName      = "superblock"
	superblockMagic     = "CYTISUS\n"
	superblockBytes     = 4096
	superblockCopyBytes = 128
	superblockCopyAt    = 2048
)

type superblock struct {
	version      uint32
	identity     [identityBytes]byte
	segmentBytes int64
}

func (s *superblock) encode() []byte {
	c := make([]byte, superblockCopyBytes)
	copy(c, superblockMagic)
	binary.LittleEndian.PutUint32(c[8:], s.version)
	copy(c[16:32], s.identity[:])
	binary.LittleEndian.PutUint64(c[32:], uint64(s.segmentBytes))
	binary.LittleEndian.PutUint32(c[124:], record.Checksum(c[:124]))
	b := make([]byte, superblockBytes)
	copy(b, c)
	copy(b[superblockCopyAt:], c)
	return b
}

// parseSuperblock reads either copy. It reports false when both are damaged.
func parseSuperblock(b []byte) (s superblock, ok bool) {
	for _, at := range []int{0, superblockCopyAt} {
		if len(b) < at+superblockCopyBytes {
			continue
		}
		c := b[at : at+superblockCopyBytes]
		if string(c[:8]) != superblockMagic || record.Checksum(c[:124]) != binary.LittleEndian.Uint32(c[124:]) {
			continue
		}
		s := superblock{
			version:      binary.LittleEndian.Uint32(c[8:]),
			identity:     [identityBytes]byte(c[16:32]),
			segmentBytes: int64(binary.LittleEndian.Uint64(c[32:])),
		}
		if s.version > FormatVersion {
			return s, true // the rest may mean something else
		}
		if s.version == 0 || s.segmentBytes <= 0 || bits.OnesCount64(uint64(s.segmentBytes)) != 1 {
			continue
		}
		return s, true
	}
	return superblock{}, false
}

// readSuperblock reads the superblock of the store in dir. It reports fs.ErrNotExist when there is
// none.
func readSuperblock(fsys vfs.FS, dir string) (superblock, error) {
	name := filepath.Join(dir, superblockName)
	b, err := vfs.ReadFile(fsys, name)
	if err != nil {
		return superblock{}, err
	}
	s, ok := parseSuperblock(b)
	if !ok {
		return superblock{}, &CorruptError{File: name, Reason: "neither copy of the superblock passes its checksum"}
	}
	if s.version > FormatVersion {
		return superblock{}, &FormatError{Path: dir, Found: s.version, Supported: FormatVersion}
	}
	return s, nil
}

// openSuperblock reads the superblock or, unless readOnly, makes a new store in dir. If it is
// damaged or gone, the segments say what it said. Without segments there are no records either, and
// the store is a new one. lost is why that was needed, nil if it was not.
func openSuperblock(fsys vfs.FS, dir string, fresh superblock, readOnly bool) (s superblock, lost error, err error) {
	s, err = readSuperblock(fsys, dir)
	missing := errors.Is(err, fs.ErrNotExist)
	if err == nil || !missing && !errors.Is(err, ErrCorrupt) {
		return s, nil, err
	}
	// The superblock is durable before anything else is made, so files without one are no store of
	// ours.
	names, lerr := fsys.List(dir)
	if lerr != nil {
		return superblock{}, nil, lerr
	}
	held, segments := "", false
	for _, n := range names {
		_, isSegment := parseSegmentName(n)
		if isSegment || n == manifestName {
			held = n
		}
		segments = segments || isSegment
	}
	if held != "" {
		if missing {
			err = &CorruptError{File: filepath.Join(dir, superblockName), Reason: fmt.Sprintf("missing, although %s is there", held)}
		}
		lost = err
		switch survey, ok := surveySegments(fsys, dir, names, fresh); {
		case ok:
			fresh = survey
		case segments || readOnly:
			return superblock{}, nil, err
		default: // a manifest of records that are all gone
			if err := fsys.Remove(filepath.Join(dir, manifestName)); err != nil {
				return superblock{}, nil, err
			}
		}
	}
	if readOnly {
		return fresh, lost, errIf(held == "", err)
	}
	if _, err := vfs.WriteFile(fsys, dir, filepath.Join(dir, superblockName), fresh.encode(), true); err != nil {
		return superblock{}, nil, err
	}
	// Best effort: losing the whole directory with everything in it is losing a store that was
	// never used.
	_ = fsys.SyncDir(filepath.Dir(dir))
	return fresh, lost, nil
}

func errIf(cond bool, err error) error {
	if cond {
		return err
	}
	return nil
}

// surveySegments returns the superblock of the store that most of the segments in dir belong to,
// false if none of them says which.
func surveySegments(fsys vfs.FS, dir string, names []string, fresh superblock) (superblock, bool) {
	votes, sizes := map[[identityBytes]byte]int{}, map[[identityBytes]byte]map[int64]int{}
	var best [identityBytes]byte
	for _, n := range names {
		number, ok := parseSegmentName(n)
		if !ok {
			continue
		}
		h, ok, err := readSegmentHeader(fsys, filepath.Join(dir, n))
		if err != nil || !ok || h.number != number {
			continue
		}
		if votes[h.identity]++; votes[h.identity] > votes[best] {
			best = h.identity
		}
		if known(h.version) && h.bytes >= allocateBytesMin && bits.OnesCount64(uint64(h.bytes)) == 1 {
			if sizes[h.identity] == nil {
				sizes[h.identity] = map[int64]int{}
			}
			sizes[h.identity][h.bytes]++
		}
	}
	s := superblock{version: plainVersion, identity: best, segmentBytes: fresh.segmentBytes}
	most := 0
	for bytes, n := range sizes[best] {
		if n > most || n == most && bytes < s.segmentBytes {
			s.segmentBytes, most = bytes, n
		}
	}
	return s, votes[best] > 0
}
