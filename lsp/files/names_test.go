package files

import (
	"path/filepath"
	"strings"
	"testing"
)

// However many slashes a path begins with, it has a URI, and where they mean one that of the path
// with one.
func TestSlashesOfURI(t *testing.T) {
	if filepath.Separator != '/' {
		t.Skip("two slashes begin with the name of a host here")
	}
	for path, want := range map[string]string{
		"/": "file:///", "//": "file:///", "////": "file:///", "//a": "file:///a", "///a/b": "file:///a/b", "/a//b": "file:///a//b",
	} {
		if got := URI(path); got != want {
			t.Errorf("the URI of %q is %q, want %q", path, got, want)
		}
	}
}

// Where there are no drives, a directory of the root whose name begins as if it were one is a
// directory like any other: its path is absolute, and comes back from its URI.
func TestNoDrives(t *testing.T) {
	if filepath.Separator != '/' {
		t.Skip("there are drives here")
	}
	for _, path := range []string{"/A:00", "/a:00", "/c:/x.go", "/C:/x.go", "/a:", "/x/A:00", "/ab:c", "/1:2"} {
		u := URI(path)
		if got, ok := Path(u); got != path || !ok {
			t.Errorf("the URI of %q is %q, and that of the file %q, %v", path, u, got, ok)
		}
		if again, ok := CanonicalURI(u); again != u || !ok {
			t.Errorf("the URI of %q is %q, and its canonical one %q, %v", path, u, again, ok)
		}
	}
	for u, want := range map[string]string{
		"./A%3A00": "/A:00", "file:///C:/x.go": "/C:/x.go", "file:///c%3A/x.go": "/c:/x.go", "file:///c%3a/../d": "/d",
	} {
		canonical, ok := CanonicalURI(u)
		if got, _ := Path(canonical); got != want || !ok {
			t.Errorf("%q is the file %q, want %q (%q, %v)", u, got, want, canonical, ok)
		}
	}
}

// FuzzNames: every URI that names a file has one canonical spelling, which names the same file.
func FuzzNames(f *testing.F) {
	for _, u := range []string{
		"file:///a/b.go", "file:///a/../b//c.go", "file:///%61%2f%00%ff", "file://host/share/a", "file:///c%3A/x", "file:", "FILE:///A",
		"untitled:1", "file:///a b?q#f", "%zz", "file:///\x00", "", "file:///é", "file://localhost/a", "file:a/b",
	} {
		f.Add(u)
	}
	f.Fuzz(func(t *testing.T, u string) {
		path, ok := Path(u)
		canonical, same := CanonicalURI(u)
		if ok != same {
			t.Fatalf("%q: a path: %v; a canonical URI: %v", u, ok, same)
		}
		_, _ = BaseName(u), URIPrefix(u)
		if !ok {
			return
		}
		back, ok := Path(canonical)
		if !ok || back != filepath.Clean(path) {
			t.Errorf("%q is the file %q, and its canonical %q is %q, %v", u, path, canonical, back, ok)
		}
		if again, _ := CanonicalURI(canonical); again != canonical {
			t.Errorf("%q, and of that %q", canonical, again)
		}
		if dir := DirURI(canonical); !strings.HasPrefix(canonical, dir) || !strings.HasSuffix(dir, "/") {
			t.Errorf("%q lies in %q", canonical, dir)
		}
	})
}
