//go:build race

package arena

// Race says whether the race detector watches: it sees heap memory, and no mapped memory.
const Race = true
