package watch

import (
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// pollShare is how much more time passes between two looks than one of them takes.
const pollShare = 20

// A stamp is what tells that a file has changed.
type stamp struct {
	size int64
	mod  int64 // nanoseconds
	mode fs.FileMode
}

// A poller looks at all files of the trees every so often.
type poller struct {
	every time.Duration
	note  func(path string)
	seen  map[string]stamp
	next  *time.Timer
}

func newPoller(every time.Duration, note func(string)) *poller {
	p := &poller{every: every, note: note, next: time.NewTimer(0)}
	p.next.Stop()
	return p
}

// look compares the files of trees with those of the look before, and plans the next look.
func (p *poller) look(trees []Tree) {
	began := time.Now()
	now := make(map[string]stamp, len(p.seen))
	for i := range trees {
		list(&trees[i], now)
	}
	if p.seen != nil {
		for path, is := range now {
			if was, there := p.seen[path]; !there || was != is {
				p.note(path)
			}
		}
		for path := range p.seen {
			if _, there := now[path]; !there {
				p.note(path)
			}
		}
	}
	p.seen = now
	p.next.Reset(max(p.every, pollShare*time.Since(began)))
}

// list puts the files of a tree into all.
func list(tree *Tree, all map[string]stamp) {
	root, err := filepath.EvalSymlinks(tree.Dir) // WalkDir does not follow a root that is a link
	if err != nil {
		return // it is not there, and neither are files of it
	}
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // as in told.plant
		}
		if d.IsDir() {
			if path != root && (!tree.deep() || skipped(d)) {
				return fs.SkipDir
			}
			return nil
		}
		below, _ := under(root, path)
		path = filepath.Join(tree.Dir, below)
		if !tree.matches(path) {
			return nil
		}
		if info, err := os.Stat(path); err == nil { // what a link leads to counts
			all[path] = stamp{info.Size(), info.ModTime().UnixNano(), info.Mode()}
		}
		return nil
	})
}
