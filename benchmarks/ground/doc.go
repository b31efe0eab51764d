// Package ground has the Go code that whole tools are measured on, in three sizes, and of eight
// kinds more.
//
//	small      a module of a dozen packages that is generated, the same for one seed
//	std        the standard library of the Go command in use
//	large      github.com/prometheus/prometheus, from the module proxy, without its go.work
//	generic    github.com/samber/lo: mostly generic functions
//	cgo        github.com/mattn/go-sqlite3: mostly cgo
//	generated  google.golang.org/protobuf: a third of it is generated
//	logging    go.uber.org/zap
//	commands   github.com/spf13/cobra
//	web        github.com/gin-gonic/gin
//	consensus  github.com/hashicorp/raft
//	rpc        google.golang.org/grpc, with what protoc generated for it
//
// Modules are pinned in fetch.go.
//
// Modules lie in a directory of the run: nothing that is measured writes to a module cache, or to
// the toolchain. A ground that cannot be had (no network) has compare.ErrAbsent in its error.
//
// A ground is listed by the go command before anything is measured, so that all entrants find the
// modules, and the go command its own caches, in the same state. The command that is measured is
// built from this tree.
package ground
