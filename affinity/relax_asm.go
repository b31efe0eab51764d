//go:build amd64 || arm64

package affinity

// pause executes n > 0 spin-wait hints (PAUSE on amd64, YIELD on arm64). Call it through Relax or
// Pause only.
//
//go:noescape
func pause(n uint32)
