// Package live shows a running host to people in a browser, and to programs that collect metrics
// and profiles, over HTTP.
//
// # Who may look
//
//   - L0: it listens on a loopback address only; any other is refused.
//   - L1: every path begins with a token of 128 random bits that is new with each process. What
//     does not begin with it is not found, whatever it is. A page of another site cannot guess it,
//     and it is compared in constant time.
//   - L2: a request whose Host header names no loopback address is refused, so that a name which is
//     made to point here gives no way in.
//   - L3: nothing that is shown is loaded from elsewhere, and the page may run only the script it
//     came with. What is shown is escaped by html/template.
//   - L4: it only looks, and takes profiles. No request changes anything.
//
// # What is there
//
//	/TOKEN/                  the page, which renews itself every second
//	/TOKEN/state             what is in it, as a piece of HTML
//	/TOKEN/state.json        the same as JSON: server.Stats and server.Memory
//	/TOKEN/metrics           for Prometheus, in its text format
//	/TOKEN/debug/pprof/KIND  a profile of the process, as go tool pprof asks for it; profile is
//	                         the name of kind cpu there. ?seconds=N says for how long
//
// # Files
//
//   - live.go: listening, and who is let in
//   - page.go: what is shown; page.html, style.css, renew.js
//   - metrics.go: what Prometheus reads
//   - profile.go: profiles
package live
