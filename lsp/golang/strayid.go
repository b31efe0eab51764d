package golang

import (
	"strings"

	"github.com/cytisus/cytisus/lsp/golang/disk"
)

// A stray package is made for a file that the build leaves out, so that questions about it have
// answers: a file for another platform or with other build tags, a program of one file, an example
// below testdata. It is made of the files of the same directory that would be built together with
// it, under the build nearest to the workspace's own in which the file takes part.
//
// Strays are computed when somebody asks about such a file. They are not part of the workspace:
// they are not indexed, and a search that starts elsewhere does not look into them. What they
// import may be known for the workspace's own platform only, and may be otherwise on theirs: errors
// that follow from such are dropped (doubts.go).
type stray struct {
	build disk.Target
	kind  strayKind
	at    string // URI of the directory, or of the only file
	name  string // of the package; "" takes that of the first file
}

// A strayKind says which files of a directory make the package.
type strayKind string

const (
	strayPlain    strayKind = "plain"
	strayTests    strayKind = "tests"    // with the test files of the package itself
	strayExternal strayKind = "external" // the test files of another package, name_test
	strayAlone    strayKind = "alone"    // one file, as go run takes it
)

// strayMark stands between the path and the rest in the ID of a stray package. No import path holds
// a space.
const strayMark = " [stray "

func isStray(id string) bool { return strings.Contains(id, strayMark) }

// id is the ID of the package; path is its import path, which others may know parts of it by.
func (s *stray) id(path string) string {
	cgo := "nocgo"
	if s.build.Cgo {
		cgo = "cgo"
	}
	fields := []string{s.build.OS, s.build.Arch, cgo, "+" + strings.Join(s.build.Tags, ","), string(s.kind), "=" + s.name, s.at}
	return path + strayMark + strings.Join(fields, " ") + "]"
}

// parseStray is the inverse of id. A URI holds no space.
func parseStray(id string) (path string, s stray, ok bool) {
	path, rest, ok := strings.Cut(id, strayMark)
	fields := strings.Split(strings.TrimSuffix(rest, "]"), " ")
	if !ok || len(fields) != 7 {
		return "", s, false
	}
	s = stray{
		build: disk.Target{OS: fields[0], Arch: fields[1], Cgo: fields[2] == "cgo"},
		kind:  strayKind(fields[4]), name: strings.TrimPrefix(fields[5], "="), at: fields[6],
	}
	if tags := strings.TrimPrefix(fields[3], "+"); tags != "" {
		s.build.Tags = strings.Split(tags, ",")
	}
	return path, s, true
}

// standaloneTag is the constraint of a program of one file that is run by itself.
const standaloneTag = "ignore"
