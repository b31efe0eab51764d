package markers

import (
	"archive/zip"
	"bytes"
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/mod/module"
)

// writeProxy writes the files of a module proxy. Names are MODULE@VERSION/FILE.
func writeProxy(dir string, files map[string]string) error {
	modules := make(map[module.Version]map[string]string)
	for name, text := range files {
		path, rest, _ := strings.Cut(name, "@")
		version, file, ok := strings.Cut(rest, "/")
		if !ok {
			return fmt.Errorf("%s is no file of a module", name)
		}
		v := module.Version{Path: path, Version: version}
		if modules[v] == nil {
			modules[v] = make(map[string]string)
		}
		modules[v][file] = text
	}
	lists := make(map[string]string)
	for v, files := range modules {
		escaped, err := module.EscapePath(v.Path)
		if err != nil {
			return err
		}
		base := filepath.Join(dir, filepath.FromSlash(escaped), "@v")
		lists[base] += v.Version + "\n"
		mod, ok := files["go.mod"]
		if !ok {
			mod = "module " + v.Path + "\n"
		}
		var zipped bytes.Buffer
		z := zip.NewWriter(&zipped)
		for name, text := range files {
			w, err := z.Create(v.String() + "/" + name)
			if err != nil {
				return err
			}
			if _, err := w.Write([]byte(text)); err != nil {
				return err
			}
		}
		if err := z.Close(); err != nil {
			return err
		}
		for ext, data := range map[string][]byte{
			".info": fmt.Appendf(nil, `{"Version":%q,"Time":"2020-01-01T00:00:00Z"}`, v.Version),
			".mod":  []byte(mod), ".zip": zipped.Bytes(),
		} {
			if err := write(filepath.Join(base, v.Version+ext), data); err != nil {
				return err
			}
		}
	}
	for base, text := range lists {
		if err := write(filepath.Join(base, "list"), []byte(text)); err != nil {
			return err
		}
	}
	return nil
}
