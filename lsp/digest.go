package lsp

import "github.com/zeebo/blake3"

// A Digest stands for bytes, such as a text: they are equal if their digests are.
type Digest [16]byte

// DigestOf returns the digest of bytes.
func DigestOf(b []byte) (d Digest) {
	sum := blake3.Sum256(b)
	copy(d[:], sum[:])
	return d
}
