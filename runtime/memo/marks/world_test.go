package marks

import (
	"fmt"
	"strings"
)

// A spec is what stays as it is while a model runs: which nodes there are, and what the queries do.
type spec struct {
	parts     []uint8 // the partition of each key
	nodes     []node
	programs  []program // a query reads nodes and queries before it
	traces    int       // most traces kept of a key
	queueMax  int       // most changes in the queue
	rules     rules
	intervals int
}

// A node is what is read of a partition: one key, whether it is there, or the keys [a, b).
type node struct {
	kind nodeKind
	a, b uint8
}

type nodeKind uint8

const (
	record nodeKind = iota
	presence
	span     // keys and records
	spanKeys // keys only
)

// touched reports whether a change of key k is one of n; replaced says that k was there before and
// is after.
func (n node) touched(k uint8, replaced bool) bool {
	switch n.kind {
	case record:
		return k == n.a
	case presence:
		return k == n.a && !replaced
	case span:
		return n.a <= k && k < n.b
	default:
		return n.a <= k && k < n.b && !replaced
	}
}

// values are the keys in one generation; 0 is absent.
type values [4]uint8

func (n node) in(v *values) uint8 {
	switch n.kind {
	case record:
		return v[n.a]
	case presence:
		return min(v[n.a], 1)
	}
	sum := uint8(0)
	for k := n.a; k < n.b; k++ {
		if n.kind == span {
			sum = sum*3 + v[k]
		} else {
			sum = sum*2 + min(v[k], 1)
		}
	}
	return sum
}

func (sp *spec) partsOf(n node) uint8 {
	if n.kind == record || n.kind == presence {
		return 1 << sp.parts[n.a]
	}
	set := uint8(0)
	for k := n.a; k < n.b; k++ {
		set |= 1 << sp.parts[k]
	}
	return set
}

// keysOf returns the keys of partitions.
func (sp *spec) keysOf(parts uint8) (keys uint8) {
	for k, part := range sp.parts {
		if parts&(1<<part) != 0 {
			keys |= 1 << k
		}
	}
	return keys
}

// basisOf returns the keys that the basis of a read of n has: of a range, all of its partitions.
func (sp *spec) basisOf(n node) uint8 {
	if n.kind == record || n.kind == presence {
		return 1 << n.a
	}
	return sp.keysOf(sp.partsOf(n))
}

// A program adds up what it reads.
type program struct {
	steps []step
	mod   uint8
}

// A step reads a node, a query or a part of a query's answer, always or if the sum so far is odd
// (1) or even (2).
type step struct {
	query bool
	id    uint8
	when  uint8
	part  uint8
}

// partOf returns a part of an answer: all of it (0), one (1) or the other (2) of two names.
func partOf(answer, part uint8) uint8 {
	switch part {
	case 1:
		return answer & 1
	case 2:
		return answer >> 1
	}
	return answer
}

// next returns the first step from i on that is to be done when the sum is acc.
func (p *program) next(i int, acc uint8) int {
	for ; i < len(p.steps); i++ {
		if w := p.steps[i].when; w == 0 || (w == 1) == (acc&1 == 1) {
			break
		}
	}
	return i
}

func (p *program) add(acc, v uint8) uint8 { return (acc*2 + v) % 64 }

// scratch is the answer of a query in a generation, and the partitions read.
func (sp *spec) scratch(v *values, q uint8) uint8 {
	p := &sp.programs[q]
	acc := uint8(0)
	for i := p.next(0, 0); i < len(p.steps); i = p.next(i+1, acc) {
		if s := p.steps[i]; s.query {
			acc = p.add(acc, partOf(sp.scratch(v, s.id), s.part))
		} else {
			acc = p.add(acc, sp.nodes[s.id].in(v))
		}
	}
	return acc % p.mod
}

// rules says which rules of the protocol a model leaves out: each is a mistake that must be found.
type rules struct {
	noPull, pullFirst, publishFirst, walksDoNotLink, joined, seenNotRaised   bool // after a walk or run
	stopKeepsChanged, stopByChanged, cleared                                 bool // marking
	publishThenQueue, doNotWait                                              bool // commits and taking
	stampsStayLinked, traceLinked, unlinkedVouches, deadVouches, staleStamps bool // vouching
	nodeFromZero, nodeLooksLate                                              bool // new nodes
	forgetUnmarked, forgetEarly, forgetUnlocked, deadGoesOn                  bool // forgetting
	overflowIgnored, floorLate, absentIgnored, spansIgnored, kindsNotJoined  bool // what changed
	skipByTrace, skipOlder, skipOverFloor, skipOverStamps, skipForgetsStamps bool // reads that are passed over
	cutLive, nodeCutUsed                                                     bool // tidying
	partsAreOne, partUnlinked, partBringsNothing, partNotPulled              bool // parts of an answer
	reopenedLinked, extendsOverWalls                                         bool // after a restart
	claimsAreForEver, claimsReach, claimsStay, claimsBeginAnywhere           bool // what walls answered
	wallPartsForgotten                                                       bool
	basisNotInWalk, basisNotOfRead, wallBasisForgotten                       bool // what is rested on
	ledgerKeepsLost, ledgerTrustsLastWord, ledgerFromIgnored, ledgerLate     bool // what changed lately
	wallsUnnoted, wallUntold, skipOverWalls, skipForgetsWalls, skipUnnoted   bool // resting on walls
}

// An op is one thing that an actor does.
type op struct {
	do byte // 'c' commit, 'a' ask, 'f' forget, 't' tidy, 'r' reopen, 'k' kill and
	// reopen, 'l' store the ledger, 'w' become a wall
	id   uint8 // key, or query
	val  uint8 // what a commit puts
	back uint8 // which generation an ask is about: 0 the newest, else that one
}

// ops reads a script: "c0=2 a1 a1@2 f0 t r".
func ops(script string) []op {
	var list []op
	for word := range strings.FieldsSeq(script) {
		o := op{do: word[0]}
		switch o.do {
		case 'c':
			mustScan(word, "c%d=%d", &o.id, &o.val)
		case 'f', 'w':
			mustScan(word[1:], "%d", &o.id)
		case 'a':
			if strings.Contains(word, "@") {
				mustScan(word, "a%d@%d", &o.id, &o.back)
			} else {
				mustScan(word, "a%d", &o.id)
			}
		}
		list = append(list, o)
	}
	return list
}

func mustScan(word, form string, to ...any) {
	if n, err := fmt.Sscanf(word, form, to...); n != len(to) || err != nil {
		panic(fmt.Sprintf("script %q: %v", word, err))
	}
}
