package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
)

// reportBase is the directory that reports for other programs name files from: that of the checkout
// of a workflow run, if the workspace lies in it, or else of the repository around the workspace.
func reportBase(root string) string {
	if dir := os.Getenv("GITHUB_WORKSPACE"); dir != "" {
		if dir, err := filepath.EvalSymlinks(dir); err == nil && files.Inside(dir, root) {
			return dir
		}
	}
	for dir := root; ; dir = filepath.Dir(dir) {
		if exists(filepath.Join(dir, ".git")) {
			return dir
		}
		if filepath.Dir(dir) == dir {
			return root
		}
	}
}

// fromBase is the path of a file from a directory on, with slashes; not ok if it lies elsewhere.
func fromBase(base, file string) (string, bool) {
	if !files.Inside(base, file) {
		return file, false
	}
	rel, err := filepath.Rel(base, file)
	if err != nil {
		return file, false
	}
	return filepath.ToSlash(rel), true
}

// What stands for itself in a workflow command is not what ends a part of it.
var (
	escapeMessage  = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	escapeProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// writeAnnotations writes findings as workflow commands of GitHub Actions, which show them at their
// lines. Columns are told of places on one line only: the others have none there.
func writeAnnotations(w io.Writer, base string, list []foundDiagnostic) error {
	for _, d := range list {
		command := "notice"
		switch d.Severity {
		case lsp.SeverityError.String():
			command = "error"
		case lsp.SeverityWarning.String():
			command = "warning"
		}
		file, _ := fromBase(base, d.Place.File)
		at := fmt.Sprintf("file=%s,line=%d,endLine=%d", escapeProperty.Replace(file), d.Place.Line, d.Place.EndLine)
		if d.Place.Line == d.Place.EndLine {
			at += fmt.Sprintf(",col=%d,endColumn=%d", d.Place.Column, d.Place.EndColumn)
		}
		if rule := ruleOf(&d); rule != "" {
			at += ",title=" + escapeProperty.Replace(rule)
		}
		if _, err := fmt.Fprintf(w, "::%s %s::%s\n", command, at, escapeMessage.Replace(d.Message)); err != nil {
			return err
		}
	}
	return nil
}

// ruleOf is the name of what a finding goes against.
func ruleOf(d *foundDiagnostic) string {
	if d.Code == "" || d.Code == "default" {
		return d.Source
	}
	return strings.TrimPrefix(d.Source+"/"+d.Code, "/")
}
