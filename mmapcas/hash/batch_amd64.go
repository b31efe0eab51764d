package hash

import (
	"encoding/binary"
	"unsafe"

	"github.com/cytisus/cytisus/affinity"
)

const (
	blockBytes  = 64
	chunkBytes  = 1024
	chunkBlocks = chunkBytes / blockBytes

	// minLanes is the number of chunks from which a group costs less than hashing one record after
	// the other.
	minLanes = 3

	// window is how many records are sorted at a time.
	window = 128
)

// Flags of BLAKE3.
const (
	flagStart  = 1 << 0
	flagEnd    = 1 << 1
	flagParent = 1 << 2
	flagRoot   = 1 << 3
)

// A job is one chunk: a record's number in its window and which part of the record's message it is.
type job struct {
	record uint8
	part   part
}

type part uint8

const (
	whole  part = iota // the message is this chunk
	left               // first of two chunks
	right              // second of two
	parent             // both, once they are hashed
)

// A batcher is the working memory of batch.
type batcher struct {
	*group
	ptr     [maxLanes]unsafe.Pointer // where each lane's payload bytes are
	jobs    [2 * window]job
	pairs   [window]job // the parents
	parents [window][blockBytes / 4]uint32
}

func newBatcher() batcher { return batcher{group: new(group)} }

// batch sets out[i] to the name of payloads[i], with code of the given level, which the processor
// must have. Messages of one or two chunks run in lanes, sorted by their number of blocks so that
// the chunks of a group end together. Longer ones are for zeebo, which runs the chunks of one
// message side by side.
func (s *state) batch(kind uint8, payloads [][]byte, out []Hash, level affinity.Level) {
	for len(payloads) > 0 {
		n := min(window, len(payloads))
		if level == affinity.Portable || n < minLanes {
			for i, p := range payloads[:n] {
				out[i] = s.hash(kind, p)
			}
		} else {
			s.window(kind, payloads[:n], out, level)
		}
		payloads, out = payloads[n:], out[n:]
	}
}

func (s *state) window(kind uint8, payloads [][]byte, out []Hash, level affinity.Level) {
	// Counting sort: at[b] is first the number of chunks of b blocks, then where the next of them
	// goes.
	var at [chunkBlocks + 1]int
	if level == affinity.AVX512 && alike(payloads) {
		s.direct(kind, payloads, out)
		return
	}
	for _, p := range payloads {
		switch m := 1 + len(p); {
		case m <= chunkBytes:
			at[blocks(m)]++
		case m <= 2*chunkBytes:
			at[chunkBlocks]++
			at[blocks(m-chunkBytes)]++
		}
	}
	jobs := 0
	for b, n := range at {
		at[b] = jobs
		jobs += n
	}
	place := func(m int, j job) {
		b := blocks(m)
		s.jobs[at[b]] = j
		at[b]++
	}
	pairs := 0
	for i, p := range payloads {
		switch m := 1 + len(p); {
		case m <= chunkBytes:
			place(m, job{uint8(i), whole})
		case m <= 2*chunkBytes:
			place(chunkBytes, job{uint8(i), left})
			place(m-chunkBytes, job{uint8(i), right})
			s.pairs[pairs] = job{uint8(i), parent}
			pairs++
		default:
			out[i] = s.hash(kind, p)
		}
	}
	s.run(kind, payloads, out, s.jobs[:jobs], pairs == 0, level)
	s.run(kind, payloads, out, s.pairs[:pairs], false, level)
	clear(s.ptr[:]) // payloads are not ours to keep alive
}

// alike reports whether payloads in the order that they have make groups as good as sorted ones:
// all are messages of one chunk, and of as many blocks or in a single group.
func alike(payloads [][]byte) bool {
	if len(payloads) <= narrowLanes {
		return false
	}
	first := blocks(1 + len(payloads[0]))
	single := len(payloads) <= maxLanes
	for _, p := range payloads {
		if 1+len(p) > chunkBytes || blocks(1+len(p)) != first && !single {
			return false
		}
	}
	// Too few are left over for a group of their own.
	rest := len(payloads) % maxLanes
	return rest == 0 || rest > narrowLanes
}

// direct is window for payloads that are alike.
func (s *state) direct(kind uint8, payloads [][]byte, out []Hash) {
	for len(payloads) > 0 {
		n := min(maxLanes, len(payloads))
		s.messages(kind)
		longest := 0
		for lane, p := range payloads[:n] {
			s.message(lane, p)
			longest = max(longest, len(p))
		}
		clear(s.rem[n:])
		lanes16(s.group, &s.ptr, uint64(blocks(1+longest)))
		copy(out, s.names[:n])
		payloads, out = payloads[n:], out[n:]
	}
	clear(s.ptr[:])
}

func blocks(messageBytes int) int { return int(uint(messageBytes+blockBytes-1) / blockBytes) }

