package live

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/cytisus/cytisus/lsp/server"
	"github.com/cytisus/cytisus/runtime/profile"
)

// defaultSeconds is how long a profile takes of which nobody says how long.
const defaultSeconds = 10

func (s *Server) profile(w http.ResponseWriter, r *http.Request) {
	kind := profile.Kind(r.PathValue("kind"))
	if kind == "profile" { // as net/http/pprof calls it
		kind = profile.CPU
	}
	if err := kind.Check(); err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	p := server.ProfileParams{Kind: kind, Seconds: defaultSeconds}
	if text := r.URL.Query().Get("seconds"); text != "" {
		seconds, err := strconv.ParseFloat(text, 64)
		if err != nil {
			http.Error(w, fmt.Sprintf("%q are no seconds", text), http.StatusBadRequest)
			return
		}
		p.Seconds = seconds
	}
	if err := profile.Check(kind, p.Over()); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	taken, err := s.source.Profile(r.Context(), p)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=cytisus-%s.%s", kind, kind.File()))
	_, _ = w.Write(taken.Data) // the client has gone if this fails
}
