package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/cytisus/cytisus/lsp"
)

var archives = flag.String("archives", filepath.Join("testdata", "archives", "*.txtar"), "the archives that TestArchives plays, as a pattern")

// TestArchives plays sessions with the language server that are written down as txtar archives in
// testdata/archives. The first line of an archive says what is right. Its sections are the files of
// a directory, the top; a section whose name begins with "@" is a text for the steps. <CR> and
// <BOM> in a section stand for the characters. Lines that begin with "> " are the steps:
//
//	env KEY=VALUE           a setting of the go command; before everything else
//	folders DIR...          the workspace folders (default: the top); later on, the folders there are from now on
//	open FILE [SECTION]     as an editor does; the text is the section's or the one on disk
//	change FILE SECTION     replaces the whole text
//	save FILE               writes the text to disk and says so
//	close FILE
//	write FILE SECTION      changes the disk and reports it as a watching editor does
//	rm FILE                 the same
//	sh COMMAND              changes the disk and reports nothing
//	event KIND FILE...      reports only; KIND is create, change or delete
//	def FILE `TEXT`         a question at the place of | in TEXT, as are refs (with the declaration) and hover
//	symbols QUERY           workspace symbols
//	check                   waits until nothing changes by itself, and looks at all diagnostics
//	cli COMMAND             ends the session and runs a command of cytisus in the first folder, on the same store
//	cliat                   the same as cli check
//	expect RE               the answer of the step before matches; RE is a regexp in which ^ and $ fit at every line
//	reject RE               it does not
//
// A session begins with the first step that needs one. Answers name files relative to the top,
// those of the Go tree as GOROOT/…, those of the module cache as GOMODCACHE/…; lines and columns
// count from 1, columns in bytes:
//
//	def, refs               [2] a.go:3:6-11 b/b.go:5:19-24
//	hover                   the text
//	symbols                 Name/KIND@FILE:LINE, one a line
//	check                   FILE:LINE:COL-COL: MESSAGE, one a line, or clean
//	cli                     what the command prints, and "exit status N" if it fails
//
// An event that the server has not asked for fails the step: no editor would send it. In a check,
// what was published must be what the server says when it is asked.
func TestArchives(t *testing.T) {
	files, err := filepath.Glob(*archives)
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			playArchive(t, a)
		})
	}
}

// A player plays one archive.
type player struct {
	t       *testing.T
	top     string
	store   string
	modules string // the module cache
	env     []string
	texts   map[string]string // of the sections
	folders []string          // absolute
	session *session          // nil: none

	unreported bool   // editors report no changed files: the server watches the disk
	utf16      bool   // columns count the units of UTF-16, not bytes
	answer     string // of the last step that has one
}

// newPlayer makes a player with an empty top.
func newPlayer(t *testing.T) *player {
	p := &player{t: t, top: tempDir(t), store: filepath.Join(t.TempDir(), "store"), texts: map[string]string{}}
	p.folders, p.modules = []string{p.top}, p.store+"-modules"
	p.env = []string{
		"GOENV=off", "GOFLAGS=", "GOWORK=", "GO111MODULE=", "GOPROXY=off", "GOSUMDB=off", "GOTOOLCHAIN=local",
		"GOMODCACHE=" + p.modules,
	}
	return p
}

func playArchive(t *testing.T, a *txtar.Archive) {
	p := newPlayer(t)
	for _, f := range a.Files {
		text := strings.NewReplacer("<CR>", "\r", "<BOM>", "\ufeff").Replace(string(f.Data))
		p.texts[f.Name] = text
		if !strings.HasPrefix(f.Name, "@") {
			p.put(f.Name, text)
		}
	}
	defer p.end()
	for n, line := range strings.Split(string(a.Comment), "\n") {
		step, ok := strings.CutPrefix(line, "> ")
		if !ok {
			continue
		}
		if err := p.play(step); err != nil {
			t.Fatalf("line %d: %s: %v", n+1, step, err)
		}
	}
}

// tempDir is t.TempDir as the go command sees it.
func tempDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// path is where a file lies that a step or a section names.
func (p *player) path(name string) string {
	for _, r := range p.roots() {
		if rest, ok := strings.CutPrefix(name, r.name+"/"); ok && r.name != "" {
			return filepath.Join(r.dir, filepath.FromSlash(rest))
		}
	}
	return filepath.Join(p.top, filepath.FromSlash(name))
}

