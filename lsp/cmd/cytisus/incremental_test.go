package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

var (
	agreeEdits  = flag.Int("agree.edits", agreeEditsLeast, "edits of TestIncrementalAgrees")
	agreeSeed   = flag.Uint64("agree.seed", 8_100_000, "seed of TestIncrementalAgrees; 0 takes a new one")
	agreeSteps  = flag.String("agree.steps", "", "numbers of the steps that TestIncrementalAgrees plays of one history, separated by commas; empty: all")
	agreeShrink = flag.Duration("agree.shrink", 3*time.Minute, "how long TestIncrementalAgrees looks for a smaller history that fails")
)

// A history begins with some of the corpus, and has this many edits, with a comparison behind each
// few of them.
const (
	historyEdits = 60
	editsMax     = 20 // between two comparisons
)

// TestIncrementalAgrees edits real packages at random, from two editors and on the disk: bodies,
// declarations, imports, package clauses, files made, removed, renamed and moved, go.mod files,
// half of what is typed, undone, saved, closed. Now and then the session's diagnostics, outlines,
// symbols and answers at many places are compared with those of a server that begins there and
// then, on a copy of the files, without anything of the first.
//
// A history that fails is made smaller. The message says how it is played again.
func TestIncrementalAgrees(t *testing.T) {
	if testing.Short() {
		t.Skip("starts servers again and again")
	}
	c := newCorpus(t)
	seed := *agreeSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	edits, compared, begin := 0, 0, time.Now()
	for edits < *agreeEdits {
		h := newHistory(seed, min(historyEdits, *agreeEdits-edits))
		if *agreeSteps != "" {
			h = h.only(t, *agreeSteps)
		}
		r := h.play(t, c)
		edits, compared = edits+r.edits, compared+r.compared
		if r.err != nil {
			t.Logf("after %d edits, with -agree.seed=%d: %v", edits, seed, r.err)
			h, r = h.shrunk(t, c, r)
			t.Fatalf("again with -agree.seed=%d -agree.steps=%v:\n%s\n\n%v", seed, h, strings.Join(r.log, "\n"), r.err)
		}
		if *agreeSteps != "" {
			break
		}
		if edits/1000 > (edits-r.edits)/1000 {
			t.Logf("%d edits, %d comparisons, the last history with -agree.seed=%d, after %v", edits, compared, seed, time.Since(begin).Round(time.Second))
		}
		seed++
	}
	t.Logf("%d edits, %d comparisons, the last history with -agree.seed=%d, in %v", edits, compared, seed-1, time.Since(begin).Round(time.Second))
}

// A history is a list of steps. Each has its own source of what is random, so that the others mean
// nearly the same without it.
type history struct {
	seed  uint64
	steps []historyStep
}

type historyStep struct {
	number  int
	compare bool
}

func newHistory(seed uint64, edits int) *history {
	rng := rand.New(rand.NewPCG(seed, 1))
	h := &history{seed: seed}
	for edits > 0 {
		n := min(1+rng.IntN(editsMax), edits)
		edits -= n
		for range n {
			h.steps = append(h.steps, historyStep{number: len(h.steps)})
		}
		h.steps = append(h.steps, historyStep{len(h.steps), true})
	}
	return h
}

// String lists the numbers of the steps, those of comparisons with a "=".
func (h *history) String() string {
	var list []string
	for _, s := range h.steps {
		list = append(list, map[bool]string{true: "="}[s.compare]+strconv.Itoa(s.number))
	}
	return strings.Join(list, ",")
}

// only has the steps that String listed.
func (h *history) only(t *testing.T, list string) *history {
	out := &history{seed: h.seed}
	for _, word := range strings.Split(list, ",") {
		number, compare := strings.CutPrefix(word, "=")
		n, err := strconv.Atoi(number)
		if err != nil {
			t.Fatal(err)
		}
		out.steps = append(out.steps, historyStep{n, compare})
	}
	return out
}

// A played is what came of a history.
type played struct {
	edits, compared int
	log             []string
	err             error // nil: everything agreed
}

