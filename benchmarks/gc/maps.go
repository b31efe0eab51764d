package gc

import (
	"context"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
)

// A goMap keeps values on Go's heap, a piece of it each, whose garbage Go's collector takes.
type goMap struct {
	mu sync.Mutex
	m  map[string][]byte
}

func openMap(string) (contender, error) { return &goMap{m: map[string][]byte{}}, nil }

func (c *goMap) overwrite(_ context.Context, keys []string, list [][]byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, key := range keys {
		c.m[key] = list[i]
	}
	return nil
}

func (c *goMap) get(key string) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.m[key], nil
}

func (c *goMap) collect(context.Context) error {
	goruntime.GC()
	return nil
}

func (c *goMap) close() error { return nil }

// goCollector is the functions below which Go's collector works.
var goCollector = []string{
	"runtime.gcBgMarkWorker", "runtime.gcAssist", "runtime.gcStart", "runtime.bgsweep",
	"runtime.bgscavenge",
}

func goReclaims(_ map[string][]string, origin string) bool {
	return slices.ContainsFunc(goCollector, func(name string) bool {
		return strings.Contains(origin, name)
	})
}
