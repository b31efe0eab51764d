package watch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var goFiles = []string{"**/*.go", "**/go.mod"}

// A world is a directory that is watched.
type world struct {
	t       *testing.T
	dir     string
	w       *Watcher
	watched map[string]bool // directories of trees there were
	reports chan []string
	seen    map[string]bool // paths that were reported, below dir
}

// forms runs a test with the system telling, and with polling.
func forms(t *testing.T, test func(t *testing.T, o Options)) {
	t.Run("told", func(t *testing.T) { test(t, Options{Quiet: time.Millisecond}) })
	t.Run("polled", func(t *testing.T) {
		test(t, Options{Quiet: time.Millisecond, Poll: true, PollEvery: time.Millisecond})
	})
}

// newWorld watches trees below a directory: names of directories, each with the globs goFiles.
func newWorld(t *testing.T, o Options, dirs ...string) *world {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	x := &world{t: t, dir: dir, watched: make(map[string]bool), reports: make(chan []string, 1000), seen: make(map[string]bool)}
	o.Changed = func(paths []string) {
		if !slices.IsSorted(paths) || len(slices.Compact(slices.Clone(paths))) != len(paths) {
			t.Errorf("a report is not sorted: %q", paths)
		}
		x.reports <- paths
	}
	x.w = New(o)
	t.Cleanup(x.w.Close)
	x.watch(dirs...)
	return x
}

func (x *world) watch(dirs ...string) {
	x.t.Helper()
	if len(dirs) == 0 {
		dirs = []string{""}
	}
	var trees []Tree
	for _, d := range dirs {
		trees = append(trees, Tree{filepath.Join(x.dir, d), goFiles})
	}
	x.w.Watch(trees)
	for _, d := range dirs { // W2
		if !x.watched[d] {
			x.await(d)
		}
		x.watched[d] = true
	}
	clear(x.seen)
}

func (x *world) path(name string) string { return filepath.Join(x.dir, filepath.FromSlash(name)) }

func (x *world) write(name, text string) {
	x.t.Helper()
	if err := os.MkdirAll(filepath.Dir(x.path(name)), 0o755); err != nil {
		x.t.Fatal(err)
	}
	if err := os.WriteFile(x.path(name), []byte(text), 0o644); err != nil {
		x.t.Fatal(err)
	}
}

// await waits until each of names was reported, by itself or by a directory that it is in.
func (x *world) await(names ...string) {
	x.t.Helper()
	covered := func(name string) bool {
		for at := name; ; at = filepath.ToSlash(filepath.Dir(at)) {
			if at == "." {
				at = ""
			}
			if x.seen[at] {
				return true
			}
			if at == "" {
				return false
			}
		}
	}
	limit := time.After(time.Minute)
	missing := slices.Clone(names)
	for {
		if missing = slices.DeleteFunc(missing, covered); len(missing) == 0 {
			return
		}
		select {
		case paths := <-x.reports:
			for _, p := range paths {
				below, ok := under(x.dir, p)
				if !ok {
					x.t.Errorf("%s was reported, which is not below %s", p, x.dir)
				}
				x.seen[filepath.ToSlash(below)] = true
			}
		case <-limit:
			x.t.Fatalf("not reported: %d, the first are %q; reported: %d", len(missing), missing[:min(3, len(missing))], len(x.seen))
		}
	}
}

// none fails if one of names has been reported.
func (x *world) none(names ...string) {
	x.t.Helper()
	for _, name := range names {
		if x.seen[name] {
			x.t.Errorf("%q was reported", name)
		}
	}
}

func (x *world) must(err error) {
	x.t.Helper()
	if err != nil {
		x.t.Fatal(err)
	}
}

// A file is reported when it is made, written, replaced and removed, and others are not.
func TestFiles(t *testing.T) {
	forms(t, func(t *testing.T, o Options) {
		x := newWorld(t, o)
		x.write("a.go", "package a")
		x.await("a.go")
		clear(x.seen)
		x.write("notes.txt", "not ours")
		x.write("a.go", "package a // longer")
		x.await("a.go")
		clear(x.seen)
		x.write("tmp", "package a // from elsewhere")
		x.must(os.Rename(x.path("tmp"), x.path("a.go")))
		x.await("a.go")
		clear(x.seen)
		x.must(os.Remove(x.path("a.go")))
		x.await("a.go")
		x.write("end.go", "")
		x.await("end.go")
		x.none("notes.txt", "tmp", "")
	})
}

