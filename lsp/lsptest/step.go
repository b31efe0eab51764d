package lsptest

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"go.lsp.dev/jsonrpc2"

	"github.com/cytisus/cytisus/lsp/lsptest/editor"
	"github.com/cytisus/cytisus/lsp/server"
)

// step plays one step and returns its answer.
func (p *player) step(step string) (string, error) {
	verb, rest, _ := strings.Cut(step, " ")
	if play, ok := rawSteps[verb]; ok {
		return refused(play(p, strings.TrimSpace(rest)))
	}
	args := words(rest)
	if method, ok := places[verb]; ok {
		return refused(p.askPlaces(method, args))
	}
	if play, ok := steps[verb]; ok {
		return refused(play(p, args))
	}
	return "", fmt.Errorf("there is no such step")
}

// refused makes an answer of an error that the server has answered.
func refused(answer string, err error) (string, error) {
	if wire, ok := errors.AsType[*jsonrpc2.Error](err); ok {
		return "refused: " + wire.Message, nil
	}
	return answer, err
}

// places are the questions about a place that places answer.
var places = map[string]string{
	"definition": "textDocument/definition", "declaration": "textDocument/declaration",
	"typeDefinition": "textDocument/typeDefinition", "implementation": "textDocument/implementation",
	"references": "textDocument/references", "highlight": "textDocument/documentHighlight",
}

// steps are those whose arguments are words.
var steps = map[string]func(p *player, args []string) (string, error){
	"open": (*player).open, "change": (*player).change, "edit": (*player).edit, "write": (*player).write, "apply": (*player).apply,
	"save": eachFile((*editor.Editor).Save), "close": eachFile((*editor.Editor).Close), "rm": (*player).remove, "text": (*player).showText,
	"hover": (*player).hover, "signature": (*player).signature, "selection": (*player).selection, "linked": (*player).linked,
	"completion": (*player).completion, "prepareRename": (*player).prepareRename, "rename": (*player).rename, "codeaction": (*player).codeAction,
	"format": (*player).format, "formatrange": (*player).formatRange, "formatontype": (*player).formatOnType,
	"folding": (*player).folding, "links": (*player).links, "lenses": (*player).lenses, "hints": (*player).hints, "symbols": (*player).symbols,
	"tokens": (*player).allTokens, "tokensdelta": (*player).changedTokens, "tokensrange": (*player).rangeTokens,
	"find": (*player).find, "calls": (*player).calls, "types": (*player).types, "diagnostics": (*player).diagnostics,
	"renamefile": (*player).renameFile, "await": (*player).await,
}

// rawSteps are those that end in JSON.
var rawSteps = map[string]func(p *player, rest string) (string, error){
	"settings": func(p *player, rest string) (string, error) {
		section, settings, _ := strings.Cut(rest, " ")
		raw, err := p.json(settings)
		if err == nil {
			p.Configure(section, string(raw))
			p.Must(server.MethodSettle, nil) // the server asks for them in the background
		}
		return "", err
	},
	"notify": func(p *player, rest string) (string, error) {
		method, params, _ := strings.Cut(rest, " ")
		raw, err := p.json(params)
		if err == nil {
			p.Tell(method, raw)
		}
		return "", err
	},
	"request": func(p *player, rest string) (string, error) {
		method, params, _ := strings.Cut(rest, " ")
		raw, err := p.json(params)
		if err != nil {
			return "", err
		}
		var given any
		if raw != nil {
			given = raw
		}
		answer, err := p.Ask(method, given)
		if err != nil {
			return "", err
		}
		return p.plain(answer)
	},
	"execute": func(p *player, rest string) (string, error) {
		command, arguments, _ := strings.Cut(rest, " ")
		raw, err := p.json("[" + arguments + "]")
		if err != nil {
			return "", err
		}
		return p.execute(&serverCommand{Command: command, Arguments: raw})
	},
}

// ask sends a request and decodes the answer into result. null leaves it as it is.
func (p *player) ask(method string, params, result any) error {
	answer, err := p.Ask(method, params)
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(answer), result); err != nil {
		return fmt.Errorf("the answer to %s: %w: %s", method, err, answer)
	}
	return nil
}

func (p *player) open(args []string) (string, error) {
	if len(args) == 0 {
		return "", fmt.Errorf("it names no file")
	}
	text, err := p.Text(p.path(args[0]))
	if len(args) > 1 {
		text, err = p.section(args)
	}
	if err == nil {
		p.Open(p.path(args[0]), p.language, text)
	}
	return "", err
}

// section is the text of the section that the second argument names, for the file of the first.
func (p *player) section(args []string) (string, error) {
	if len(args) != 2 {
		return "", fmt.Errorf("it takes a file and a section")
	}
	text, ok := p.texts[args[1]]
	if !ok {
		return "", fmt.Errorf("there is no section %s", args[1])
	}
	return p.marked(args[0], text), nil
}

