package disk

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// announced is what Faulty calls each method of the interfaces. "" are those that cannot fail.
var announced = map[string]string{
	"FS.MkdirAll": "mkdir", "FS.Create": "create", "FS.Open": "open", "FS.Rename": "rename", "FS.Remove": "remove", "FS.List": "list",
	"FS.SyncDir": "syncdir", "FS.Lock": "lock", "FS.Table": "",
	"File.ReadAt": "read", "File.WriteAt": "write", "File.Close": "close", "File.Name": "", "File.Size": "size", "File.Linked": "linked", "File.Truncate": "truncate",
	"File.Allocate": "allocate", "File.Zero": "zero", "File.Sync": "sync", "File.Source": "",
}

// moreAnnounced is what is announced beside them: of the lock, and of memory.
var moreAnnounced = []string{"unlock", "map", "unmap", "protect", "flush"}

// needed is what the two sessions of a script must come by at least: the calls of opening,
// appending, rotating, syncing, the manifest, the saved index, sealing, compacting and closing.
var needed = []site{
	{"open", "mkdir", "directory"},
	{"open", "lock", "lock"},
	{"open", "list", "directory"},
	{"open", "read", "superblock"},
	{"open", "write", "superblock"},
	{"open", "read", "manifest"},
	{"open", "read", "segment"},
	{"open", "map", "segment"},
	{"open", "read", "index"},
	{"put", "allocate", "segment"}, // append
	{"put", "create", "segment"},   // rotate
	{"put", "write", "segment"},
	{"put", "map", "segment"},
	{"put", "protect", "segment"}, // seal
	{"commit", "write", "manifest"},
	{"collect", "map", "segment"}, // compact
	{"collect", "protect", "segment"},
	{"end", "unmap", "segment"},
	{"end", "remove", "segment"},
	{"end", "close", "segment"},
	{"collect", "sync", "segment"},
	{"collect", "sync", "manifest"},
	{"saved index", "create", "index"},
	{"saved index", "write", "index"},
	{"saved index", "rename", "index"},
	{"close", "truncate", "segment"},
	{"close", "close", "manifest"},
	{"close", "unlock", "lock"},
}

// neededDurable is what a store that syncs must come by beside that.
var neededDurable = map[mmapcas.SyncMode][]site{
	mmapcas.SyncGroup: {
		{"open", "sync", "superblock"},
		{"put", "sync", "segment"},
		{"names", "syncdir", "directory"},
		{"commit", "flush", "segment"},
		{"commit", "sync", "segment"},
		{"commit", "sync", "manifest"},
		{"saved index", "sync", "index"},
	},
	mmapcas.SyncEvery: {
		{"put", "flush", "segment"},
		{"put", "sync", "segment"},
		{"commit", "sync", "manifest"},
	},
}

// TestFaultyAnnouncesEveryMethod: a method that the interfaces gain is announced, and so fails in
// the tests here, or it says why not.
func TestFaultyAnnouncesEveryMethod(t *testing.T) {
	n := 0
	for _, i := range []reflect.Type{reflect.TypeFor[vfs.FS](), reflect.TypeFor[vfs.File]()} {
		for m := range i.Methods() {
			n++
			if _, known := announced[i.Name()+"."+m.Name]; !known {
				t.Errorf("%s.%s is not announced", i.Name(), m.Name)
			}
		}
	}
	if n != len(announced) {
		t.Errorf("%d methods, %d in the table", n, len(announced))
	}
}

// twoSessions runs the script twice over one disk, like eachCall.
func twoSessions(at *sites, p plan, again uint64) error {
	work := rand.New(rand.NewPCG(again, 2))
	l := newLedger()
	mem, _, err := runAt(at, l, vfs.NewMem(), plan{save: p.save, sync: p.sync, err: p.err}, work, (*session).script)
	if err == nil {
		mem, _, err = runAt(at, l, mem, p, work, (*session).script)
	}
	if err == nil {
		err = healthy(l, mem)
	}
	return err
}

// TestEachSiteFails: the script comes by every call that a store makes of its file system and of
// its memory, in every operation; the first of each site fails. Under the race detector one site of
// each call does.
func TestEachSiteFails(t *testing.T) {
	rng := rand.New(rand.NewPCG(newSeed(t), 3))
	failed := map[string]bool{}
	settings(t, func(t *testing.T, sync mmapcas.SyncMode) {
		const again = 1 // one history for all runs
		p := plan{sync: sync, save: 1}
		all := &sites{seen: map[site]int{}}
		if err := twoSessions(all, p, again); err != nil {
			t.Fatal(err)
		}
		for _, want := range slices.Concat(needed, neededDurable[sync]) {
			if all.seen[want] == 0 {
				t.Errorf("the script never comes by %v", want)
			}
		}
		every := slices.SortedFunc(maps.Keys(all.seen), func(a, b site) int { return cmp.Compare(a.String(), b.String()) })
		rng.Shuffle(len(every), func(i, j int) { every[i], every[j] = every[j], every[i] })
		for _, s := range every {
			if raceEnabled && failed[s.call] {
				continue
			}
			p.err, p.end, p.seed = errs[rng.IntN(len(errs))], ending(rng.IntN(int(endings))), rng.Uint64()
			// What runs beside the script may come by too late, once.
			fired := false
			for range 5 {
				at := &sites{seen: map[site]int{}, fail: s}
				if err := twoSessions(at, p, again); err != nil {
					t.Fatalf("the first of %v fails with %v: %v", s, p.err, err)
				}
				if fired = at.fired; fired {
					break
				}
			}
			if !fired {
				t.Errorf("%v does not come again", s)
			}
			failed[s.call] = true
		}
		t.Logf("%d sites", len(every))
	})
	var calls []string
	for _, call := range announced {
		if call != "" {
			calls = append(calls, call)
		}
	}
	calls = append(calls, moreAnnounced...)
	slices.Sort(calls)
	if got := slices.Sorted(maps.Keys(failed)); !slices.Equal(got, calls) {
		t.Errorf("calls that failed: %v, want %v", got, calls)
	}
}
