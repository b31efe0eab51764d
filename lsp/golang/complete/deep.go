package complete

import (
	"cmp"
	"go/types"
	"slices"
	"strings"
	"unicode"

	"github.com/cytisus/cytisus/lsp/golang/check"
)

// Bounds of the search for members of members.
const (
	deepLevels = 4    // dots that are not typed
	deepNodes  = 2000 // that are looked at
	deepMost   = 3    // that are told

	// behindFirst is what a package is worth of which a member fits, of what that member is worth.
	behindFirst = 0.999

	// Where nothing says what fits, a name is all that there is to find.
	deepLevelsByName = 3
	deepNodesByName  = 500
)

// A deepCandidate is a member of a candidate, or of such a member.
type deepCandidate struct {
	candidate
	as    form
	score float64

	root      types.Object // that its name begins with
	rootScore float64      // of that as something that leads to what fits
}

// deepen adds members of candidates, and their members: those that fit what is wanted, and if
// something was typed, those that are called so. The best few are told.
func (c *completer) deepen(list []candidate) {
	w := &c.want
	wants := !w.unknown() && (w.typ == nil || !isEmptyInterface(w.typ))
	if !on(c.o.Deep) || w.called || c.match.typed == "" && !wants {
		return
	}
	var near, far []candidate
	for _, from := range list {
		switch leads, isFar := c.mayDeepen(&from); {
		case leads && isFar:
			far = append(far, from)
		case leads:
			near = append(near, from)
		}
	}
	shallow := len(c.items)
	direct := map[types.Object]bool{}
	for i := range c.items {
		direct[c.items[i].Object] = true
	}
	best := c.deepest(near, wants, direct, func(*deepCandidate) bool { return true })
	if wants && len(c.match.typed) > 1 && (len(best) == 0 || best[0].score < fits/4) {
		best = append(c.deepest(far, wants, direct, c.isMeant), best...)
		best = best[:min(len(best), deepMost)]
	}
	for _, d := range best {
		item := c.item(&d.candidate, d.as)
		item.score = d.score
		c.items = append(c.items, item)
	}
	// What those that fit begin with is worth it, too. Behind a package its others are not told.
	for n, d := range best {
		if d.score < fits/4 {
			continue
		}
		for i := range c.items[:shallow] {
			if at := &c.items[i]; at.Object == d.root {
				at.score = max(at.score, d.rootScore)
				if _, is := d.root.(*types.PkgName); is && n == 0 && wants {
					at.score = max(at.score, d.score*behindFirst)
				}
			}
		}
	}
}

// deepest are the best members of candidates, and of their members, of those that are worth it.
// What is in direct is a candidate by itself.
func (c *completer) deepest(
	list []candidate, wants bool, direct map[types.Object]bool, isWorth func(*deepCandidate) bool,
) (best []deepCandidate) {
	levels, most := deepLevels, deepNodes
	if !wants {
		levels, most = deepLevelsByName, deepNodesByName
	}
	nodes := 0
	for level := 1; level <= levels && nodes <= most && len(list) > 0; level++ {
		var next []candidate
		for _, from := range list {
			for _, m := range c.below(&from) {
				if nodes++; nodes > most {
					break
				}
				if direct[m.obj] {
					continue // x.Addr().Len() is x.Len()
				}
				d := c.deep(m)
				if d.score > 0 && (len(best) < deepMost || d.score > best[len(best)-1].score) && isWorth(&d) {
					best = append(best, d)
					slices.SortStableFunc(best, func(a, b deepCandidate) int { return cmp.Compare(b.score, a.score) })
					best = best[:min(len(best), deepMost)]
				}
				if level < levels && c.mayGoOn(&m) {
					next = append(next, m)
				}
			}
		}
		list = next
	}
	return best
}

// isMeant reports whether a member of something far away is likely to be what is being typed: it
// fits, and its own name begins like that.
func (c *completer) isMeant(d *deepCandidate) bool {
	name := []rune(d.obj.Name())
	typed := []rune(c.match.typed)
	return d.score >= fits/4 && len(name) >= len(typed) &&
		strings.EqualFold(string(name[:len(typed)]), c.match.typed)
}