func (h *history) play(t *testing.T, c *corpus) (r played) {
	a := beginAgreement(t, c, h.seed)
	defer func() {
		r.edits, r.compared, r.log = a.edits, a.compared, a.log
		a.end()
	}()
	for _, s := range h.steps {
		a.rng = rand.New(rand.NewPCG(h.seed, uint64(s.number)+2))
		if s.compare {
			r.err = a.compare()
		} else {
			r.err = a.step()
		}
		for _, s := range a.clients {
			r.err = cmp.Or(r.err, s.wrong())
		}
		if r.err != nil {
			return r
		}
	}
	return r
}

// shrunk takes steps away as long as the history fails.
func (h *history) shrunk(t *testing.T, c *corpus, r played) (*history, played) {
	deadline := time.Now().Add(*agreeShrink)
	keep := func(steps []historyStep) bool {
		if time.Now().After(deadline) {
			return false
		}
		less := &history{h.seed, steps}
		got := less.play(t, c)
		if got.err == nil || askedIn(got.err) != askedIn(r.err) {
			return false // another difference, which has a history of its own
		}
		h, r = less, got
		return true
	}
	h = &history{h.seed, h.steps[:slices.IndexFunc(h.steps, func(s historyStep) bool { return s.number == r.last(h) })+1]}
	last := len(h.steps) - 1
	keep(append(slices.DeleteFunc(slices.Clone(h.steps[:last]), func(s historyStep) bool { return s.compare }), h.steps[last]))
	for n := len(h.steps) / 2; n > 0; {
		before := len(h.steps)
		for to := len(h.steps) - 1; to > 0; to -= n {
			keep(slices.Delete(slices.Clone(h.steps), max(0, to-n), to))
			to = min(to, len(h.steps)-1+n)
		}
		if n > 1 || len(h.steps) == before {
			n /= 2
		}
	}
	return h, r
}

// askedIn is what was asked when a difference was found, by its first word.
func askedIn(err error) string {
	asked, _, _ := strings.Cut(err.Error(), " ")
	return asked
}

// last is the number of the comparison that a history failed in, or of its last step.
func (r played) last(h *history) int {
	n := r.compared
	for _, s := range h.steps {
		if s.compare {
			if n--; n == 0 {
				return s.number
			}
		}
	}
	return h.steps[len(h.steps)-1].number
}

// An agreement is a history that is being played.
type agreement struct {
	*layoutPlayer
	layout   *layout
	clients  [2]*session
	claims   map[string][]int    // by path: which clients have it open, the one that wrote last at the end
	before   map[string][]string // by path: texts that it had in an editor
	edits    int
	compared int
}

func beginAgreement(t *testing.T, c *corpus, seed uint64) *agreement {
	rng := rand.New(rand.NewPCG(seed, 0))
	p := newPlayer(t)
	p.utf16 = rng.IntN(3) == 0
	a := &agreement{
		layoutPlayer: &layoutPlayer{player: p, rng: rng}, layout: c.newLayout(rng),
		claims: map[string][]int{}, before: map[string][]string{},
	}
	a.note("%v", a.layout)
	for _, name := range slices.Sorted(maps.Keys(a.layout.texts)) {
		p.put(name, a.layout.texts[name])
	}
	p.folders = nil
	for _, dir := range a.layout.folders {
		p.folders = append(p.folders, p.path(dir))
	}
	a.clients[0] = p.begun()
	a.clients[1] = joinSession(t, p, p.session.host)
	return a
}

func (a *agreement) end() {
	a.clients[1].end()
	a.player.end()
	a.discard(a.player)
}

// discard removes what a player has on the disk.
func (a *agreement) discard(p *player) {
	for _, dir := range []string{p.top, p.store} {
		if err := os.RemoveAll(dir); dir != "" && err != nil {
			a.t.Error(err)
		}
	}
}

// files are those on the disk that have a name, relative to the top.
func (a *agreement) files(fits func(name string) bool) (list []string) {
	err := filepath.WalkDir(a.top, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && fits(d.Name()) {
			list = append(list, filepath.ToSlash(a.relative(path)))
		}
		return err
	})
	if err != nil {
		a.t.Fatal(err)
	}
	return list
}

func isGoFile(name string) bool { return strings.HasSuffix(name, ".go") }

// goFile is a random Go file on the disk; all are put back if there is none.
func (a *agreement) goFile() string {
	list := a.files(isGoFile)
	if len(list) == 0 {
		a.restore()
		list = a.files(isGoFile)
	}
	return pick(a.rng, list)
}

func (a *agreement) disk(file string) string {
	raw, err := os.ReadFile(a.path(file))
	if err != nil {
		a.t.Fatal(err)
	}
	return string(raw)
}

