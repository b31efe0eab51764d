package runtime_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cytisus/cytisus/runtime"
)

// A logged is a log that hands out its errors.
type logged struct{ errors chan string }

func (l *logged) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelError }
func (l *logged) WithAttrs([]slog.Attr) slog.Handler               { return l }
func (l *logged) WithGroup(string) slog.Handler                    { return l }
func (l *logged) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool {
		text += " " + a.String()
		return true
	})
	l.errors <- text
	return nil
}

var (
	auditedGlobal atomic.Int64
	auditedQuery  = runtime.NewQuery("audited", 1, func(t *runtime.Task, key string) (int, error) {
		n, err := length.Get(t, key)
		return n + int(auditedGlobal.Load()), err
	})
)

// An engine that is not told anything finds an impure query, and says so in the log and in Stats.
// The test only lifts the bound of the CPU.
func TestImpureQueryIsFoundByDefault(t *testing.T) {
	l := &logged{errors: make(chan string, 16)}
	e, err := runtime.Open("", runtime.Options{AuditCPU: 1, Logger: slog.New(l), StallAfter: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(context.Background())
	put(t, e, inputs, "k", "four")
	auditedGlobal.Store(0)
	if n := ask(t, e, auditedQuery, "k"); n != 4 {
		t.Fatal(n)
	}
	auditedGlobal.Store(1)
	for range 500 {
		ask(t, e, auditedQuery, "k")
	}
	for _, want := range []string{"audited", "key=k", "kept=4", "now=5", "did not read through its task"} {
		if text := <-l.errors; !strings.Contains(text, want) {
			t.Errorf("logged: %s; want %q in it", text, want)
		} else {
			l.errors <- text
		}
	}
	st := e.Stats()
	if len(st.Impure) != 1 || st.Impure[0].Query != "audited" || st.Queries["audited"].Audited == 0 || st.Queries["audited"].Impure == 0 {
		t.Errorf("Stats: %+v, %+v", st.Impure, st.Queries["audited"])
	}
	if n := st.Queries["audited"].Ran; n != 1 {
		t.Errorf("%d runs are counted, want the first only", n)
	}
}

// Audits take no more than their share, whatever they turn out to take, and no less than half of it
// while there is enough to audit.
func TestAuditsKeepToTheirBudget(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	for _, share := range []float64{0.01, 0.1} {
		from := time.Unix(0, 0)
		allows, spend := runtime.NewBudget(share, from)
		var spent, longest time.Duration
		now, expected := from, 10*time.Millisecond
		for now.Sub(from) < time.Hour {
			now = now.Add(time.Duration(rng.Int64N(int64(200 * time.Millisecond))))
			for allows(now, expected) {
				took := time.Duration(float64(expected) * 2 * rng.Float64())
				spend(took)
				spent += took
				longest = max(longest, took)
				now = now.Add(took)
				if most := time.Duration(share*float64(now.Sub(from))) + longest; spent > most {
					t.Fatalf("seed %d: after %v %v were spent, the most is %v", seed, now.Sub(from), spent, most)
				}
				expected = time.Duration(1 + rng.Int64N(int64(3*time.Second)))
			}
		}
		if least := time.Duration(share * float64(time.Hour) / 2); spent < least {
			t.Errorf("seed %d: share %v: %v were spent in an hour", seed, share, spent)
		}
	}
}

// Closing does not wait for an audit that goes on for long.
func TestClosingEndsAudits(t *testing.T) {
	var calls atomic.Int64
	began := make(chan struct{})
	slow := runtime.NewQuery("slow to audit", 1, func(t *runtime.Task, key string) (int, error) {
		if calls.Add(1) > 1 {
			close(began)
			return 0, t.Blocking(func() error {
				<-t.Context().Done()
				return context.Cause(t.Context())
			})
		}
		return 1, nil
	})
	e, err := runtime.Open("", runtime.Options{Workers: 1, AuditShare: 1, AuditCPU: 1, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		ask(t, e, slow, "k")
	}
	<-began
	if err := e.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestAuditOptionsAreChecked(t *testing.T) {
	nan := func() float64 { var zero float64; return zero / zero }()
	for _, o := range []runtime.Options{{AuditShare: 1.5}, {AuditShare: nan}, {AuditCPU: -1}, {AuditCPU: nan}} {
		if e, err := runtime.Open("", o); err == nil {
			e.Close(t.Context())
			t.Errorf("%+v is accepted", o)
		}
	}
}
