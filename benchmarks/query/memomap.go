package query

import (
	"context"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// memoMap keeps answers in a map, with one computation for all that ask for the same: what a
// program has that knows no dependencies. Any change makes every answer stale.
type memoMap struct {
	recompute
	generation int
	answers    sync.Map // of node to answerAt
	flights    singleflight.Group
}

// A node is the answer number at of a level; level 0 are the files' own.
type node struct{ level, at int }

// text is the level of the answers that rest on a file's text only.
const text = -1

type answerAt struct{ generation, sum int }

func newMemoMap(ctx context.Context, dir string, s shape) (contender, error) {
	c, err := newRecompute(ctx, dir, s)
	if err != nil {
		return nil, err
	}
	return &memoMap{recompute: *c.(*recompute)}, nil
}

func (m *memoMap) set(ctx context.Context, key, text string) error {
	m.generation++
	return m.recompute.set(ctx, key, text)
}

func (m *memoMap) ask(context.Context) (sum int, took time.Duration, err error) {
	began := time.Now()
	if m.wide {
		for i := range m.files {
			sum += m.sum(node{0, i})
		}
	} else {
		sum = m.sum(top(m.files))
	}
	return sum, time.Since(began), nil
}

func (m *memoMap) one(context.Context) (length int, took time.Duration, err error) {
	began := time.Now()
	length = m.sum(node{text, 0})
	return length, time.Since(began), nil
}

func (m *memoMap) sum(n node) int {
	if kept, ok := m.answers.Load(n); ok && kept.(answerAt).generation == m.generation {
		return kept.(answerAt).sum
	}
	flight := strconv.Itoa(n.level) + "/" + strconv.Itoa(n.at)
	sum, _, _ := m.flights.Do(flight, func() (any, error) {
		var sum int
		switch n.level {
		case text:
			sum = len(m.texts[key(n.at)])
		case 0:
			sum = m.own(n.at)
		default:
			for below := range n.below(m.files) {
				sum += m.sum(below)
			}
		}
		m.answers.Store(n, answerAt{m.generation, sum})
		return sum, nil
	})
	return sum.(int)
}

// top is the root of the tree above so many files.
func top(files int) node {
	level := 0
	for n := files; n > 1; n = (n + 9) / 10 {
		level++
	}
	return node{level, 0}
}

// below yields the ten or fewer nodes of which n is the sum.
func (n node) below(files int) func(yield func(node) bool) {
	width := files
	for range n.level - 1 {
		width = (width + 9) / 10
	}
	return func(yield func(node) bool) {
		for i := n.at * 10; i < min(n.at*10+10, width); i++ {
			if !yield(node{n.level - 1, i}) {
				return
			}
		}
	}
}