// What is in a directory that is made, or moved in, is reported, however soon after it.
func TestDirectories(t *testing.T) {
	forms(t, func(t *testing.T, o Options) {
		x := newWorld(t, o, "root")
		x.write("root/a/b/c/d.go", "package d")
		x.await("root/a/b/c/d.go")
		clear(x.seen)
		x.write("root/a/b/c/e.go", "package d")
		x.await("root/a/b/c/e.go")
		clear(x.seen)
		x.write("aside/x/y.go", "package x")
		x.must(os.Rename(x.path("aside"), x.path("root/moved")))
		x.await("root/moved/x/y.go")
		clear(x.seen)
		x.must(os.Rename(x.path("root/moved"), x.path("root/again")))
		x.await("root/moved/x/y.go", "root/again/x/y.go")
		clear(x.seen)
		x.write("root/again/x/y.go", "package x // changed under its new name")
		x.await("root/again/x/y.go")
		x.none("root/moved/x/y.go")
		clear(x.seen)
		x.must(os.RemoveAll(x.path("root/again")))
		x.await("root/again/x/y.go")
	})
}

// What version control keeps for itself is not looked at.
func TestHiddenDirectories(t *testing.T) {
	forms(t, func(t *testing.T, o Options) {
		x := newWorld(t, o)
		x.write(".git/hooks/x.go", "package x")
		x.write("node_modules/y.go", "package y")
		x.write("z.go", "package z")
		x.await("z.go")
		x.write(".git/hooks/x.go", "package x // again")
		x.write("z.go", "package z // again")
		clear(x.seen)
		x.await("z.go")
		x.none(".git", ".git/hooks/x.go", "node_modules", "node_modules/y.go")
	})
}

// A tree that is not there is waited for, also when it goes and comes back.
func TestMissingTree(t *testing.T) {
	forms(t, func(t *testing.T, o Options) {
		x := newWorld(t, o, "one/two/three")
		for range 2 {
			x.write("one/two/three/a.go", "package a")
			x.await("one/two/three/a.go")
			clear(x.seen)
			x.write("one/two/three/a.go", "package a // changed")
			x.await("one/two/three/a.go")
			clear(x.seen)
			x.must(os.RemoveAll(x.path("one")))
			x.await("one/two/three/a.go")
			clear(x.seen)
		}
	})
}

// What comes between a look at a directory and its watch is told by no event, and is found.
func TestTreeComesBeforeItsWatch(t *testing.T) {
	mkdir := func(name string) func(x *world) {
		return func(x *world) { x.must(os.Mkdir(x.path(name), 0o755)) }
	}
	rename := func(old, to string) func(x *world) {
		return func(x *world) { x.must(os.Rename(x.path(old), x.path(to))) }
	}
	write := func(x *world) { x.write("one/two/three/a.go", "package a") }
	// test does the first step, and each other step just before a directory is watched.
	test := func(name string, there bool, steps ...func(x *world)) {
		t.Run(name, func(t *testing.T) {
			var x *world
			var mu sync.Mutex
			var left []func(x *world) // guarded by mu
			n := &fake{room: 1 << 20, before: func() {
				mu.Lock()
				defer mu.Unlock()
				if len(left) > 0 {
					left[0](x)
					left = left[1:]
				}
			}}
			x = newWorld(t, Options{Quiet: time.Millisecond, notify: n.open}, "one/two/three", "other")
			if there {
				write(x)
				x.await("one/two/three/a.go")
			}
			x.write("other/b.go", "package b")
			x.await("other/b.go") // no add is under way any more
			clear(x.seen)
			mu.Lock()
			left = steps[1:]
			mu.Unlock()
			steps[0](x)
			x.await("one/two/three/a.go")
		})
	}
	test("at once", false, mkdir("one"), write)
	test("step by step", false, mkdir("one"), mkdir("one/two"), mkdir("one/two/three"), write)
	test("going again", false, mkdir("one"), mkdir("one/two"), rename("one", "again"), write)
	test("in its place", true, rename("one", "again"), write)
}

// A tree in another is waited for, and the other goes on.
func TestMissingTreeInATree(t *testing.T) {
	forms(t, func(t *testing.T, o Options) {
		x := newWorld(t, o, "", "one/two")
		x.write("one/a.go", "package a")
		x.await("one/a.go")
		clear(x.seen)
		x.write("one/a.go", "package a // changed")
		x.await("one/a.go")
		clear(x.seen)
		x.write("one/two/b.go", "package b")
		x.await("one/two/b.go")
	})
}

// With other trees, what only the old ones have is not reported any more.
func TestOtherTrees(t *testing.T) {
	forms(t, func(t *testing.T, o Options) {
		x := newWorld(t, o, "a", "b")
		x.write("a/a.go", "")
		x.write("b/b.go", "")
		x.await("a/a.go", "b/b.go")
		x.watch("b", "c")
		x.write("a/a.go", "package a")
		x.write("b/b.go", "package b")
		x.write("c/c.go", "package c")
		x.await("b/b.go", "c/c.go")
		x.none("a", "a/a.go")
	})
}

// Without "**/" only the directory itself counts.
func TestShallowTree(t *testing.T) {
	forms(t, func(t *testing.T, o Options) {
		x := newWorld(t, o, "elsewhere")
		x.write("elsewhere/a.go", "")
		x.await("elsewhere/a.go")
		x.w.Watch([]Tree{{x.path("flat"), []string{"*.go"}}})
		x.await("flat")
		x.write("flat/sub/deep.go", "")
		x.write("flat/a.go", "")
		clear(x.seen)
		x.await("flat/a.go")
		x.none("flat/sub/deep.go")
	})
}

