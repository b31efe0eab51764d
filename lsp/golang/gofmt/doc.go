// Package gofmt lays out Go files as gofmt does, or gofumpt, and go.mod and go.work files as the go
// command does: as a whole text, for a command, or as the edits that lead there, for an editor. It
// knows one text and nothing else.
package gofmt
