package live

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cytisus/cytisus/lsp/server"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/account"
	"github.com/cytisus/cytisus/runtime/lane"
	"github.com/cytisus/cytisus/runtime/latency"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A fake source tells what its test wants.
type fake struct {
	err      error
	profiled chan server.ProfileParams
}

func (f *fake) Stats(context.Context) (server.Stats, error) {
	var times latency.Recorder
	times.Add(3 * time.Millisecond)
	times.Add(30 * time.Second) // beyond the last bound
	h := times.Histogram()
	return server.Stats{
		PID: 4242, Started: time.Unix(1e9, 0),
		Roots:    []server.RootStats{{Root: "/a & b"}},
		Sessions: []server.SessionStats{{ID: 7, Client: `<script>alert("x")</script>`}},
		Requests: []server.RequestStats{{Method: "textDocument/hover", Spread: h.Spread()}},
		Engine: runtime.Stats{
			Generation: 1234567,
			Latencies:  []latency.OfLane{{Lane: lane.RPC2, Queued: h.Spread(), Ran: h.Spread()}},
			Queries:    map[string]runtime.QueryStats{"odd \"name\"\\\n": {Ran: 3, Reused: 9, RunTime: time.Millisecond}},
		},
	}, f.err
}

func (f *fake) Memory(context.Context) (server.Memory, error) {
	return server.Memory{Account: account.Account{Resident: 100 << 20, Holders: []account.Holder{
		{Name: "heap", Bytes: 60 << 20, Parts: []account.Holder{{Name: "answers", Bytes: 30 << 20, Count: 12}}},
	}}}, nil
}

func (f *fake) Profile(ctx context.Context, p server.ProfileParams) (server.ProfileResult, error) {
	f.profiled <- p
	return server.ProfileResult{Data: []byte("a profile")}, f.err
}

