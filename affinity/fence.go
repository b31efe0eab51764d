package affinity

import "sync/atomic"

// remoteFences turns from false to true at most once.
var remoteFences atomic.Bool

// RemoteFences reports whether one thread may do without a fence between its store and its load,
// because another makes all threads of the process pass one with [RemoteFence]. It turns from false
// to true at most once, after [WantRemoteFences]. The other thread looks after its own store, so a
// thread that was told earlier than that one loads after that store; see package epoch, "Fences".
func RemoteFences() bool { return remoteFences.Load() }