// deep is a member as a candidate; its score is 0 if it is not worth to be told.
func (c *completer) deep(m candidate) (d deepCandidate) {
	name, isType := m.obj.(*types.TypeName)
	if isType && !c.want.isType && m.foreign && c.match.typed != "" {
		c.literalOf(name)
	}
	if isType != c.want.isType && (!isType || c.match.typed == "") {
		return d
	}
	score, ok := c.match.score(m.label)
	if !ok {
		return d
	}
	fit, as := c.fit(&m)
	if c.match.typed == "" && fit < fits/4 || as.convert != nil && m.foreign || as.has(spread) && m.foreign {
		return d
	}
	d = deepCandidate{candidate: m, as: as, score: score * c.worth(&m, fit), root: m.path[0]}
	if s, ok := c.match.score(d.root.Name()); ok {
		d.rootScore = s * c.worth(&candidate{obj: d.root, factor: m.factor}, leads)
	}
	return d
}

// mayDeepen reports whether members of a candidate are worth a look, and whether it is far away:
// then they are if it begins like what was typed, or nothing that is near leads anywhere.
func (c *completer) mayDeepen(from *candidate) (leads, isFar bool) {
	switch from.obj.(type) {
	case *types.Var, *types.PkgName, *types.Func:
	default:
		return false, false
	}
	if from.factor > 0.8 || len(c.match.folded) > 0 && unicode.ToLower([]rune(from.obj.Name())[0]) == c.match.folded[0] {
		return true, false
	}
	_, isPackage := from.obj.(*types.PkgName)
	return !isPackage, true
}

// mayGoOn reports whether members of a member are worth a look. Those of embedded fields are
// members already, and types have no path back to themselves.
func (c *completer) mayGoOn(m *candidate) bool {
	if v, ok := m.obj.(*types.Var); ok && v.Embedded() || m.foreign {
		return false
	}
	return !slices.Contains(m.path, m.obj)
}

// below are the members of a candidate, named from the place.
func (c *completer) below(from *candidate) (list []candidate) {
	name := cmp.Or(from.label, from.obj.Name())
	away := from.away + 1
	if !from.obj.Exported() {
		away -= 0.1
	}
	path := append(slices.Clone(from.path), from.obj)
	take := func(name string, away float64, members []candidate) {
		for _, m := range members {
			if slices.Contains(path, m.obj) {
				continue
			}
			m.factor *= from.factor
			m.label, m.path, m.away, m.depth = name+"."+m.obj.Name(), path, away, from.depth+1
			m.extra, m.from = from.extra, from.from
			list = append(list, m)
		}
	}
	if obj, ok := from.obj.(*types.PkgName); ok {
		if from.depth > 0 {
			return nil
		}
		var members []candidate
		for _, m := range c.exports(obj.Imported()) {
			members = append(members, candidate{obj: m, factor: 1, addressable: isVariable(m), foreign: true})
		}
		take(name, away, members)
		return list
	}
	t := from.obj.Type()
	if t == nil {
		return nil
	}
	if sig, ok := under(t).(*types.Signature); ok {
		if sig.Params().Len() > 0 || sig.Results().Len() != 1 {
			return nil
		}
		var params []string
		for p := range sig.TypeParams().TypeParams() {
			params = append(params, p.Obj().Name())
		}
		if len(params) > 0 {
			name += "[" + strings.Join(params, ", ") + "]"
		}
		take(name+"()", away+0.1, c.membersOf(sig.Results().At(0).Type(), false, false))
		return list
	}
	take(name, away, c.membersOf(t, from.addressable, false))
	return list
}

// exports are what a package declares for the file.
func (c *completer) exports(pkg *types.Package) (list []types.Object) {
	scope := pkg.Scope()
	for _, name := range scope.Names() {
		if obj := scope.Lookup(name); obj.Exported() && check.IsWritten(obj) {
			list = append(list, obj)
		}
	}
	return list
}