// shown is the text of a file that counts: that of the editor that wrote last, else that on disk.
func (a *agreement) shown(file string) string {
	if list := a.claims[a.path(file)]; len(list) > 0 {
		return a.clients[list[len(list)-1]].docs[a.path(file)].text
	}
	return a.disk(file)
}

// mutated changes a text.
func (a *agreement) mutated(file, text string) (changed, how string) {
	paths := []string{"fmt", "strings", "errors", "sort", "no/such", "unsafe", "C", "ex.org/std/" + pick(a.rng, stdPieces), "golang.org/x/mod/semver"}
	for name := range a.layout.texts {
		if filepath.Dir(name) == "container/list" {
			paths = append(paths, "ex.org/std/container/list")
		}
	}
	slices.Sort(paths)
	return mutate(a.rng, text, a.disk(a.goFile()), slices.Compact(paths))
}

// step changes something, or asks.
func (a *agreement) step() error {
	switch n := a.rng.IntN(40); {
	case n < 20:
		a.edit()
	case n < 22:
		a.undo()
	case n < 24:
		a.save()
	case n < 26:
		a.closeFile()
	case n < 29:
		file := a.goFile()
		text, how := a.mutated(file, a.disk(file))
		a.note("on the disk, %s:", how)
		a.write(file, text)
	case n == 29:
		a.remove(a.goFile())
	case n < 32:
		a.move()
	case n == 32:
		a.copyFile()
		if a.rng.IntN(2) == 0 {
			a.odd()
		}
	case n < 35:
		a.module()
	case n == 35:
		a.restoreSome()
	default:
		return a.ask()
	}
	a.edits++
	if a.rng.IntN(3) == 0 {
		return a.reportSome(a.rng.IntN(len(a.waiting) + 1))
	}
	return nil
}

// client is one of the editors. What another one has sent before has been taken by then if both
// have the file: of their texts the one that comes last counts. Files outside of the folders are
// the first editor's, since what is wrong with them is told to those that have them open.
func (a *agreement) client(path string) (n int, s *session) {
	if a.inFolder(path) {
		n = a.rng.IntN(len(a.clients))
	}
	for _, other := range a.claims[path] {
		if other != n {
			if _, err := a.clients[other].call("cytisus/stats", nil); err != nil {
				a.t.Fatal(err)
			}
		}
	}
	return n, a.clients[n]
}

func (a *agreement) inFolder(path string) bool {
	return slices.ContainsFunc(a.player.folders, func(dir string) bool { return strings.HasPrefix(path, dir+string(filepath.Separator)) })
}

// claim makes an editor's text the one that counts.
func (a *agreement) claim(path string, n int) {
	a.claims[path] = append(slices.DeleteFunc(a.claims[path], func(o int) bool { return o == n }), n)
}

// edit opens a file, or changes one that is open.
func (a *agreement) edit() {
	file := a.goFile()
	if open := slices.Sorted(maps.Keys(a.claims)); len(open) > 0 && a.rng.IntN(4) > 0 {
		file = a.relative(pick(a.rng, open))
	}
	path := a.path(file)
	n, s := a.client(path)
	if s.docs[path] == nil {
		text := a.shown(file)
		if a.rng.IntN(4) == 0 {
			text, _ = a.mutated(file, text)
		}
		a.note("editor %d: open %s, %d bytes", n, file, len(text))
		a.before[path] = append(a.before[path], text)
		s.open(path, text)
		a.claim(path, n)
		return
	}
	text, how := a.mutated(file, s.docs[path].text)
	a.changeTo(n, file, text, how)
}

// changeTo changes an open file, as a whole or where it differs.
func (a *agreement) changeTo(n int, file, text, how string) {
	path := a.path(file)
	s := a.clients[n]
	old := s.docs[path].text
	a.note("editor %d: change %s: %s%s", n, file, how, difference(old, text))
	a.before[path] = append(a.before[path], old)
	a.claim(path, n)
	if a.rng.IntN(4) == 0 {
		_ = s.changeText(path, text) // it is open
		return
	}
	s.changePart(path, text)
}

