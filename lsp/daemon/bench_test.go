package daemon

import (
	"fmt"
	"io"
	"testing"
)

// BenchmarkDial is one client that comes, is let in, and goes.
func BenchmarkDial(b *testing.B) {
	store := private(b)
	host(b, store, 0, Options{Name: "cytisus serve"}, echo)
	b.ReportAllocs()
	for b.Loop() {
		c, _, err := Dial(b.Context(), store, me("client"))
		if err != nil {
			b.Fatal(err)
		}
		c.Close()
	}
}

// BenchmarkRoundTrip sends so many bytes to the host over its socket, and reads them back.
func BenchmarkRoundTrip(b *testing.B) {
	for _, n := range []int{64, 4 << 10, 64 << 10} {
		b.Run(fmt.Sprintf("bytes=%d", n), func(b *testing.B) {
			store := private(b)
			host(b, store, 0, Options{Name: "cytisus serve"}, echo)
			c, _, err := Dial(b.Context(), store, me("client"))
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			out, in := make([]byte, n), make([]byte, n)
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Write(out); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(c, in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
