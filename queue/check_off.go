//go:build !check

package queue

// A soleUse does nothing in this build.
type soleUse struct{}

func (*soleUse) enter(string) {}
func (*soleUse) leave()       {}
