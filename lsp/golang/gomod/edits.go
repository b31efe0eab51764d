package gomod

import (
	"fmt"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// changed is the text of a go.mod file behind a change of it.
func changed(text []byte, change func(f *modfile.File) error) ([]byte, error) {
	f, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		return nil, fmt.Errorf("the file cannot be read: %w", err)
	}
	if err := change(f); err != nil {
		return nil, err
	}
	f.Cleanup()
	return f.Format()
}

// WithoutRequire is the text without the requirement of a module.
func WithoutRequire(text []byte, path string) ([]byte, error) {
	return changed(text, func(f *modfile.File) error { return f.DropRequire(path) })
}

// WithIndirect is the text in which the requirement of a module is said to be indirect, or is not.
func WithIndirect(text []byte, path string, indirect bool) ([]byte, error) {
	return changed(text, func(f *modfile.File) error {
		var all []*modfile.Require
		for _, r := range f.Require {
			as := *r
			if r.Mod.Path == path {
				as.Indirect = indirect
			}
			all = append(all, &as)
		}
		f.SetRequire(all)
		return nil
	})
}

// WithVersion is the text that requires another version of a module.
func WithVersion(text []byte, path, version string) ([]byte, error) {
	return changed(text, func(f *modfile.File) error { return f.AddRequire(path, version) })
}

// WithReplace is the text in which a directory replaces a module.
func WithReplace(text []byte, path, dir string) ([]byte, error) {
	return changed(text, func(f *modfile.File) error { return f.AddReplace(path, "", dir, "") })
}

// WithoutReplace is the text in which nothing replaces a module at a version, or at any if it is
// "".
func WithoutReplace(text []byte, path, version string) ([]byte, error) {
	return changed(text, func(f *modfile.File) error { return f.DropReplace(path, version) })
}

// Newer is the newest of some versions that is newer than one, and no older kind of thing: a
// released version is not followed by one that is not. It is "" if there is none.
func Newer(version string, known []string) string {
	best := ""
	for _, v := range known {
		if semver.Prerelease(v) != "" && semver.Prerelease(version) == "" || semver.Build(v) != semver.Build(version) {
			continue
		}
		if semver.Compare(v, version) > 0 && (best == "" || semver.Compare(v, best) > 0) {
			best = v
		}
	}
	return best
}
