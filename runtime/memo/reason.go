package memo

import (
	"fmt"
	"slices"
	"strings"
)

// A Verdict says how a key was last answered.
type Verdict uint8

const (
	Unknown    Verdict = iota // not asked for in this process
	Reused                    // known to hold without verifying a read
	Validated                 // every read verified
	RanFirst                  // no trace was there
	RanChanged                // a read had changed
	RanUnkept                 // ran, and the result is not kept
	RanFailed                 // ran, and failed or panicked
)

var verdictNames = [...]string{
	"not asked for in this process", "reused", "validated: every read is as it was",
	"ran: no earlier run is known", "ran: a read changed",
	"ran: the result is not kept, it rests on an error or was said to be unstable", "ran and failed",
}

func (v Verdict) String() string { return verdictNames[v] }

// verdictWords are for programs: what MarshalText writes, and what does not change.
var verdictWords = [...]string{
	"notAsked", "reused", "validated", "ranFirst", "ranChanged", "ranUnkept", "ranFailed",
}

// MarshalText writes the word for programs; String has a sentence for people.
func (v Verdict) MarshalText() ([]byte, error) {
	if int(v) >= len(verdictWords) {
		return nil, fmt.Errorf("memo: no verdict %d", uint8(v))
	}
	return []byte(verdictWords[v]), nil
}

// UnmarshalText reads what MarshalText wrote.
func (v *Verdict) UnmarshalText(text []byte) error {
	i := slices.Index(verdictWords[:], string(text))
	if i < 0 {
		return fmt.Errorf("memo: no verdict is called %q", text)
	}
	*v = Verdict(i)
	return nil
}

// A Reason explains the last answer for a key.
type Reason struct {
	Verdict Verdict `json:"verdict"`
	Read    string  `json:"read,omitempty"`  // RanChanged: the first read that differed from the newest trace
	Err     string  `json:"error,omitempty"` // RanFailed: the first line of the error

	// Unstored says why the newest result is in no store, so that it is computed again after a
	// restart; it is told by Explain only, and empty if the result is stored.
	Unstored string `json:"unstored,omitempty"`
}

func (r Reason) String() string {
	s := r.Verdict.String()
	for _, more := range []string{r.Read, r.Err} {
		if more != "" {
			s += ": " + more
		}
	}
	if r.Unstored != "" {
		s += "; the result is not stored: " + r.Unstored
	}
	return s
}

// failure is the Reason of a run that ended with err.
func failure(err error) Reason {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return Reason{Verdict: RanFailed, Err: line[:min(len(line), failureBytes)]}
}

// failureBytes bounds what is remembered of an error for each key.
const failureBytes = 1 << 10

// explain says how the key was last answered.
func (e *entry) explain(why Reason) {
	e.mu.Lock()
	e.setWhy(why)
	e.mu.Unlock()
}

// Explain returns how q was last answered for key in this process, and what its newest trace reads,
// which the store may know.
func (t *Table) Explain(q *Query, key string) (Reason, []string) {
	if q.fits(key) != nil {
		return Reason{}, nil
	}
	e := t.entry(q, key)
	_ = t.load(e) // without the store it is what is in memory
	e.mu.Lock()
	defer e.mu.Unlock()
	var reads []string
	why := e.reason()
	if tr := e.traces; tr != nil {
		if tr.unstored {
			why.Unstored = q.whyUnstored()
		}
		for i := range tr.reads {
			reads = append(reads, t.describe(&tr.reads[i]))
		}
	}
	return why, reads
}

func (t *Table) describe(r *read) string {
	if r.kind.asks() {
		return t.describeQuery(r)
	}
	name := t.o.DB.PartitionName(r.part)
	if r.kind.ranged() {
		span := fmt.Sprintf("%s[%q:%q]", name, r.key, r.hi)
		if r.glob != "" {
			span += " that match " + r.glob
		}
		switch r.kind &^ readFiltered {
		case readKeys:
			return "keys of " + span
		case readCount:
			return "number of keys of " + span
		default:
			return span
		}
	}
	if r.kind == readPresence {
		return fmt.Sprintf("whether %s[%q] is there", name, r.key)
	}
	return fmt.Sprintf("%s[%q]", name, r.key)
}

// describeQuery is describe for the kinds that ask, which have no partition.
func (t *Table) describeQuery(r *read) string {
	var asked string
	if q := t.o.Lookup(r.query); q != nil {
		asked = q.show(r.key)
	} else {
		asked = fmt.Sprintf("%s(%q), which this program does not have", r.query, r.key)
	}
	switch r.kind {
	case readMember:
		return "the cycle of " + asked
	case readPart:
		return fmt.Sprintf("%s[%q]", asked, r.name)
	case readNames:
		return "names of " + asked
	}
	return asked
}
