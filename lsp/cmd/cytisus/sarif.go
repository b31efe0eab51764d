package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf16"

	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
)

// What is used of SARIF 2.1.0, the format in which tools tell of what they have found. Names are
// those of the standard.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool               sarifTool                `json:"tool"`
		Invocations        []sarifInvocation        `json:"invocations"`
		OriginalURIBaseIDs map[string]sarifArtifact `json:"originalUriBaseIds"`
		ColumnKind         string                   `json:"columnKind"`
		Results            []sarifResult            `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID      string `json:"id"`
		HelpURI string `json:"helpUri,omitempty"`
	}
	sarifInvocation struct {
		ExecutionSuccessful bool `json:"executionSuccessful"`
	}
	sarifResult struct {
		RuleID              string            `json:"ruleId"`
		RuleIndex           int               `json:"ruleIndex"`
		Level               string            `json:"level"`
		Message             sarifMessage      `json:"message"`
		Locations           []sarifLocation   `json:"locations"`
		PartialFingerprints map[string]string `json:"partialFingerprints"`
	}
	sarifMessage struct {
		Text string `json:"text"`
	}
	sarifLocation struct {
		PhysicalLocation sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		ArtifactLocation sarifArtifact `json:"artifactLocation"`
		Region           sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI       string `json:"uri"`
		URIBaseID string `json:"uriBaseId,omitempty"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
		EndLine     int `json:"endLine"`
		EndColumn   int `json:"endColumn"`
	}
)

// sourceRoot is the name of the directory that locations are given from.
const sourceRoot = "%SRCROOT%"

// sarifOf is a log of one run. Whole says whether all was looked at that should have been.
func sarifOf(base string, list []foundDiagnostic, whole bool) sarifLog {
	run := sarifRun{
		Tool: sarifTool{sarifDriver{
			Name: "cytisus", Version: versionLine(), InformationURI: "https://github.com/cytisus/cytisus", Rules: []sarifRule{},
		}},
		Invocations:        []sarifInvocation{{ExecutionSuccessful: whole}},
		OriginalURIBaseIDs: map[string]sarifArtifact{sourceRoot: {URI: strings.TrimSuffix(string(uri.File(base)), "/") + "/"}},
		ColumnKind:         "utf16CodeUnits",
		Results:            []sarifResult{},
	}
	rules, seen, texts := map[string]int{}, map[string]int{}, textLines{}
	for i := range list {
		d := &list[i]
		rule := ruleOf(d)
		if rule == "" {
			rule = "cytisus"
		}
		index, ok := rules[rule]
		if !ok {
			index = len(run.Tool.Driver.Rules)
			rules[rule] = index
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{rule, d.Href})
		}
		where := sarifArtifact{URI: string(uri.File(d.Place.File))}
		if rel, ok := fromBase(base, d.Place.File); ok {
			where = sarifArtifact{(&url.URL{Path: rel}).String(), sourceRoot}
		}
		// A finding is the same as one of another run if they say the same of the same line,
		// wherever that stands by then. Of several, the order tells them apart.
		same := strings.Join([]string{rule, where.URI, d.Place.Text, d.Message}, "\x00")
		seen[same]++
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", same, seen[same]))
		run.Results = append(run.Results, sarifResult{
			RuleID: rule, RuleIndex: index, Level: sarifLevel(d.Severity), Message: sarifMessage{d.Message},
			Locations: []sarifLocation{{sarifPhysical{where, sarifRegion{
				StartLine: d.Place.Line, StartColumn: texts.units(d.Place.File, d.Place.Line, d.Place.Column),
				EndLine: d.Place.EndLine, EndColumn: texts.units(d.Place.File, d.Place.EndLine, d.Place.EndColumn),
			}}}},
			PartialFingerprints: map[string]string{"cytisusFinding/v1": hex.EncodeToString(sum[:16])},
		})
	}
	return sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}}
}

func sarifLevel(severity string) string {
	switch severity {
	case lsp.SeverityError.String(), lsp.SeverityWarning.String():
		return severity
	}
	return "note"
}

// textLines are the lines of files as they are on the disk. What cannot be read has none.
type textLines map[string][]string

// line is a line, counted from 1.
func (t textLines) line(file string, n int) string {
	lines, ok := t[file]
	if !ok {
		if text, err := files.Read(file, lsp.MaxFileBytes); err == nil {
			lines = strings.Split(string(text), "\n")
		}
		t[file] = lines
	}
	if n < 1 || n > len(lines) {
		return ""
	}
	return lines[n-1]
}

// units is a column in bytes as one in UTF-16 code units. Both count from 1.
func (t textLines) units(file string, line, column int) int {
	text := t.line(file, line)
	n := 1
	for _, r := range text[:min(max(column-1, 0), len(text))] {
		n += utf16.RuneLen(r)
	}
	return n
}
