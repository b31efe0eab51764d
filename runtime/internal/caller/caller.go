// Package caller says where in a program the engine was called.
package caller

import (
	"fmt"
	goruntime "runtime"
	"strings"
)

const engine = "github.com/cytisus/cytisus/runtime"

// own are the packages whose functions are passed over: a definition is where their caller is.
var own = []string{engine + ".", engine + "/keyed.", engine + "/internal/caller."}

// Outside returns the place of the nearest caller that is no part of the engine.
func Outside() string {
	var pcs [16]uintptr
	frames := goruntime.CallersFrames(pcs[:goruntime.Callers(1, pcs[:])])
	for {
		f, more := frames.Next()
		if f.File != "" && !isOwn(f.Function) {
			return fmt.Sprintf("%s:%d", f.File, f.Line)
		}
		if !more {
			return "an unknown place"
		}
	}
}

func isOwn(function string) bool {
	for _, p := range own {
		if strings.HasPrefix(function, p) {
			return true
		}
	}
	return false
}
