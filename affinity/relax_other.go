//go:build !amd64 && !arm64

package affinity

// pause burns a few cycles: there is no spin-wait hint for this processor here.
//
//go:noinline
func pause(n uint32) {
	for range n {
		nothing()
	}
}

//go:noinline
func nothing() {}
