package dispatch

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// heap is what is live on the Go heap.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A client that sends requests without end and reads no answer is not read from when the outbox
// is full. What it sent costs no more than the limits say, and when it reads, each request is
// answered once.
func TestUnreadFloodIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const requests, full, queue = 30_000, 256 << 10, 128 << 10
		client, server := net.Pipe()
		wait := func(context.Context, *Request) (Outcome, error) {
			return Later(func(ctx context.Context) (any, error) { <-ctx.Done(); return nil, context.Cause(ctx) }), nil
		}
		c := New(server, map[string]Handler{"wait": wait, "note": null, "echo": echo}, Options{MaxRequests: 64, FullOutboundBytes: full, MaxQueueBytes: queue})
		done := make(chan error, 1)
		go func() { _, err := c.Run(t.Context()); done <- err }()
		before := heap()
		written := make(chan struct{})
		go func() {
			defer close(written)
			for i := range requests {
				method := "wait"
				if i >= 64 && i%2 == 0 {
					method = "echo"
				}
				if _, err := client.Write(appendFrame(nil, []byte(call(i, method, "1")))); err != nil {
					t.Error(err)
					return
				}
			}
		}()
		synctest.Wait()
		s := c.Stats()
		if s.Paused != 1 || s.Received == 0 || s.Received > full/parcelOverhead {
			t.Errorf("%d requests are read, %d pauses", s.Received, s.Paused)
		}
		// Some of what is counted is counted for more than it costs, but nothing for less.
		if more := int64(heap()) - int64(before); more > full+queue+writeStep*2+1<<20 {
			t.Errorf("a flood that stands costs %d bytes", more)
		}
		if got := c.Stats(); got.Received != s.Received {
			t.Errorf("reading goes on: %d, then %d", s.Received, got.Received)
		}
		answers := make(map[int]int)
		frames := newFrameReader(bufio.NewReader(client), 1<<20)
		ended := false
		for range requests {
			body, err := frames.next()
			if err != nil {
				t.Fatal(err)
			}
			var m struct {
				ID    int
				Error *struct{ Message string }
			}
			if err := json.Unmarshal(body, &m); err != nil {
				t.Fatal(err)
			}
			answers[m.ID]++
			if m.ID >= 64 && (m.Error == nil || !strings.Contains(m.Error.Message, "too many requests are open: at most 64")) {
				t.Fatalf("%s", body)
			}
			if len(answers) == requests-64 && !ended {
				ended = true
				<-written
				for i := range 64 {
					go client.Write(appendFrame(nil, []byte(note("$/cancelRequest", fmt.Sprintf(`{"id":%d}`, i)))))
				}
			}
		}
		if len(answers) != requests {
			t.Errorf("%d of %d requests are answered", len(answers), requests)
		}
		client.Close()
		<-done
	})
}

// Requests that were cancelled count until their work has ended: to send and cancel is no way
// around the limit.
func TestCancelledRequestsCount(t *testing.T) {
	begun, gate := make(chan struct{}), make(chan struct{})
	release := sync.OnceFunc(func() { close(gate) })
	slow := func(context.Context, *Request) (Outcome, error) {
		return Later(func(context.Context) (any, error) { begun <- struct{}{}; <-gate; return nil, nil }), nil
	}
	w := start(t, map[string]Handler{"slow": slow, "echo": echo}, Options{MaxRequests: 2})
	t.Cleanup(release) // before Run is waited for
	for i := range 2 {
		w.send(call(i, "slow", ""))
		<-begun
		w.send(note("$/cancelRequest", fmt.Sprintf(`{"id":%d}`, i)))
		w.wantCode(fmt.Sprint(i), -32800)
	}
	w.send(call(2, "echo", "1"))
	w.wantCode("2", int(RequestFailed), "at most 2")
	release()
	for id := 3; ; id++ {
		w.send(call(id, "echo", "1"))
		if strings.Contains(w.next(), `"result":1`) {
			break
		}
	}
}

// Notifications of one method that wait are served in one turn, in order, and never past a message
// of another kind.
func TestRuns(t *testing.T) {
	gate := make(chan struct{})
	var turns []string
	edit := func(ctx context.Context, run []*Request) []error {
		if !inTurnOf(ctx) {
			t.Error("a run is no turn")
		}
		errs := make([]error, len(run))
		var text []string
		for i, r := range run {
			text = append(text, string(r.Params))
			if string(r.Params) == "13" {
				errs[i] = errors.New("unlucky")
			}
			if string(r.Params) == "99" {
				panic("ninety-nine")
			}
		}
		turns = append(turns, strings.Join(text, ","))
		return errs
	}
	var failed []string
	w := start(t, lifecycle(map[string]Handler{
		"block": func(context.Context, *Request) (Outcome, error) { <-gate; return Done, nil },
		"ask":   func(context.Context, *Request) (Outcome, error) { turns = append(turns, "ask"); return Done, nil },
		"edit":  func(context.Context, *Request) (Outcome, error) { return Now("no run"), nil },
	}), Options{Lifecycle: true, Runs: map[string]RunHandler{"edit": edit}, OnError: func(method string, err error) {
		failed = append(failed, fmt.Sprint(method, ": ", err))
	}})
	w.send(note("edit", "0"), call(1, "initialize", "{}"))
	w.want(result(1, "null"))
	w.send(note("block", ""))
	w.send(note("edit", "10"), note("edit", "11"), call(2, "ask", ""), note("edit", "12"), note("edit", "13"), note("edit", "14"), call(3, "edit", ""), note("edit", "15"),
		note("edit", "99"), note("$/cancelRequest", `{"id":44}`), note("edit", "16"), call(4, "ask", ""))
	close(gate)
	w.want(result(2, "null"), result(3, `"no run"`), result(4, "null"))
	w.client.Close()
	w.end()
	if want := []string{"10,11", "ask", "12,13,14", "ask"}; !slices.Equal(turns, want) {
		t.Errorf("%q, want %q", turns, want)
	}
	if want := []string{"edit: unlucky", "edit: edit panicked: ninety-nine"}; !slices.Equal(failed, want) {
		t.Errorf("%q, want %q", failed, want)
	}
}

// Work of a notification, which has no answer, is not a way around the limit of requests either:
// it is called with a context that has ended.
func TestNotificationsDoNotWork(t *testing.T) {
	called := make(chan error, 1)
	w := start(t, map[string]Handler{"ask": func(context.Context, *Request) (Outcome, error) {
		return Later(func(ctx context.Context) (any, error) { called <- ctx.Err(); return nil, nil }), nil
	}}, Options{})
	w.send(note("ask", ""))
	if err := <-called; err == nil {
		t.Error("a notification's work runs")
	}
}

// A queue of small notifications is bounded by what they cost, not by their bytes alone.
func TestQueueCountsItsOwnCost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		client, server := net.Pipe()
		c := New(server, map[string]Handler{"n": func(context.Context, *Request) (Outcome, error) { <-gate; return Done, nil }}, Options{MaxQueueBytes: 1 << 20})
		done := make(chan error, 1)
		go func() { _, err := c.Run(t.Context()); done <- err }()
		before := heap()
		go func() {
			defer client.Close()
			for range 10_000 {
				if _, err := client.Write(appendFrame(nil, []byte(note("n", "")))); err != nil {
					t.Error(err)
				}
			}
		}()
		synctest.Wait()
		if more := int64(heap()) - int64(before); more > 1<<20+256<<10 {
			t.Errorf("a queue of at most 1 MiB costs %d bytes", more)
		}
		close(gate)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if n := c.Stats().Received; n != 10_000 {
			t.Errorf("%d messages are read", n)
		}
	})
}