// commonEnds are the lengths of what two texts begin and end with, in whole runes and ends of
// lines.
func commonEnds(a, b string) (head, tail int) {
	for head < min(len(a), len(b)) && a[head] == b[head] {
		head++
	}
	within := func(text string, at int) bool { // a rune, or the end of a line
		return 0 < at && at < len(text) && (text[at]&0xc0 == 0x80 || text[at-1:at+1] == "\r\n")
	}
	for within(a, head) || within(b, head) {
		head--
	}
	for tail < min(len(a), len(b))-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	for within(a, len(a)-tail) || within(b, len(b)-tail) {
		tail--
	}
	return head, tail
}

// difference tells where two texts differ.
func difference(a, b string) string {
	head, tail := commonEnds(a, b)
	return fmt.Sprintf(" (at %d: %.200q for %.200q)", head, b[head:len(b)-tail], a[head:len(a)-tail])
}

// changePart tells the server of the part of a text that differs.
func (s *session) changePart(path, text string) {
	d := s.docs[path]
	head, tail := commonEnds(d.text, text)
	change := map[string]any{
		"range": map[string]any{"start": s.p.position(d.text, head), "end": s.p.position(d.text, len(d.text)-tail)},
		"text":  text[head : len(text)-tail],
	}
	d.text, d.version = text, d.version+1
	s.tell("textDocument/didChange", map[string]any{
		"textDocument": map[string]any{"uri": fileURI(path), "version": d.version}, "contentChanges": []any{change},
	})
}

// openFile is a file that an editor has open; false if it has none.
func (a *agreement) openFile() (n int, path string, ok bool) {
	n = a.rng.IntN(len(a.clients))
	open := slices.Sorted(maps.Keys(a.clients[n].docs))
	if len(open) == 0 {
		return 0, "", false
	}
	path = pick(a.rng, open)
	for _, other := range a.claims[path] {
		if other != n {
			if _, err := a.clients[other].call("cytisus/stats", nil); err != nil {
				a.t.Fatal(err)
			}
		}
	}
	return n, path, true
}

func (a *agreement) undo() {
	if n, path, ok := a.openFile(); ok {
		a.changeTo(n, a.relative(path), pick(a.rng, a.before[path]), "undo")
	}
}

func (a *agreement) save() {
	n, path, ok := a.openFile()
	if !ok || isDir(path) {
		return
	}
	a.note("editor %d: save %s", n, a.relative(path))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		a.t.Fatal(err)
	}
	if err := a.clients[n].save(path); err != nil {
		a.t.Fatal(err)
	}
	a.waiting = append(a.waiting, a.relative(path))
}

func (a *agreement) closeFile() {
	if n, path, ok := a.openFile(); ok {
		a.closeIn(n, path)
	}
}

func (a *agreement) closeIn(n int, path string) {
	a.note("editor %d: close %s", n, a.relative(path))
	_ = a.clients[n].closeText(path) // it is open
	a.claims[path] = slices.DeleteFunc(a.claims[path], func(o int) bool { return o == n })
	if len(a.claims[path]) == 0 {
		delete(a.claims, path)
	}
}

