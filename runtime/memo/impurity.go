package memo

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/cytisus/cytisus/mmapcas"
)

// A Cause is what is likely to make a query give another result for the same reads.
type Cause uint8

const (
	// CauseUndeclared: the query gives the same result each time now, and gave another one before.
	// It depends on something that it did not read through its task.
	CauseUndeclared Cause = iota + 1

	// CauseOrder: it is the same in another order, as of a map.
	CauseOrder

	// CauseTime: it is another result each time.
	CauseTime

	// CauseStale: a read is not what it was, although the answer was said to hold. What was read is
	// itself not pure, or the engine is at fault.
	CauseStale
)

var causeNames = [...]string{
	"", "it depends on something that it did not read through its task",
	"the order of what it gives, or reads, is not stable",
	"each run gives another result: the time, chance, or a count",
	"what it read has changed since, and was not marked as changed",
}

func (c Cause) String() string {
	if int(c) >= len(causeNames) {
		return fmt.Sprintf("cause %d", uint8(c))
	}
	return causeNames[c]
}

// MarshalText gives the cause in words.
func (c Cause) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText is the inverse of MarshalText; words of another program are no cause.
func (c *Cause) UnmarshalText(text []byte) error {
	*c = Cause(max(slices.Index(causeNames[:], string(text)), 0))
	return nil
}

// An Impurity is a reused answer that came out differently when it was computed again.
type Impurity struct {
	Query      string `json:"query"`
	Key        string `json:"key"`
	Generation uint64 `json:"generation"` // in which it was computed again
	Cause      Cause  `json:"cause"`

	// Read is the first read in which the two runs differ: what it read now, and what it had read.
	// Empty: all reads are the same.
	Read string `json:"read,omitempty"`

	Kept string `json:"kept"` // the result that was reused, around the first difference
	Now  string `json:"now"`  // the result of the run
}

// impurity says what is wrong with a sample of which a rerun, and another after it, gave something
// else than what is kept; stale is a read of it that is not as it was, if there is one. It reports
// false if what is kept cannot be read.
func (t *Table) impurity(x sample, gen uint64, first, second rerun, stale *read) (*Impurity, bool) {
	q := x.entry.query
	var (
		payload []byte
		value   any
	)
	err := t.View(x.trace.result, func(kind mmapcas.Kind, p []byte) (err error) {
		defer caught(&err)
		payload = bytes.Clone(p)
		value, err = q.Decode(kind, p)
		return err
	})
	if err != nil {
		return nil, false
	}
	found := &Impurity{Query: q.Name, Key: q.ShowKey(x.entry.key()), Generation: gen, Cause: CauseUndeclared}
	read, sameReads := t.firstStray(x.trace.reads, first.reads)
	found.Read = read
	switch {
	case stale != nil:
		found.Cause, found.Read = CauseStale, t.describe(stale)
	case sameReads && read != "":
		found.Cause = CauseOrder
	case first.err == nil && permuted(payload, first.res.Payload):
		found.Cause = CauseOrder
	case first.hash != second.hash || (first.err == nil) != (second.err == nil) || second.hash == x.trace.result:
		found.Cause = CauseTime
	}
	now := ""
	if first.err == nil {
		now = showResult(first.res.Value, len(first.res.Payload))
	} else {
		now = "error: " + first.err.Error()
	}
	found.Kept, found.Now = excerpts(showResult(value, len(payload)), now)
	return found, true
}

// firstStray describes the first read in which two runs differ, "" if there is none, and says
// whether they read the same in some order.
func (t *Table) firstStray(kept, now []read) (stray string, same bool) {
	ids := make(map[readID]struct{}, len(kept))
	for i := range kept {
		ids[kept[i].id()] = struct{}{}
	}
	same = len(kept) == len(now)
	for i := range now {
		_, there := ids[now[i].id()]
		same = same && there
	}
	name := func(reads []read, i int) string {
		if i < len(reads) {
			return t.describe(&reads[i])
		}
		return "nothing more"
	}
	for i := range max(len(kept), len(now)) {
		if i >= len(kept) || i >= len(now) || !kept[i].same(&now[i]) {
			return name(now, i) + ", before " + name(kept, i), same
		}
	}
	return "", same
}

// permuted reports whether two payloads are the same bytes in another order, as lists and maps are
// whose elements are.
func permuted(a, b []byte) bool {
	if len(a) != len(b) || bytes.Equal(a, b) {
		return false
	}
	var counts [256]int
	for i := range a {
		counts[a[i]]++
		counts[b[i]]--
	}
	return counts == [256]int{}
}

// shownBytesMax bounds the payload of a result that is shown.
const shownBytesMax = 1 << 20

func showResult(v any, payloadBytes int) string {
	if payloadBytes > shownBytesMax {
		return fmt.Sprintf("%d bytes", payloadBytes)
	}
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return fmt.Sprintf("%+v", v)
}

// An excerpt has excerptBytes at most, of which excerptBefore are before the first difference.
const (
	excerptBytes  = 256
	excerptBefore = 64
)

// excerpts returns what is around the first difference of two texts.
func excerpts(a, b string) (string, string) {
	at := sharedPrefix(a, b)
	return excerpt(a, at), excerpt(b, at)
}

func excerpt(s string, at int) string {
	if len(s) <= excerptBytes {
		return s
	}
	from := max(0, min(at, len(s))-excerptBefore)
	to := min(len(s), from+excerptBytes)
	out := s[from:to]
	if from > 0 {
		out = "..." + out
	}
	if to < len(s) {
		out += "..."
	}
	return out
}