// run does jobs, which are sorted, a group at a time; single says that all are whole messages.
func (s *state) run(kind uint8, payloads [][]byte, out []Hash, jobs []job, single bool, level affinity.Level) {
	lanes := narrowLanes
	if level == affinity.AVX512 {
		lanes = maxLanes
	}
	for len(jobs) > 0 {
		now := jobs[:min(lanes, len(jobs))]
		jobs = jobs[len(now):]
		if len(now) < minLanes && now[0].part == whole && now[len(now)-1].part == whole {
			for _, j := range now {
				out[j.record] = s.hash(kind, payloads[j.record])
			}
			continue
		}
		narrow := len(now) <= narrowLanes
		most := 0
		if !narrow && single {
			s.messages(kind)
			for lane, j := range now {
				s.message(lane, payloads[j.record])
				most = max(most, blocks(1+len(payloads[j.record])))
			}
		} else {
			for lane, j := range now {
				most = max(most, blocks(s.load(lane, kind, payloads[j.record], j, narrow)))
			}
		}
		clear(s.rem[len(now):])
		if narrow {
			clear(s.last[len(now):])
		}
		switch {
		case !narrow:
			lanes16(s.group, &s.ptr, uint64(most))
		case level == affinity.AVX512:
			lanes8VL(s.group, &s.ptr, uint64(most))
		default:
			lanes8(s.group, &s.ptr, uint64(most))
		}
		g := s.group
		for lane, j := range now {
			lane &= maxLanes - 1
			switch j.part {
			case whole, parent:
				h := &out[j.record]
				if !narrow {
					*h = g.names[lane]
					continue
				}
				binary.LittleEndian.PutUint32(h[0:], g.out[0][lane])
				binary.LittleEndian.PutUint32(h[4:], g.out[1][lane])
				binary.LittleEndian.PutUint32(h[8:], g.out[2][lane])
				binary.LittleEndian.PutUint32(h[12:], g.out[3][lane])
			case left:
				s.store(lane, (*[8]uint32)(s.parents[j.record][:8]))
			case right:
				s.store(lane, (*[8]uint32)(s.parents[j.record][8:]))
			}
		}
	}
}

func (s *state) store(lane int, to *[8]uint32) {
	for w := range to {
		to[w] = s.out[w][lane]
	}
}

// load gives a lane its chunk and returns the chunk's length. edges says that the kernel wants
// copies of the first and the last block.
//
// Safety: a kernel reads the rem bytes from ptr-skew on, without the one before ptr: lanes16 masks
// the others out, the narrow kernels take from head and tail every block that is not wholly inside.
// What is left are the bytes of q.
func (s *state) load(lane int, kind uint8, p []byte, j job, edges bool) int {
	q, skew, counter := p, 1, uint32(0)
	start, end := uint32(flagStart), uint32(flagEnd)
	switch j.part {
	case whole:
		end |= flagRoot
	case left:
		q = p[:chunkBytes-1]
	case right:
		q, skew, counter = p[chunkBytes-1:], 0, 1
	case parent:
		q, skew = unsafe.Slice((*byte)(unsafe.Pointer(&s.parents[j.record])), blockBytes), 0
		start, end = flagParent, flagRoot
	}
	readRange(q)
	m := skew + len(q)
	g := s.group
	lane &= maxLanes - 1 // which it is; the compiler is told
	s.ptr[lane] = unsafe.Pointer(unsafe.SliceData(q))
	g.skew[lane] = uint64(skew)
	g.mask[lane] = ^uint64(skew)
	g.kind[lane] = uint32(kind) * uint32(skew)
	g.rem[lane] = uint32(m)
	g.counter[lane] = counter
	g.start[lane] = start
	g.end[lane] = end
	if edges {
		s.edges(lane, kind, q, skew)
	}
	return m
}

// messages gets all lanes of a group of lanes16 ready for whole messages; message then gives them
// out.
func (s *state) messages(kind uint8) {
	g := s.group
	for i := range g.kind {
		g.kind[i] = uint32(kind)
	}
	g.skew, g.mask, g.counter, g.start, g.end = singles.skew, singles.mask, singles.counter, singles.start, singles.end
}

// message gives a lane the message of kind and p. See load for its safety.
func (s *state) message(lane int, p []byte) {
	lane &= maxLanes - 1
	readRange(p)
	s.ptr[lane] = unsafe.Pointer(unsafe.SliceData(p))
	s.rem[lane] = uint32(1 + len(p))
}

// singles is what lanes that are messages have in common.
var singles = func() (g group) {
	for i := range maxLanes {
		g.skew[i], g.mask[i] = 1, ^uint64(1)
		g.start[i], g.end[i] = flagStart, flagEnd|flagRoot
	}
	return g
}()

// edges copies the first and the last block of a lane's chunk.
func (s *state) edges(lane int, kind uint8, q []byte, skew int) {
	last := (skew + len(q) - 1) &^ (blockBytes - 1)
	s.last[lane] = uint64(last)
	first := &s.head[lane]
	if last == 0 {
		first = &s.tail[lane]
	} else {
		tail := &s.tail[lane]
		clear(tail[copy(tail[:], q[last-skew:]):])
	}
	if skew == 0 {
		clear(first[copy(first[:], q):])
		return
	}
	first[0] = kind
	if len(q) >= blockBytes-1 {
		*(*[blockBytes - 1]byte)(first[1:]) = [blockBytes - 1]byte(q)
		return
	}
	clear(first[1+copy(first[1:], q):])
}