func (p *player) change(args []string) (string, error) {
	text, err := p.section(args)
	if err == nil {
		p.Change(p.path(args[0]), text)
	}
	return "", err
}

func (p *player) edit(args []string) (string, error) {
	if len(args) != 3 {
		return "", fmt.Errorf("it takes a file and two texts")
	}
	text, err := p.Text(p.path(args[0]))
	if err != nil {
		return "", err
	}
	if n := strings.Count(text, args[1]); n != 1 {
		return "", fmt.Errorf("%q stands %d times in the file", args[1], n)
	}
	at := strings.Index(text, args[1])
	p.Replace(p.path(args[0]), at, at+len(args[1]), args[2])
	return "", nil
}

// The kinds of changes on the disk.
const (
	fileCreated = 1
	fileChanged = 2
	fileDeleted = 3
)

// reportFile says that a file has changed on the disk, and waits until the server has seen it.
func (p *player) reportFile(path string, kind int) {
	p.Tell("workspace/didChangeWatchedFiles", map[string]any{"changes": []any{map[string]any{"uri": editor.URI(path), "type": kind}}})
	p.Must(server.MethodSettle, nil) // what is on the disk is looked at in the background
}

func (p *player) write(args []string) (string, error) {
	text, err := p.section(args)
	if err != nil {
		return "", err
	}
	kind := fileChanged
	if _, err := os.Stat(p.path(args[0])); err != nil {
		kind = fileCreated
	}
	p.put(args[0], text)
	p.reportFile(p.path(args[0]), kind)
	return "", nil
}

func (p *player) remove(args []string) (string, error) {
	for _, name := range args {
		if err := os.RemoveAll(p.path(name)); err != nil {
			return "", err
		}
		p.reportFile(p.path(name), fileDeleted)
	}
	return "", nil
}

func eachFile(do func(e *editor.Editor, path string)) func(p *player, args []string) (string, error) {
	return func(p *player, args []string) (string, error) {
		for _, name := range args {
			do(p.Editor, p.path(name))
		}
		return "", nil
	}
}

func (p *player) showText(args []string) (string, error) {
	path, err := p.file(args)
	if err != nil {
		return "", err
	}
	return p.Text(path)
}

// file is the path of the one file that a step is about.
func (p *player) file(args []string) (string, error) {
	if len(args) != 1 {
		return "", fmt.Errorf("it takes a file")
	}
	return p.path(args[0]), nil
}

// apply makes the changes that were proposed last.
func (p *player) apply([]string) (string, error) {
	if p.proposed == nil {
		return "", fmt.Errorf("nothing has been proposed")
	}
	edit := p.proposed
	p.proposed = nil
	if err := p.Perform(edit); err != nil {
		return "", err
	}
	for _, step := range edit.Steps() {
		switch {
		case step.Kind == "rename":
			p.reportFile(editor.Path(step.OldURI), fileDeleted)
			p.reportFile(editor.Path(step.NewURI), fileCreated)
		case step.Kind == "create":
			p.reportFile(editor.Path(step.URI), fileCreated)
		case step.Kind == "delete":
			p.reportFile(editor.Path(step.URI), fileDeleted)
		case !p.IsOpen(editor.Path(step.TextDocument.URI)):
			p.reportFile(editor.Path(step.TextDocument.URI), fileChanged)
		}
	}
	return "", nil
}

func (p *player) await(args []string) (string, error) {
	if len(args) == 0 {
		return "", fmt.Errorf("it names no method")
	}
	var said string
	said, p.heard = p.Await(p.heard, args[0], strings.Join(args[1:], " "))
	return p.plain(said)
}

// A serverCommand is one that a server offers.
type serverCommand struct {
	Title     string
	Command   string
	Arguments json.RawMessage
}

// execute runs a command. The changes that the server has the client make are part of the answer.
func (p *player) execute(c *serverCommand) (string, error) {
	from := p.Count()
	params := map[string]any{"command": c.Command}
	if c.Arguments != nil {
		params["arguments"] = c.Arguments
	}
	before := p.snapshot()
	answer, err := p.Ask("workspace/executeCommand", params)
	if err != nil {
		return "", err
	}
	shown, err := p.plain(answer)
	for _, m := range p.Said(from, "workspace/applyEdit") {
		var applied struct{ Edit editor.WorkspaceEdit }
		if err := json.Unmarshal([]byte(m.Params), &applied); err != nil {
			return "", err
		}
		diff, err := p.showEdit(&applied.Edit, before)
		if err != nil {
			return "", err
		}
		shown = strings.TrimPrefix(shown+"\n"+diff, "nothing\n")
	}
	return shown, err
}

// count reads a number among the arguments, 0 if there is none.
func count(args []string) (int, error) {
	if len(args) == 0 {
		return 0, nil
	}
	return strconv.Atoi(args[0])
}
