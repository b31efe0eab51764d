package code

import (
	"crypto/rand"
	"crypto/sha256"
	"io"
	"os"
)

// hashExecutable returns the hash of the executable, or bytes that no other process has if that
// cannot be read: then nothing of an earlier process counts.
func hashExecutable() []byte {
	sum, err := hashFile()
	if err != nil {
		sum = make([]byte, sha256.Size)
		_, _ = rand.Read(sum) // it never fails
	}
	return sum
}

func hashFile() ([]byte, error) {
	name, err := os.Executable()
	if err != nil {
		return nil, err
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return nil, err
	}
	return h.Sum(nil), nil
}
