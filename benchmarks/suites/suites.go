// Package suites lists what ours is compared in.
package suites

import (
	"github.com/cytisus/cytisus/benchmarks/compare"
	"github.com/cytisus/cytisus/benchmarks/epoch"
	"github.com/cytisus/cytisus/benchmarks/floor"
	"github.com/cytisus/cytisus/benchmarks/gc"
	"github.com/cytisus/cytisus/benchmarks/hash"
	"github.com/cytisus/cytisus/benchmarks/index"
	"github.com/cytisus/cytisus/benchmarks/lanes"
	"github.com/cytisus/cytisus/benchmarks/load"
	"github.com/cytisus/cytisus/benchmarks/lsp"
	"github.com/cytisus/cytisus/benchmarks/query"
	"github.com/cytisus/cytisus/benchmarks/ring"
	"github.com/cytisus/cytisus/benchmarks/store"
	"github.com/cytisus/cytisus/benchmarks/task"
	"github.com/cytisus/cytisus/benchmarks/wake"
)

// All makes every suite that there is. One line here and one folder add a suite.
var All = []func() compare.Suite{
	epoch.Suite,
	floor.Suite,
	gc.Suite,
	hash.Suite,
	index.Suite,
	lanes.Suite,
	load.Suite,
	lsp.Suite,
	query.Suite,
	ring.Suite,
	store.OpenSuite,
	store.Suite,
	task.Suite,
	wake.Suite,
}

// Find makes the suite of a name.
func Find(name string) (compare.Suite, bool) {
	for _, suite := range All {
		if s := suite(); s.Name == name {
			return s, true
		}
	}
	return compare.Suite{}, false
}
