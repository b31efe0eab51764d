package golang

import (
	"path/filepath"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/gomod"
	"github.com/cytisus/cytisus/runtime"
)

// completeModule lists what could stand at a place of a go.mod or go.work file: versions and
// modules that the module cache has, and directories with modules.
func (w *workspace) completeModule(t *runtime.Task, uri string, offset int, o lsp.CompletionOptions) (list *lsp.CompletionList, err error) {
	limit := o.Limit
	if limit <= 0 {
		limit = completedModules
	}
	err = w.askAbout(t, uri, func(t *runtime.Task, root string) error {
		q, err := newModuleQuestion(taskSource{t, root}, uri, offset)
		if err != nil {
			return err
		}
		text, err := textOf(t, uri)
		if err != nil {
			return err
		}
		list = &lsp.CompletionList{Insert: lsp.Span{Start: offset, End: offset}, Replace: lsp.Span{Start: offset, End: offset}}
		b, ok := gomod.BlankAt(text, offset)
		if !ok {
			return nil
		}
		list.Insert, list.Replace = lsp.Span{Start: b.Word.Start, End: offset}, b.Word
		begun := string(text[b.Word.Start:offset])
		add := func(label, detail string) {
			if len(list.Items) >= limit {
				list.Partial = true
			} else if strings.HasPrefix(label, begun) {
				list.Items = append(list.Items, lsp.Completion{Label: label, Text: label, Detail: detail, Kind: lsp.CompletionModule})
			}
		}
		work := files.BaseName(uri) == "go.work"
		switch {
		case work && b.Verb == "use" && len(b.Words) == 0, b.Verb == "replace" && len(b.Words) > 0 && b.Words[len(b.Words)-1] == "=>" && strings.HasPrefix(begun, "."):
			for _, dir := range disk.ModulesBelow(filepath.Dir(files.PathOf(uri)), begun, limit) {
				add(dir, "")
			}
		case b.Verb == "" || b.Verb == "module" || b.Verb == "use":
		case len(b.Words) == 0 && (b.Verb == "require" || b.Verb == "replace" || b.Verb == "exclude"), len(b.Words) > 0 && b.Words[len(b.Words)-1] == "=>":
			for _, path := range q.env.CachedModules(begun, limit+1) {
				add(path, "")
			}
		case b.Verb == "require" || b.Verb == "replace" || b.Verb == "exclude":
			for _, v := range q.env.CachedVersions(b.Words[len(b.Words)-1]) {
				add(v, b.Words[len(b.Words)-1])
			}
		}
		return nil
	})
	return list, err
}

// completedModules is how many modules or versions are completed if nobody says how many.
const completedModules = 100
