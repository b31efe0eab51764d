package memo

import (
	"context"
	"fmt"
	"strconv"
	"testing"
)

// sumRig is a rig with a query that reads so many keys of a partition, and was asked once.
func sumRig(b *testing.B, reads int) (r *rig, sum string, put func(key, text string)) {
	b.Helper()
	r = newRig(b, 1, Options{})
	in := r.partition("in")
	put = func(key, text string) { r.put(in, key, text) }
	keys := make([]string, reads)
	for i := range keys {
		keys[i] = strconv.Itoa(i)
		put(keys[i], "0")
	}
	sum = r.query("sum", func(f *Frame, _ string) (string, error) {
		n := 0
		for _, key := range keys {
			s, err := r.text(f, in, key)
			if err != nil {
				return "", err
			}
			n += len(s)
		}
		return strconv.Itoa(n), nil
	})
	r.want(sum, "", strconv.Itoa(reads))
	return r, sum, put
}

// BenchmarkReuse asks for an answer that is there, again and again in one task.
func BenchmarkReuse(b *testing.B) {
	for _, reads := range []int{1, 100} {
		b.Run(fmt.Sprintf("reads=%d", reads), func(b *testing.B) {
			r, sum, _ := sumRig(b, reads)
			b.ReportAllocs()
			b.ResetTimer()
			h := r.task(context.Background(), func(f *Frame) error {
				for range b.N {
					if _, err := r.table.Get(f, r.queries[sum], ""); err != nil {
						return err
					}
				}
				return nil
			})
			if err := h.Wait(context.Background()); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkAsk commits one key and asks in a task of its own: for nothing that was read, so that
// the answer stays, or for something, so that the query runs again. With no commit it is what the
// task itself costs.
func BenchmarkAsk(b *testing.B) {
	for _, reads := range []int{1, 100} {
		for _, changed := range []string{"nothing", "unread", "read"} {
			b.Run(fmt.Sprintf("reads=%d/changed=%s", reads, changed), func(b *testing.B) {
				r, sum, put := sumRig(b, reads)
				n, answer := 0, strconv.Itoa(reads)
				ran := r.queries[sum].Counts.Ran.Load()
				b.ReportAllocs()
				for b.Loop() {
					n++
					switch changed {
					case "unread":
						put("other", strconv.Itoa(n))
					case "read":
						put(strconv.Itoa(n%reads), strconv.Itoa(n/reads%10))
					}
					r.want(sum, "", answer)
				}
				if again := r.queries[sum].Counts.Ran.Load() > ran; again && changed != "read" {
					b.Errorf("the query ran though %s of what it read has changed", changed)
				}
			})
		}
	}
}
