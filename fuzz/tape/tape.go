// Package tape records the random choices that a test makes, and makes fewer of those of one that
// fails.
//
// A test that makes all its choices with one source, and is deterministic beside, is repeated by
// the numbers that the source gave. Some of them left out, it is another test, mostly a shorter
// one: what a number decided the next one decides. So a failing test becomes smaller without
// knowing what its choices mean, as long as it ends when the tape does.
package tape

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// A Tape is a source of random numbers (math/rand/v2) that keeps what it gave. One goroutine uses
// it.
type Tape struct {
	numbers []uint64
	at      int
	more    rand.Source // nil: the tape is played, and gets no longer
	behind  rand.Source
}

// Record returns an empty tape that takes numbers from a source as they are asked for.
func Record(source rand.Source) *Tape { return &Tape{more: source} }

// Play returns a tape with numbers on it, which it keeps.
func Play(numbers []uint64) *Tape {
	return &Tape{numbers: numbers, behind: rand.NewPCG(0, 0)}
}

// Over reports whether a tape that is played is at its end. It gives numbers still, always the
// same, so that whoever is in the middle of something can end it.
func (t *Tape) Over() bool { return t.more == nil && t.at >= len(t.numbers) }

// Uint64 implements rand.Source.
func (t *Tape) Uint64() uint64 {
	if t.at == len(t.numbers) {
		if t.more == nil {
			return t.behind.Uint64()
		}
		t.numbers = append(t.numbers, t.more.Uint64())
	}
	t.at++
	return t.numbers[t.at-1]
}

// Numbers returns what was asked for so far, but for what was asked for behind the end.
func (t *Tape) Numbers() []uint64 { return slices.Clone(t.numbers[:t.at]) }

// Shorter returns some of the numbers, in their order, with which fails is still true, after at
// most so many attempts. It leaves out halves, quarters, and so on down to single numbers, from the
// end on, until no more can be left out.
func Shorter(numbers []uint64, attempts int, fails func([]uint64) bool) []uint64 {
	best := slices.Clone(numbers)
	for again := true; again; {
		again = false
		for piece := len(best); piece > 0; piece /= 2 {
			for to := len(best); to > 0; to -= piece {
				if attempts == 0 {
					return best
				}
				attempts--
				// to may lie behind what is left of it.
				end := min(to, len(best))
				less := slices.Delete(slices.Clone(best), max(0, end-piece), end)
				if len(less) < len(best) && fails(less) {
					best, again = less, true
				}
			}
		}
	}
	return best
}

// Text is the numbers as Parse reads them.
func Text(numbers []uint64) string {
	var b strings.Builder
	for i, n := range numbers {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatUint(n, 36))
	}
	return b.String()
}

// Parse is the inverse of Text.
func Parse(text string) ([]uint64, error) {
	var numbers []uint64
	for word := range strings.SplitSeq(text, ",") {
		n, err := strconv.ParseUint(word, 36, 64)
		if err != nil {
			return nil, fmt.Errorf("tape: %q is no number", word)
		}
		numbers = append(numbers, n)
	}
	return numbers, nil
}