// A root that is a link is watched under its own name.
func TestLinkedRoot(t *testing.T) {
	forms(t, func(t *testing.T, o Options) {
		x := newWorld(t, o, "other")
		x.write("real/sub/a.go", "")
		if err := os.Symlink(x.path("real"), x.path("link")); err != nil {
			t.Skip("no symbolic links: ", err)
		}
		x.watch("link")
		x.write("real/sub/a.go", "package a")
		x.await("link/sub/a.go")
		clear(x.seen)
		x.write("real/b.go", "package b")
		x.await("link/b.go")
	})
}

// All of a checkout of 5,000 files is reported.
func TestCheckout(t *testing.T) {
	forms(t, func(t *testing.T, o Options) {
		o.Quiet, o.PollEvery = 50*time.Millisecond, 100*time.Millisecond
		x := newWorld(t, o)
		names := make([]string, 5000)
		for i := range names {
			names[i] = fmt.Sprintf("dir%d/sub%d/file%d.go", i%40, i%7, i)
		}
		for _, name := range names {
			x.write(name, "package p")
		}
		ended := time.Now()
		x.await(names...)
		t.Logf("known %v after the last file was written", time.Since(ended))
	})
}

// A fake notifier refuses, or tells what a test wants.
type fake struct {
	notifier
	room   int    // directories that it takes
	before func() // called before a directory is watched, if not nil
	lost   chan error
}

func (f *fake) open() (n notifier, err error) {
	f.notifier, err = newNotifier()
	return f, err
}

func (f *fake) add(dir string) error {
	if f.before != nil {
		f.before()
	}
	if f.room--; f.room < 0 {
		return fmt.Errorf("watching %s: %w", dir, syscall.ENOSPC)
	}
	return f.notifier.add(dir)
}

func (f *fake) errors() <-chan error { return f.lost }

// Where the system takes no more watches, or none, files are looked at, and nothing is missed.
func TestSystemRefuses(t *testing.T) {
	for _, room := range []int{0, 3, 5} {
		t.Run(fmt.Sprint(room), func(t *testing.T) {
			o := Options{Quiet: time.Millisecond, PollEvery: time.Millisecond, notify: func() (notifier, error) {
				n, err := newNotifier()
				return &fake{notifier: n, room: room}, err
			}}
			x := newWorld(t, o)
			for i := range 10 {
				name := fmt.Sprintf("d%d/a.go", i)
				x.write(name, "package a")
				x.await(name)
				clear(x.seen)
				x.write(name, "package a // changed")
				x.await(name)
				clear(x.seen)
			}
		})
	}
	t.Run("no notifier", func(t *testing.T) {
		o := Options{Quiet: time.Millisecond, PollEvery: time.Millisecond, notify: func() (notifier, error) {
			return nil, errors.New("not on this system")
		}}
		x := newWorld(t, o)
		x.write("a.go", "")
		x.await("a.go")
	})
}

// When the system has lost events, all trees are looked at, and go on being watched.
func TestEventsLost(t *testing.T) {
	f := &fake{room: 1 << 20, lost: make(chan error)}
	o := Options{Quiet: time.Millisecond, notify: func() (n notifier, err error) {
		f.notifier, err = newNotifier()
		return f, err
	}}
	x := newWorld(t, o, "a", "b")
	f.lost <- fsnotify.ErrEventOverflow
	x.await("a", "b")
	clear(x.seen)
	x.write("a/a.go", "")
	x.await("a/a.go")
}

// So many changes at once are one report of all trees.
func TestManyChanges(t *testing.T) {
	l := &loop{Watcher: &Watcher{opts: Options{}.withDefaults()}, pending: map[string]struct{}{}, quiet: time.NewTimer(time.Hour)}
	l.trees = []Tree{{"/b", goFiles}, {"/a", goFiles}, {"/a", nil}}
	var got []string
	l.opts.Changed = func(paths []string) { got = paths }
	for i := range pendingMax + 10 {
		l.note(fmt.Sprint("/a/", i))
	}
	l.report()
	if strings.Join(got, " ") != "/a /b" {
		t.Errorf("%d paths, want /a and /b", len(got))
	}
	l.note("/a/x.go")
	l.report()
	if strings.Join(got, " ") != "/a/x.go" {
		t.Errorf("afterwards %q", got)
	}
}

// After Close nothing is reported, and closing again does nothing.
func TestClose(t *testing.T) {
	forms(t, func(t *testing.T, o Options) {
		x := newWorld(t, o)
		x.w.Close()
		x.w.Close()
		for len(x.reports) > 0 {
			<-x.reports
		}
		x.write("a.go", "")
		x.w.Watch(nil)
		if len(x.reports) > 0 {
			t.Errorf("%q", <-x.reports)
		}
	})
}
