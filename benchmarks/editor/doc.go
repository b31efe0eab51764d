// Package editor drives language servers as an editor does: processes that speak the Language
// Server Protocol over their standard streams.
//
// A [Client] is one editor with one server. It opens files, asks, and keeps what the server tells
// of its own accord. It decodes no answers but diagnostics: who asks knows what he asks for.
// [Cytisus] and [Gopls] are the programs that are driven.
package editor
