package affinity

// CacheLineBytes is the size that false sharing is avoided at: one cache line of the machines we
// care about. Some arm64 cores use 128; LinePair covers them.
const CacheLineBytes = 64

// LinePairBytes is two adjacent cache lines. Intel's and AMD's spatial prefetcher moves lines in
// such pairs, so two hot words need this distance before they stop disturbing each other.
const LinePairBytes = 2 * CacheLineBytes

// A CacheLine between two fields keeps them off one cache line.
type CacheLine [CacheLineBytes]byte

// A LinePair between two fields keeps them off one cache line and off one prefetched pair of lines.
type LinePair [LinePairBytes]byte
