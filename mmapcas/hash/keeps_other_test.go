//go:build !amd64

package hash

func (s *state) keeps() bool { return false }
