//go:build !amd64

package hash

import "github.com/cytisus/cytisus/affinity"

// batcher has nothing to keep where there are no lanes.
type batcher struct{}

func newBatcher() batcher { return batcher{} }

func (s *state) batch(kind uint8, payloads [][]byte, out []Hash, _ affinity.Level) {
	for i, p := range payloads {
		out[i] = s.hash(kind, p)
	}
}
