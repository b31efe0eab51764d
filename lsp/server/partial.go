package server

import (
	"go.lsp.dev/protocol"
)

// partialMax is how many items of a long answer one message holds, for a client that takes the
// answer in parts.
const partialMax = 1000

// inParts sends all of a list that does not fit into one message in parts, and returns what is left
// for the answer itself: then it is empty, as the protocol wants it. wrap makes of items what the
// method sends as a part.
func inParts[T any](s *session, token protocol.ProgressToken, list []T, wrap func(part []T) any) []T {
	if token == nil || len(list) <= partialMax {
		return list
	}
	for len(list) > 0 {
		n := min(len(list), partialMax)
		s.sendPart(token, wrap(list[:n]))
		list = list[n:]
	}
	return list
}

func (s *session) sendPart(token protocol.ProgressToken, value any) {
	raw, err := protocol.Marshal(value)
	if err != nil {
		s.log.Error("server: encoding a part of an answer", "err", err)
		return
	}
	_ = s.conn.Notify(methodProgress, &protocol.ProgressParams{Token: token, Value: raw}) // fails only at the end
}
