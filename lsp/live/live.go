package live

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/cytisus/cytisus/lsp/server"
)

// A Source is the host that is looked at. Its methods may be called concurrently.
type Source interface {
	Stats(ctx context.Context) (server.Stats, error)
	Memory(ctx context.Context) (server.Memory, error)
	Profile(ctx context.Context, p server.ProfileParams) (server.ProfileResult, error)
}

var errNotLoopback = errors.New("live: not a loopback address")

// A Server shows one source. Listen makes it; Close ends it.
type Server struct {
	source Source
	token  string
	l      net.Listener
	http   http.Server
	rates  rates
	done   chan struct{} // closed when serving has ended
}

// Listen shows a source at an address such as "127.0.0.1:0", port 0 being any that is free.
func Listen(address string, source Source, log *slog.Logger) (*Server, error) {
	if err := CheckAddress(address); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("live: %w", err)
	}
	var random [16]byte
	rand.Read(random[:])
	s := &Server{source: source, token: hex.EncodeToString(random[:]), l: l, done: make(chan struct{})}
	s.http = http.Server{
		Handler:           s.guarded(s.routes()),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    1 << 16,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	go func() {
		defer close(s.done)
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Warn("the live page has ended", "err", err)
		}
	}()
	return s, nil
}

// CheckAddress returns an error that says what is wrong with an address to listen on.
func CheckAddress(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("live: %w", err)
	}
	if !loopback(host) {
		return fmt.Errorf("%w: %q; 127.0.0.1:0 is one", errNotLoopback, address)
	}
	return nil
}

// URL is where the page is, token included.
func (s *Server) URL() string { return fmt.Sprintf("http://%s/%s/", s.l.Addr(), s.token) }

// Close ends requests under way, profiles among them, and returns when nothing is served any more.
func (s *Server) Close() error {
	err := s.http.Close()
	<-s.done
	return err
}

// loopback reports whether a host, by name or by number, is this machine alone.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return ip != nil && ip.IsLoopback()
}

// guarded lets in who knows the token (L1) and has asked for this machine by a name of its own
// (L2), and takes the token off the path.
func (s *Server) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		token, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		if !loopback(host) || subtle.ConstantTimeCompare([]byte(token), []byte(s.token)) != 1 {
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "it only looks", http.StatusMethodNotAllowed)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		inner := r.Clone(r.Context())
		inner.URL.Path, inner.URL.RawPath = "/"+rest, ""
		next.ServeHTTP(w, inner)
	})
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", s.page)
	mux.HandleFunc("/state", s.state)
	mux.HandleFunc("/state.json", s.stateJSON)
	mux.HandleFunc("/metrics", s.metrics)
	mux.HandleFunc("/debug/pprof/{kind}", s.profile)
	return mux
}

// A state is what is known of the source at one moment.
type state struct {
	Stats  server.Stats  `json:"stats"`
	Memory server.Memory `json:"memory"`
}

// look asks the source. If that fails, it has answered the request.
func (s *Server) look(w http.ResponseWriter, r *http.Request) (st state, ok bool) {
	var err error
	if st.Stats, err = s.source.Stats(r.Context()); err == nil {
		st.Memory, err = s.source.Memory(r.Context())
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return state{}, false
	}
	return st, true
}

func (s *Server) stateJSON(w http.ResponseWriter, r *http.Request) {
	st, ok := s.look(w, r)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(st) // the client has gone if this fails
}
