package epoch

import (
	"sync"
	"testing"
)

func BenchmarkPin(b *testing.B) {
	b.Run("by=participant", func(b *testing.B) {
		p := NewDomain().Register("p")
		for b.Loop() {
			p.Enter()
			p.Leave()
		}
	})
	b.Run("by=refresh", func(b *testing.B) {
		p := NewDomain().Register("p")
		p.Enter()
		for b.Loop() {
			p.Refresh()
		}
	})
	b.Run("by=guard/threads=1", func(b *testing.B) {
		d := NewDomain()
		for b.Loop() {
			d.Pin().Unpin()
		}
	})
	b.Run("by=guard/threads=all", func(b *testing.B) {
		d := NewDomain()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				d.Pin().Unpin()
			}
		})
	})
	b.Run("rival=rwmutex", func(b *testing.B) {
		var mu sync.RWMutex
		reads := 0
		for b.Loop() {
			mu.RLock()
			reads++
			mu.RUnlock()
		}
	})
}

func BenchmarkTryAdvance(b *testing.B) {
	d := NewDomain()
	for range 64 {
		d.Register("p")
	}
	for b.Loop() {
		d.TryAdvance()
	}
}

func BenchmarkRetire(b *testing.B) {
	d := NewDomain()
	free := func() {}
	n := 0
	for b.Loop() {
		d.Retire(1, free)
		if n++; n%advanceEvery == 0 {
			d.Collect()
		}
	}
}
