package daemon

import (
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
)

const (
	methodProgress       = "$/progress"
	methodProgressCreate = "window/workDoneProgress/create"
	methodProgressCancel = "window/workDoneProgress/cancel"
)

// A shownToken is progress that the client is shown on a token (B5).
type shownToken struct {
	began   bool
	percent uint32 // of the newest beginning or report
}

// A progressParams is what $/progress and its relatives have in common.
type progressParams struct {
	Token jsontext.Value `json:"token"`
	Value jsontext.Value `json:"value,omitzero"`
}

// A progressValue is any of the three things that work done can say.
type progressValue struct {
	Kind        string  `json:"kind"`
	Title       string  `json:"title,omitzero"`
	Cancellable *bool   `json:"cancellable,omitzero"`
	Message     *string `json:"message,omitzero"`
	Percentage  *uint32 `json:"percentage,omitzero"`
}

// createToken gives a token that a host makes a name that no host has used, and returns the
// parameters with it. b.mu must be held, as by all below.
func (b *Bridge) createToken(l *link, params []byte) []byte {
	var p progressParams
	if protocol.Unmarshal(params, &p) != nil || len(p.Token) == 0 {
		return params
	}
	theirs := string(p.Token)
	ours := theirs
	for n := l.number; b.used[ours]; n++ {
		ours = strconv.Quote(fmt.Sprintf("%s#%d", unquoted(theirs), n))
	}
	b.used[ours] = true
	l.tokens[theirs] = []byte(ours)
	b.tokens[ours] = &shownToken{}
	if ours == theirs {
		return params
	}
	p.Token = jsontext.Value(ours)
	raw, err := protocol.Marshal(&p)
	if err != nil {
		return params
	}
	return raw
}

func unquoted(token string) string {
	if s, err := strconv.Unquote(token); err == nil {
		return s
	}
	return token
}

// progress returns what the client is told of a host's progress.
func (b *Bridge) progress(l *link, params, body []byte) [][]byte {
	same := [][]byte{body}
	var (
		p progressParams
		v progressValue
	)
	if protocol.Unmarshal(params, &p) != nil || len(p.Token) == 0 {
		return same
	}
	theirs := string(p.Token)
	changed := false
	if ours, made := l.tokens[theirs]; made && string(ours) != theirs {
		p.Token, changed = ours, true
	}
	token := string(p.Token)
	if protocol.Unmarshal(p.Value, &v) == nil {
		shown := b.tokens[token]
		switch v.Kind {
		case "begin":
			if shown == nil {
				shown = &shownToken{}
				b.tokens[token] = shown
			}
			if shown.began { // it goes on where it was
				v = progressValue{Kind: "report", Message: v.Message, Percentage: v.Percentage, Cancellable: v.Cancellable}
				changed = true
			}
			shown.began = true
			changed = shown.advance(&v) || changed
		case "report":
			if shown != nil {
				changed = shown.advance(&v) || changed
			}
		case "end":
			delete(b.tokens, token)
			delete(l.tokens, theirs)
		default:
			v.Kind = "" // a partial result
		}
	}
	if !changed {
		return same
	}
	if v.Kind != "" {
		raw, err := protocol.Marshal(&v)
		if err != nil {
			return same
		}
		p.Value = raw
	}
	raw, err := protocol.Marshal(&p)
	if err != nil {
		return same
	}
	return [][]byte{jsonrpc2.AppendNotification(nil, methodProgress, raw)}
}

// advance keeps a percentage from going back, and reports whether it would have.
func (s *shownToken) advance(v *progressValue) (changed bool) {
	if v.Percentage == nil {
		return false
	}
	if *v.Percentage >= s.percent {
		s.percent = *v.Percentage
		return false
	}
	last := s.percent
	v.Percentage = &last
	return true
}

// endToken ends what the client is shown on a token, if it has begun.
func (b *Bridge) endToken(token string) {
	shown := b.tokens[token]
	delete(b.tokens, token)
	if shown == nil || !shown.began {
		return
	}
	raw, err := protocol.Marshal(&progressParams{Token: jsontext.Value(token), Value: jsontext.Value(`{"kind":"end"}`)})
	if err == nil {
		b.own(jsonrpc2.AppendNotification(nil, methodProgress, raw))
	}
}

// endTokensOf ends the progress of a request that no host works on any more.
func (b *Bridge) endTokensOf(m *message) {
	var p struct {
		WorkDoneToken jsontext.Value `json:"workDoneToken"`
	}
	if params := m.params(); params != nil && protocol.Unmarshal(params, &p) == nil && len(p.WorkDoneToken) > 0 {
		b.endToken(string(p.WorkDoneToken))
	}
}

// takeProgressCancel gives a token that the client cancels the name by which its host knows
// it, and reports whether that host is still there.
func (b *Bridge) takeProgressCancel(m *message) bool {
	var p progressParams
	if protocol.Unmarshal(m.params(), &p) != nil {
		return true
	}
	if b.link != nil {
		for theirs, ours := range b.link.tokens {
			if string(ours) != string(p.Token) {
				continue
			}
			raw, err := protocol.Marshal(&progressParams{Token: jsontext.Value(theirs)})
			if err == nil {
				m.body, m.kind, m.link = jsonrpc2.AppendNotification(nil, methodProgressCancel, raw), reply, b.link
			}
			return true
		}
	}
	return !b.used[string(p.Token)] // one of the client's own is a request's, which is repeated
}
