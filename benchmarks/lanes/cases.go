package lanes

import (
	"fmt"
	"sync"
	"time"

	"github.com/cytisus/cytisus/benchmarks/compare"
)

// A measure runs a loop n times and gives the time of one turn.
type measure func(c contender, n int) (float64, error)

// busy is the one lane that most cases use.
const busy = 20

// waiting is how many items lie in the lanes while a case runs.
const waiting = 8

func emptyPoll(c contender, n int) (float64, error) { return timed(n, 0, c.polls) }

func emptySleep(c contender, n int) (float64, error) { return timed(n, 0, c.looks) }

// timed is for loops that count, and must count to want.
func timed(n, want int, loop func(n int) int) (float64, error) {
	began := time.Now()
	found := loop(n)
	return compare.PerItem(time.Since(began), n), compare.Same("items found", found, want)
}

// pairs begins with items in the lane, so that it never runs empty; what comes out of it is what
// went in, in order, so it lags behind by as much.
func pairs(c contender, n int) (float64, error) {
	var first uint64
	for i := range waiting {
		if !c.push(busy, &items[i]) {
			return 0, fmt.Errorf("no room for %d items", waiting)
		}
		first += items[i].id
	}
	began := time.Now()
	sum := c.pairs(busy, n)
	took := time.Since(began)
	sum += drain(c)
	return compare.PerItem(took, n), compare.Same("sum of ids", sum, first+sumOf(n))
}

func dry(c contender, n int) (float64, error) {
	began := time.Now()
	sum := c.dry(busy, n)
	return compare.PerItem(time.Since(began), n), compare.Same("sum of ids", sum, sumOf(n))
}

// spread pushes to all lanes in turn.
func spread(c contender, n int) (float64, error) {
	var first, sum uint64
	for i := range waiting {
		c.push(i*3, &items[i])
		first += items[i].id
	}
	began := time.Now()
	for i := range n {
		if !c.push(i*7%lanes, &items[i%lap]) {
			return 0, fmt.Errorf("no room for item %d", i)
		}
		if it := c.pop(); it != nil {
			sum += it.id
		}
	}
	took := time.Since(began)
	sum += drain(c)
	return compare.PerItem(took, n), compare.Same("sum of ids", sum, first+sumOf(n))
}

func batches(c contender, n int) (float64, error) {
	const size = 16
	began := time.Now()
	sum := c.batch(busy, n, size)
	return compare.PerItem(time.Since(began), n), compare.Same("sum of ids", sum, sumOf(n))
}

func drain(c contender) (sum uint64) {
	for it := c.pop(); it != nil; it = c.pop() {
		sum += it.id
	}
	return sum
}

// crossing has one producer and one consumer.
func crossing(c contender, n int) (float64, error) {
	var sum uint64
	var done sync.WaitGroup
	began := time.Now()
	done.Go(func() {
		var p patience
		for i := range n {
			for !c.push(busy, &items[i%lap]) {
				p.wait()
			}
		}
	})
	done.Go(func() {
		var p patience
		for range n {
			it := c.pop()
			for ; it == nil; it = c.pop() {
				p.wait()
			}
			sum += it.id
		}
	})
	done.Wait()
	return compare.PerItem(time.Since(began), n), compare.Same("sum of ids", sum, sumOf(n))
}
