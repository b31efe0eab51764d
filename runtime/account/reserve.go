package account

import (
	"sync"
	"sync/atomic"
)

// LimitLeast is the least that a process can be held to, in bytes: beside what the program and Go's
// runtime take, something has to be left to work with.
const LimitLeast = 32 << 20

// reserved is what child processes take.
var reserved atomic.Int64

// Reserve says, until release is called, that a child process takes about so many bytes. A
// container counts it with this process, and so does who holds to a limit.
func Reserve(bytes int64) (release func()) {
	bytes = max(bytes, 0)
	reserved.Add(bytes)
	return sync.OnceFunc(func() { reserved.Add(-bytes) })
}

// Reserved returns what is reserved.
func Reserved() int64 { return reserved.Load() }
