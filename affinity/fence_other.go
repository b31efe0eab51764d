//go:build !linux || !amd64 || race

package affinity

var answered = func() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// WantRemoteFences does nothing here: [RemoteFences] stays false, and threads use atomic stores.
// Elsewhere than on amd64 these are cheap, and the race detector must see them.
func WantRemoteFences() <-chan struct{} { return answered }

// RemoteFence is never called, since RemoteFences says false.
func RemoteFence() {}