func (p *player) put(name, text string) {
	p.t.Helper()
	if err := os.MkdirAll(filepath.Dir(p.path(name)), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(p.path(name), []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p *player) section(name string) (string, error) {
	text, ok := p.texts[name]
	if !ok {
		return "", fmt.Errorf("the archive has no section %s", name)
	}
	return text, nil
}

// begun is the session, which begins if there is none.
func (p *player) begun() *session {
	if p.session == nil {
		p.session = beginSession(p.t, p)
	}
	return p.session
}

func (p *player) end() {
	if p.session != nil {
		p.session.end()
		p.session = nil
	}
}

func (p *player) play(step string) (err error) {
	verb, rest, _ := strings.Cut(step, " ")
	rest = strings.TrimSpace(rest)
	args := strings.Fields(rest)
	need := func(least, most int) {
		if err == nil && (len(args) < least || len(args) > most) {
			err = fmt.Errorf("%d arguments", len(args))
		}
	}
	switch verb {
	case "env":
		p.env = append(p.env, rest)
		if p.session != nil {
			err = fmt.Errorf("the session has begun")
		}
		return err
	case "folders":
		var dirs []string
		for _, a := range args {
			dirs = append(dirs, p.path(a))
		}
		if p.session != nil {
			p.session.changeFolders(p.folders, dirs)
		}
		p.folders = dirs
		return nil
	case "open", "change":
		if need(1, 2); err != nil {
			return err
		}
		var text string
		if len(args) == 2 {
			text, err = p.section(args[1])
		} else {
			var raw []byte
			raw, err = os.ReadFile(p.path(args[0]))
			text = string(raw)
		}
		if err != nil {
			return err
		}
		if verb == "open" {
			p.begun().open(p.path(args[0]), text)
			return nil
		}
		return p.begun().changeText(p.path(args[0]), text)
	case "save", "close":
		if need(1, 1); err != nil {
			return err
		}
		if verb == "close" {
			return p.begun().closeText(p.path(args[0]))
		}
		return p.begun().save(p.path(args[0]))
	case "write":
		if need(2, 2); err != nil {
			return err
		}
		text, err := p.section(args[1])
		if err != nil {
			return err
		}
		kind := "change"
		if !exists(p.path(args[0])) {
			kind = "create"
		}
		p.put(args[0], text)
		if p.session == nil {
			return nil
		}
		return p.session.event(kind, []string{p.path(args[0])})
	case "rm":
		if need(1, 1); err != nil {
			return err
		}
		if err := os.RemoveAll(p.path(args[0])); err != nil || p.session == nil {
			return err
		}
		return p.session.event("delete", []string{p.path(args[0])})
	case "sh":
		return p.shell(strings.Trim(rest, "'"))
	case "event":
		if need(2, 100); err != nil {
			return err
		}
		var paths []string
		for _, a := range args[1:] {
			paths = append(paths, p.path(a))
		}
		return p.begun().event(args[0], paths)
	case "def", "refs", "hover":
		file, text, ok := strings.Cut(rest, "`")
		if !ok {
			return fmt.Errorf("no text in backquotes")
		}
		text = strings.TrimSuffix(text, "`")
		p.answer, err = p.begun().ask(verb, p.path(strings.TrimSpace(file)), text)
		return err
	case "symbols":
		p.answer, err = p.begun().symbols(rest)
		return err
	case "check":
		p.answer, err = p.begun().check()
		return err
	case "cli", "cliat":
		if verb == "cliat" {
			args = []string{"check"}
		}
		p.end()
		p.answer = p.command(args...)
		return nil
	case "expect", "reject":
		re, err := regexp.Compile("(?m)" + rest)
		if err != nil {
			return err
		}
		if re.MatchString(p.answer) != (verb == "expect") {
			return fmt.Errorf("the answer was\n%s", p.answer)
		}
		return nil
	}
	return fmt.Errorf("unknown step")
}

func (p *player) shell(command string) error {
	if goruntime.GOOS == "windows" {
		p.t.Skip("needs a shell")
	}
	cmd := exec.CommandContext(p.t.Context(), "sh", "-e", "-c", command)
	cmd.Dir = p.top
	cmd.Env = append(os.Environ(), p.env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// command runs cytisus as a process of its own, in the environment of the archive.
func (p *player) command(args ...string) string {
	exe, err := os.Executable()
	if err != nil {
		p.t.Fatal(err)
	}
	args = append(args, "--progress=none", "--workers=1", "--store", p.store)
	var out []byte
	for range 100 {
		cmd := exec.CommandContext(p.t.Context(), exe, args...)
		cmd.Dir = p.folders[0]
		cmd.Env = append(append(os.Environ(), p.env...), commandEnv+"=1", "PWD="+cmd.Dir)
		if out, err = cmd.CombinedOutput(); !strings.Contains(string(out), fmt.Sprintf("is locked by process %d ", os.Getpid())) {
			break
		}
		// A process that another test is starting has this one's files, the lock included, until it
		// is a program of its own.
	}
	text := strings.ReplaceAll(string(out), p.top+string(filepath.Separator), "")
	if err != nil {
		text += err.Error() + "\n"
	}
	return filepath.ToSlash(text)
}

// workspaceOptions are those of the session.
func (p *player) workspaceOptions() lsp.WorkspaceOptions {
	return lsp.WorkspaceOptions{Tests: true, Env: slices.Clone(p.env)}
}

// A namedDir is a directory that answers have a name for.
type namedDir struct{ dir, name string }

func (p *player) roots() []namedDir {
	return []namedDir{{p.top, ""}, {filepath.Join(goroot(), "src"), "GOROOT"}, {p.modules, "GOMODCACHE"}}
}

// relative is the name of a file in an answer.
func (p *player) relative(path string) string {
	for _, r := range p.roots() {
		if rest, ok := strings.CutPrefix(path, r.dir+string(filepath.Separator)); ok {
			return strings.TrimPrefix(r.name+"/"+filepath.ToSlash(rest), "/")
		}
	}
	return filepath.ToSlash(path)
}

var goroot = sync.OnceValue(func() string {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return ""
	}
	return string(bytes.TrimSpace(out))
})