// get asks a path below the token, or, with a whole URL, that.
func get(t *testing.T, s *Server, path string, change ...func(*http.Request)) (int, http.Header, string) {
	t.Helper()
	address := path
	if !strings.HasPrefix(path, "http:") {
		address = s.URL() + path
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	for _, c := range change {
		c(r)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(body)
}

func listen(t *testing.T, f *fake) *Server {
	t.Helper()
	s, err := Listen("127.0.0.1:0", f, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Who does not know the token, or comes by a name that is not this machine's, finds nothing.
func TestWhoIsLetIn(t *testing.T) {
	s := listen(t, &fake{})
	u, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + u.Host + "/"
	for _, path := range []string{base, base + "metrics", base + strings.Repeat("0", 32) + "/", base + s.token[:31] + "/", base + s.token + "0/metrics", base + "/" + s.token + "/state"} {
		if code, _, body := get(t, s, path); code != http.StatusNotFound || strings.Contains(body, "cytisus") {
			t.Errorf("%s: %d, %s", path, code, body)
		}
	}
	for _, host := range []string{"example.com", "example.com:80", "127.0.0.1.example.com", "10.0.0.1", "[::2]:80", ""} {
		code, _, _ := get(t, s, "state", func(r *http.Request) { r.Host = host })
		if want := map[bool]int{true: http.StatusNotFound, false: http.StatusOK}[host != ""]; code != want {
			t.Errorf("as %q: %d, want %d", host, code, want)
		}
	}
	for _, host := range []string{"localhost", "127.0.0.1:1", "[::1]:80", "127.9.9.9"} {
		if code, _, _ := get(t, s, "state", func(r *http.Request) { r.Host = host }); code != http.StatusOK {
			t.Errorf("as %q: %d", host, code)
		}
	}
	if code, _, _ := get(t, s, "state", func(r *http.Request) { r.Method = http.MethodPost }); code != http.StatusMethodNotAllowed {
		t.Errorf("a request that would change something: %d", code)
	}
	other := listen(t, &fake{})
	if other.token == s.token || len(s.token) != 32 {
		t.Errorf("tokens %q and %q", s.token, other.token)
	}
}

func TestAddresses(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "example.com:80", "10.1.2.3:80", "[::]:0", "127.0.0.1"} {
		if s, err := Listen(address, &fake{}, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("it listens at %s", address)
			s.Close()
		}
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if _, err := Listen(taken.Addr().String(), &fake{}, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("it listens at an address that is taken")
	}
}

// What clients call themselves, and what paths are called, is text and no markup; only the page's
// own script may run, and nothing comes from elsewhere.
func TestPage(t *testing.T) {
	s := listen(t, &fake{})
	code, header, body := get(t, s, "")
	if code != http.StatusOK || !strings.HasPrefix(header.Get("Content-Type"), "text/html") {
		t.Fatalf("%d, %v", code, header)
	}
	for _, want := range []string{"process 4242", "1,234,567", "textDocument/hover", "4.1ms", "75 %", "/a &amp; b", "&lt;script&gt;alert", "60.0 MiB", "answers"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	policy := header.Get("Content-Security-Policy")
	_, nonce, _ := strings.Cut(policy, "'nonce-")
	nonce, _, _ = strings.Cut(nonce, "'")
	if len(nonce) < 16 || !strings.Contains(body, `<script nonce="`+nonce+`">`) || strings.Count(body, "<script") != 1 || !strings.HasPrefix(policy, "default-src 'none'") {
		t.Errorf("scripts: %s", policy)
	}
	for _, elsewhere := range []string{"src=", "http:", "https:", "url(", "@import"} {
		if strings.Contains(body, elsewhere) {
			t.Errorf("the page has %s", elsewhere)
		}
	}
	if code, _, part := get(t, s, "state"); code != http.StatusOK || strings.Contains(part, "<html") || !strings.Contains(part, "textDocument/hover") {
		t.Errorf("state: %d, %s", code, part)
	}
	if code, _, raw := get(t, s, "state.json"); code != http.StatusOK || !strings.Contains(raw, `"pid":4242`) {
		t.Errorf("state.json: %d, %s", code, raw)
	}
}

// A host that does not answer is an error of the page, which says why.
func TestNoAnswer(t *testing.T) {
	s := listen(t, &fake{err: errors.New("the host has ended")})
	for _, path := range []string{"", "state", "state.json", "metrics"} {
		if code, _, body := get(t, s, path); code != http.StatusServiceUnavailable || !strings.Contains(body, "the host has ended") {
			t.Errorf("%q: %d, %s", path, code, body)
		}
	}
}

func TestProfiles(t *testing.T) {
	f := &fake{profiled: make(chan server.ProfileParams, 1)}
	s := listen(t, f)
	code, header, body := get(t, s, "debug/pprof/profile?seconds=0.25")
	if p := <-f.profiled; p.Kind != "cpu" || p.Seconds != 0.25 || code != http.StatusOK || body != "a profile" || !strings.Contains(header.Get("Content-Disposition"), "cytisus-cpu.pb.gz") {
		t.Errorf("%+v, %d, %v, %s", p, code, header, body)
	}
	if code, _, _ := get(t, s, "debug/pprof/heap"); code != http.StatusOK || (<-f.profiled).Kind != "heap" {
		t.Errorf("heap: %d", code)
	}
	for path, want := range map[string]int{
		"debug/pprof/memory": http.StatusNotFound, "debug/pprof/cpu?seconds=x": http.StatusBadRequest, "debug/pprof/cpu?seconds=-1": http.StatusBadRequest,
		"debug/pprof/cpu?seconds=NaN": http.StatusBadRequest, "debug/pprof/cpu?seconds=1e9": http.StatusBadRequest, "debug/pprof/": http.StatusNotFound,
	} {
		if code, _, body := get(t, s, path); code != want {
			t.Errorf("%s: %d, %s, want %d", path, code, body, want)
		}
	}
}

func TestRates(t *testing.T) {
	var r rates
	at := time.Unix(1000, 0)
	for _, c := range []struct {
		after          time.Duration
		tasks, commits uint64
		want           float64
	}{
		{0, 100, 1, 0},                        // nothing is known yet
		{2 * time.Second, 300, 3, 100},        // 200 in two seconds
		{100 * time.Millisecond, 400, 3, 100}, // too soon: what was found before
		{time.Second, 10, 0, 100},             // another host, which counts anew
		{time.Second, 60, 0, 50},
	} {
		at = at.Add(c.after)
		if got, _ := r.of(at, c.tasks, c.commits); got != c.want {
			t.Errorf("at %v: %v, want %v", at, got, c.want)
		}
	}
}

func TestTexts(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1536: "1.5 KiB", -2 << 20: "-2.0 MiB", 3 << 30: "3.00 GiB"} {
		if got := bytesText(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
	for n, want := range map[any]string{0: "0", 999: "999", uint64(1000): "1,000", -123456: "-123,456", 1234567: "1,234,567"} {
		if got := grouped(n); got != want {
			t.Errorf("%v: %s, want %s", n, got, want)
		}
	}
}