// move renames a file, mostly into another package.
func (a *agreement) move() {
	from, to := a.goFile(), filepath.Dir(a.goFile())
	to = filepath.Join(to, pick(a.rng, []string{filepath.Base(from), "moved.go", "moved_test.go", "moved_windows.go"}))
	if !isDir(a.path(to)) {
		a.rename(from, to)
	}
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// copyFile makes a file of another one's text, in its package or a new one.
func (a *agreement) copyFile() {
	from := a.goFile()
	dir := pick(a.rng, []string{filepath.Dir(from), filepath.Join(filepath.Dir(from), "fresh"), filepath.Dir(a.goFile())})
	file := filepath.Join(dir, pick(a.rng, []string{"copy.go", "copy_test.go"}))
	if err := os.MkdirAll(filepath.Dir(a.path(file)), 0o755); err == nil {
		a.note("copy of %s:", from)
		a.write(file, a.disk(from))
	}
}

// isRead reports whether the module of a file is read: a nested one is while an editor has a file
// of it, and a question about another file would have it read from there on.
func (a *agreement) isRead(file string) bool {
	moduleOf := func(file string) string {
		dir := filepath.Dir(file)
		for dir != "." && !exists(a.path(filepath.Join(dir, "go.mod"))) {
			dir = filepath.Dir(dir)
		}
		return dir
	}
	module := moduleOf(file)
	if module == "." || slices.Contains(a.layout.modules, filepath.ToSlash(module)) {
		return true
	}
	for path := range a.claims {
		if moduleOf(a.relative(path)) == module {
			return true
		}
	}
	return false
}

// odd does something that is seldom done to a tree of files.
func (a *agreement) odd() {
	file := a.goFile()
	dir := filepath.Dir(file)
	switch a.rng.IntN(6) {
	case 0: // a module within a module
		a.write(filepath.Join(dir, "go.mod"), "module ex.org/nested\n\ngo 1.26\n")
	case 1:
		if a.inFolder(a.path("go.work")) {
			text := "go 1.26\n"
			for _, module := range a.layout.modules {
				text += "\nuse ./" + module + "\n"
			}
			a.write("go.work", text)
		}
	case 2: // a directory in the place of a file
		a.remove(file)
		a.write(filepath.Join(file, "within.go"), "package within\n")
	case 3:
		a.write(filepath.Join(dir, "vendor", "ex.org", "none", "none.go"), "package none\n\nfunc None() {}\n")
		a.write(filepath.Join(dir, "vendor", "modules.txt"), "# ex.org/none v1.0.0\n## explicit\nex.org/none\n")
	case 4: // a whole directory gone, of which the editor tells as of one
		if dir != "." && !slices.Contains(a.layout.modules, filepath.ToSlash(dir)) {
			a.remove(dir)
		}
	case 5: // names that some file systems take for one
		a.write(filepath.Join(dir, strings.ToUpper(filepath.Base(dir))+".go"), a.disk(file))
	}
}

// module changes a go.mod or go.work file on the disk.
func (a *agreement) module() {
	list := a.files(func(name string) bool { return name == "go.mod" || name == "go.work" })
	// One outside of the folders stays as it is: what is read there without it is what was opened.
	list = slices.DeleteFunc(list, func(file string) bool { return !a.inFolder(a.path(file)) && file != "go.work" })
	if len(list) == 0 {
		a.restore()
		return
	}
	file := pick(a.rng, list)
	text := a.disk(file)
	switch a.rng.IntN(8) {
	case 0, 1:
		text = strings.Replace(text, "go 1.26", "go 1."+pick(a.rng, []string{"17", "20", "22", "25", "99"}), 1)
	case 2:
		text += "\nrequire ex.org/none v1.0.0\n"
	case 3:
		text += "\nnonsense\n"
	case 4:
		text = strings.Replace(text, "module ", "module ex.org/other/", 1)
	case 5:
		text += "\nreplace ex.org/none => ./none\n"
	case 6:
		if i := strings.Index(text, "replace "); i > 0 {
			text = text[:i]
		} else {
			a.remove(file)
			return
		}
	default:
		text = a.layout.texts[file]
	}
	a.write(file, text)
}

// restoreSome puts a file back to what it was in the beginning, or all.
func (a *agreement) restoreSome() {
	if a.rng.IntN(4) == 0 {
		a.restore()
		return
	}
	file := pick(a.rng, slices.Sorted(maps.Keys(a.layout.texts)))
	if err := os.MkdirAll(filepath.Dir(a.path(file)), 0o755); err == nil {
		a.write(file, a.layout.texts[file])
	}
}

func (a *agreement) restore() {
	a.note("restore everything")
	for _, name := range slices.Sorted(maps.Keys(a.layout.texts)) {
		if raw, err := os.ReadFile(a.path(name)); err != nil || string(raw) != a.layout.texts[name] {
			a.write(name, a.layout.texts[name])
		}
	}
	for _, file := range a.files(func(string) bool { return true }) {
		if _, ok := a.layout.texts[file]; !ok {
			a.remove(file)
		}
	}
}

// write changes the disk.
func (a *agreement) write(file, text string) {
	if isDir(a.path(file)) {
		a.remove(file)
	}
	old, err := os.ReadFile(a.path(file))
	what := fmt.Sprintf("%d bytes", len(text))
	if err == nil {
		what = difference(string(old), text)
	}
	a.note("write %s: %s", file, what)
	a.put(file, text)
	a.waiting = append(a.waiting, file)
}

// reportSome tells both editors' sessions of some changes, in any order. An editor reports what it
// was asked for: what it was not, the server looks at when it comes to need it.
func (a *agreement) reportSome(n int) error {
	if n == 0 {
		return nil
	}
	s := a.clients[a.rng.IntN(len(a.clients))]
	if _, err := s.call("cytisus/settle", nil); err != nil {
		return err
	}
	a.rng.Shuffle(len(a.waiting), func(i, j int) { a.waiting[i], a.waiting[j] = a.waiting[j], a.waiting[i] })
	for _, file := range a.waiting[:n] {
		kind, bit := 2, 2
		if !exists(a.path(file)) {
			kind, bit = 3, 4
		}
		s.mu.Lock()
		asked := s.watched(a.path(file), bit)
		s.mu.Unlock()
		if asked {
			a.note("event %s", file)
			s.tell("workspace/didChangeWatchedFiles", map[string]any{"changes": []any{map[string]any{"uri": fileURI(a.path(file)), "type": kind}}})
		} else {
			a.note("no event of %s", file)
		}
	}
	a.waiting = slices.Delete(a.waiting, 0, n)
	return nil
}

// ask asks something while things change. The answer is about a state that may have passed.
func (a *agreement) ask() error {
	n := a.rng.IntN(len(a.clients))
	file := a.goFile()
	if !a.isRead(file) {
		return nil
	}
	path := a.path(file)
	text, err := a.clients[n].text(path)
	if err != nil {
		return err
	}
	verb := pick(a.rng, []string{"def", "refs", "hover", "outline", "check"})
	switch at := editToken.FindAllStringIndex(text, -1); {
	case verb == "check":
		_, err = a.clients[n].call("workspace/diagnostic", map[string]any{"previousResultIds": []any{}})
	case verb == "outline":
		_, err = a.clients[n].call("textDocument/documentSymbol", textDocument(path))
	case len(at) > 0:
		_, err = a.clients[n].askAt(verb, path, text, pick(a.rng, at)[0])
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil // it may be refused: the other editor's text counts, or the state has passed
}

// compare waits until all has been told of and nothing changes by itself, and compares with a
// server that begins then.
func (a *agreement) compare() error {
	a.compared++
	for path, list := range a.claims { // of two texts of a file one is asked about
		for _, n := range slices.Clone(list[:len(list)-1]) {
			if a.clients[n].docs[path].text != a.shown(a.relative(path)) {
				a.closeIn(n, path)
			}
		}
	}
	settle := func() error {
		for _, s := range a.clients { // each has its own order of what was sent
			if _, err := s.call("cytisus/settle", nil); err != nil {
				return err
			}
		}
		return nil
	}
	if err := errors.Join(settle(), a.reportSome(len(a.waiting)), settle()); err != nil {
		return err
	}
	a.note("compare")
	got, err := a.clients[0].check()
	if err != nil {
		return err
	}
	if other, err := a.clients[1].check(); err != nil || a.inFolders(other) != a.inFolders(got) {
		return fmt.Errorf("the other editor is not told the same: %w\n%s", errors.Join(err), lineDifferences(got, other))
	}
	clean, err := a.fresh()
	if err != nil {
		return err
	}
	defer func() {
		clean.end()
		a.discard(clean)
	}()
	want, err := clean.session.check()
	if want = strings.ReplaceAll(want, clean.top, a.top); err != nil || got != want {
		return fmt.Errorf("diagnostics: %w\n%s", errors.Join(err), lineDifferences(got, want))
	}
	return cmp.Or(a.compareAnswers(clean), clean.session.wrong())
}

// inFolders is what diagnostics say of files in the folders.
func (a *agreement) inFolders(list string) string {
	var out []string
	inside := false
	for _, line := range strings.Split(list, "\n") {
		if !strings.HasPrefix(line, "\t") { // else it belongs to the one above
			inside = slices.ContainsFunc(a.layout.folders, func(dir string) bool {
				return dir == "" || strings.HasPrefix(line, dir+"/") || strings.HasPrefix(line, dir+":")
			})
		}
		if inside {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

// lineDifferences are the lines of a session that a new one has not, and the other way round.
func lineDifferences(got, want string) string {
	var out []string
	for _, line := range strings.Split(got, "\n") {
		if !slices.Contains(strings.Split(want, "\n"), line) {
			out = append(out, "the session says: "+line)
		}
	}
	for _, line := range strings.Split(want, "\n") {
		if !slices.Contains(strings.Split(got, "\n"), line) {
			out = append(out, "a new one says:   "+line)
		}
	}
	if len(out) == 0 {
		out = []string{"the order of lines, or how often they stand there", got}
	}
	return strings.Join(out, "\n")
}

// fresh begins a session on a copy of the files, so that nothing that is known by a file's name is
// known of it, and without what the language keeps beside the engine.
func (a *agreement) fresh() (*player, error) {
	clean := newPlayer(a.t)
	clean.store, clean.env, clean.modules, clean.utf16 = "", a.env, a.modules, a.utf16
	if err := os.CopyFS(clean.top, os.DirFS(a.top)); err != nil {
		return nil, err
	}
	clean.folders = nil
	for _, dir := range a.layout.folders {
		if err := os.MkdirAll(clean.path(dir), 0o755); err != nil {
			return nil, err
		}
		clean.folders = append(clean.folders, clean.path(dir))
	}
	check.Sessions.Bound(0) // drops those that are kept, which are known by the packages' names
	check.Sessions.Bound(check.SessionsBytes)
	if a.rng.IntN(3) == 0 {
		check.Worlds.Bound(0)
		syntax.Trees.Bound(0)
		defer check.Worlds.Bound(check.WorldsBytes)
		defer syntax.Trees.Bound(syntax.TreesBytes)
	}
	s := clean.begun()
	for _, path := range slices.Sorted(maps.Keys(a.claims)) {
		s.open(clean.path(a.relative(path)), a.shown(a.relative(path)))
	}
	return clean, nil
}

// How many places of a comparison are asked about, how many of the other questions are asked about
// each, and how many completions are looked at closely.
const (
	places              = 25
	questionsOfPlace    = 4
	completionsResolved = 5
)

func (a *agreement) compareAnswers(clean *player) error {
	same := func(what string, got, want string, gotErr, wantErr error) error {
		if want = strings.ReplaceAll(want, clean.top, a.top); gotErr != nil || wantErr != nil || got != want {
			return fmt.Errorf("%s: %v, %v\n%s", what, gotErr, wantErr, lineDifferences(got, want))
		}
		return nil
	}
	files := a.files(isGoFile)
	for path := range a.claims {
		if name := filepath.ToSlash(a.relative(path)); !slices.Contains(files, name) {
			files = append(files, name)
		}
	}
	slices.Sort(files)
	files = slices.DeleteFunc(slices.Compact(files), func(file string) bool { return !a.isRead(file) })
	for range min(places, 100*len(files)) {
		file := pick(a.rng, files)
		path := a.path(file)
		s := a.clients[0]
		if list := a.claims[path]; len(list) > 0 {
			s = a.clients[list[len(list)-1]]
		}
		got, gotErr := s.outline(path)
		want, wantErr := clean.session.outline(clean.path(file))
		if err := same("outline of "+file, got, want, gotErr, wantErr); err != nil {
			return err
		}
		text := a.shown(file)
		at := editToken.FindAllStringIndex(text, -1)
		if len(at) == 0 {
			continue
		}
		offset := pick(a.rng, at)[0]
		for _, verb := range []string{"def", "hover", "refs"} {
			got, gotErr := s.askAt(verb, path, text, offset)
			want, wantErr := clean.session.askAt(verb, clean.path(file), text, offset)
			what := fmt.Sprintf("%s at %d of %s, %.30q", verb, offset, file, text[offset:])
			if err := same(what, got, want, gotErr, wantErr); err != nil {
				return err
			}
		}
		for range questionsOfPlace {
			q := pick(a.rng, otherQuestions)
			got, gotErr := s.answer(q, path, text, offset)
			want, wantErr := clean.session.answer(q, clean.path(file), text, offset)
			what := fmt.Sprintf("%s at %d of %s, %.30q", q.method, offset, file, text[offset:])
			if err := same(what, got, want, gotErr, wantErr); err != nil {
				return err
			}
		}
	}
	for _, query := range []string{"a", "New", "err"} {
		got, gotErr := a.clients[0].symbols(query)
		want, wantErr := clean.session.symbols(query)
		if err := same("symbols "+query, got, want, gotErr, wantErr); err != nil {
			return err
		}
	}
	return nil
}

// A question is one that an editor asks about a file, or about a place in it.
type question struct {
	method string
	more   string   // parameters beside the document and the position, without the braces
	then   []string // what is asked next about each thing of the answer
}

// otherQuestions are those beside outlines, definitions, references and hovers.
var otherQuestions = []question{
	{method: "textDocument/semanticTokens/full"},
	{method: "textDocument/completion", then: []string{"completionItem/resolve"}},
	{method: "textDocument/signatureHelp"},
	{method: "textDocument/documentHighlight"},
	{method: "textDocument/implementation"},
	{method: "textDocument/typeDefinition"},
	{method: "textDocument/declaration"},
	{method: "textDocument/prepareRename"},
	{method: "textDocument/rename", more: `"newName": "renamed"`},
	{method: "textDocument/prepareCallHierarchy", then: []string{"callHierarchy/incomingCalls", "callHierarchy/outgoingCalls"}},
	{method: "textDocument/prepareTypeHierarchy", then: []string{"typeHierarchy/supertypes", "typeHierarchy/subtypes"}},
	{method: "textDocument/inlayHint", more: `"range": {"start": {"line": 0, "character": 0}, "end": {"line": 100000, "character": 0}}`},
	{method: "textDocument/codeLens"},
	{method: "textDocument/documentLink"},
	{method: "textDocument/foldingRange"},
	{method: "textDocument/formatting", more: `"options": {"tabSize": 8, "insertSpaces": false}`},
	{method: "textDocument/codeAction"},
}

// answer is the answer to a question about a place, as the server gives it.
func (s *session) answer(q question, path, text string, offset int) (string, error) {
	params := textDocument(path)
	at := s.p.position(text, offset)
	params["position"] = at
	if q.method == "textDocument/codeAction" {
		params["range"], params["context"] = map[string]any{"start": at, "end": at}, map[string]any{"diagnostics": []any{}}
	}
	if q.more != "" {
		if err := json.Unmarshal([]byte("{"+q.more+"}"), &params); err != nil {
			return "", err
		}
	}
	raw, err := s.call(q.method, params)
	if errors.Is(err, context.DeadlineExceeded) {
		return "", err
	}
	if err != nil && q.method == "textDocument/rename" {
		return "refused", nil // several packages may be a reason, of which one is told
	}
	if err != nil {
		return s.p.named(err.Error()), nil
	}
	out, err := s.p.answered(raw)
	if err != nil {
		return out, err
	}
	items, err := q.items(raw)
	if err != nil {
		return "", err
	}
	for _, item := range items {
		for _, method := range q.then {
			var params any = map[string]any{"item": item}
			if q.method == "textDocument/completion" {
				params = item
			}
			raw, err := s.call(method, params)
			if err != nil {
				return "", err
			}
			next, err := s.p.answered(raw)
			if err != nil {
				return "", err
			}
			out += "\n" + method + ": " + next
		}
	}
	return out, nil
}

// items are the things of an answer that more is asked about: of many completions the last few,
// which are names of packages and of the package.
func (q question) items(raw json.RawMessage) (items []json.RawMessage, err error) {
	switch {
	case len(q.then) == 0:
		return nil, nil
	case q.method == "textDocument/completion":
		var list struct{ Items []json.RawMessage }
		if err := json.Unmarshal(raw, &list); err != nil {
			return nil, err
		}
		return list.Items[max(0, len(list.Items)-completionsResolved):], nil
	}
	err = json.Unmarshal(raw, &items)
	return items, err
}

// answered is an answer as two servers agree about it: objects in one order, without
// what each server calls things.
func (p *player) answered(raw json.RawMessage) (string, error) {
	var answer any
	if err := json.Unmarshal([]byte(p.named(string(raw))), &answer); err != nil {
		return "", err
	}
	withoutNames(answer)
	out, err := json.Marshal(answer)
	return string(out), err
}

// withoutNames drops what only the server itself understands.
func withoutNames(answer any) {
	switch answer := answer.(type) {
	case []any:
		for _, v := range answer {
			withoutNames(v)
		}
	case map[string]any:
		delete(answer, "resultId")
		delete(answer, "data")
		for _, v := range answer {
			withoutNames(v)
		}
	}
}

// named has the top directory's name in an answer replaced.
func (p *player) named(answer string) string {
	return strings.ReplaceAll(strings.ReplaceAll(answer, fileURI(p.top), "top"), p.top, "top")
}

// outline is the outline of a file.
func (s *session) outline(path string) (string, error) {
	raw, err := s.call("textDocument/documentSymbol", textDocument(path))
	if err != nil {
		return "", err
	}
	return s.p.answered(raw)
}
