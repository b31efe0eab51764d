package disk

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cytisus/cytisus/lsp"

	"github.com/cytisus/cytisus/lsp/files"
)

// A Stat is what a stat call says about a file: equal stats mean that the content need not be
// read again. Change time and inode are there for tools that preserve the modification time of what
// they replace.
type Stat struct {
	Size   int64
	ModNS  int64
	ChgNS  int64  // change time; 0 where the platform has none
	Inode  uint64 // 0 where the platform has none
	Refuse string // why the content is not kept; "" for a file that is read
}

// ErrDirectory is what StatFile says of a directory.
var ErrDirectory = errors.New("a directory")

// StatFile looks at a file, through symbolic links.
func StatFile(path string) (Stat, error) {
	info, err := files.Stat(path)
	if info != nil && info.IsDir() {
		return Stat{}, ErrDirectory
	}
	if err != nil {
		return Stat{}, err
	}
	st := Stat{Size: info.Size(), ModNS: info.ModTime().UnixNano()}
	st.ChgNS, st.Inode = changeTime(info)
	if st.Size > lsp.MaxFileBytes {
		st.Refuse = fmt.Sprintf("the file has %d bytes, more than the limit of %d: it is not read", st.Size, lsp.MaxFileBytes)
	}
	return st, nil
}

// ReadInput reads a file that StatFile accepted.
func ReadInput(path string) ([]byte, error) { return files.Read(path, lsp.MaxFileBytes) }

// AppendBinary implements encoding.BinaryAppender.
func (s *Stat) AppendBinary(b []byte) ([]byte, error) {
	b = binary.AppendVarint(b, s.Size)
	b = binary.AppendVarint(b, s.ModNS)
	b = binary.AppendVarint(b, s.ChgNS)
	b = binary.AppendUvarint(b, s.Inode)
	return append(b, s.Refuse...), nil
}

// UnmarshalBinary is the inverse of AppendBinary.
func (s *Stat) UnmarshalBinary(b []byte) error {
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
