package server

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// However many methods clients invent, what is kept of them is bounded, and no request is lost.
func TestAnswerTimesAreBounded(t *testing.T) {
	var a answerTimes
	const clients, each = 4, 1000
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for i := range each {
				a.add(fmt.Sprint("method/", i), 3*time.Millisecond)
			}
		})
	}
	wg.Wait()
	list := a.stats()
	var all uint64
	for i, s := range list {
		all += s.Count
		if s.Half != 4096*time.Microsecond || s.Most != s.Half {
			t.Errorf("%s: below %v and %v", s.Method, s.Half, s.Most)
		}
		if i > 0 && s.Count > list[i-1].Count {
			t.Errorf("%s has more than the one before", s.Method)
		}
	}
	if all != clients*each || len(list) > methodsMax+1 || list[0].Method != otherMethods {
		t.Errorf("%d requests of %d methods, most of %s", all, len(list), list[0].Method)
	}
}
