package golang

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cytisus/cytisus/lsp"

	"github.com/cytisus/cytisus/lsp/files"
)

// A fileStat is what a stat call says about a file: equal stats mean that the content need not be
// read again. Change time and inode are there for tools that preserve the modification time of what
// they replace.
type fileStat struct {
	Size   int64
	ModNS  int64
	ChgNS  int64  // change time; 0 where the platform has none
	Inode  uint64 // 0 where the platform has none
	Refuse string // why the content is not kept; "" for a file that is read
}

var errDirectory = errors.New("a directory")

// statFile looks at a file, through symbolic links.
func statFile(path string) (fileStat, error) {
	info, err := files.Stat(path)
	if info != nil && info.IsDir() {
		return fileStat{}, errDirectory
	}
	if err != nil {
		return fileStat{}, err
	}
	st := fileStat{Size: info.Size(), ModNS: info.ModTime().UnixNano()}
	st.ChgNS, st.Inode = changeTime(info)
	if st.Size > lsp.MaxFileBytes {
		st.Refuse = fmt.Sprintf("the file has %d bytes, more than the limit of %d: it is not read", st.Size, lsp.MaxFileBytes)
	}
	return st, nil
}

// readInput reads a file that statFile accepted.
func readInput(path string) ([]byte, error) { return files.Read(path, lsp.MaxFileBytes) }

// AppendBinary implements encoding.BinaryAppender.
func (s *fileStat) AppendBinary(b []byte) ([]byte, error) {
	b = binary.AppendVarint(b, s.Size)
	b = binary.AppendVarint(b, s.ModNS)
	b = binary.AppendVarint(b, s.ChgNS)
	b = binary.AppendUvarint(b, s.Inode)
	return append(b, s.Refuse...), nil
}

// UnmarshalBinary is the inverse of AppendBinary.
func (s *fileStat) UnmarshalBinary(b []byte) error {
	for _, to := range []*int64{&s.Size, &s.ModNS, &s.ChgNS} {
		v, n := binary.Varint(b)
		if n <= 0 {
			return errStat
		}
		*to, b = v, b[n:]
	}
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return errStat
	}
	s.Inode, s.Refuse = v, string(b[n:])
	return nil
}

var errStat = fmt.Errorf("golang: damaged stat record")
