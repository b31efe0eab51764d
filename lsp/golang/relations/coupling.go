package relations

import (
	"errors"
	"fmt"
	"go/ast"
	"go/types"

	"golang.org/x/tools/refactor/satisfy"

	"github.com/cytisus/cytisus/lsp/golang/check"
)

// A Coupling is two methods of one name that have to go by one name: some place in a package needs
// a type to implement an interface, with the one method for the other.
type Coupling struct {
	Interface, Method check.Name
	InterfaceType     string // what is implemented, with the paths of packages
	Type              string // what implements it; an interface perhaps
	TypeIsInterface   bool
}

// ErrIllTyped is the error for packages with errors, which do not say what has to implement what.
var ErrIllTyped = errors.New("the package has errors")

// Couplings are those of the methods of a name, in the package of a view with all bodies.
func Couplings(v *check.View, name string) (list []Coupling, err error) {
	defer func() {
		if e := recover(); e != nil { // the finder does so where a type is missing
			err = fmt.Errorf("%w: %v", ErrIllTyped, e)
		}
	}()
	if len(v.Errors) > 0 {
		return nil, ErrIllTyped
	}
	files := make([]*ast.File, len(v.Files))
	for i, t := range v.Files {
		files[i] = t.AST
	}
	var f satisfy.Finder
	f.Find(v.Info, files)
	seen := map[[2]check.Name]bool{}
	for c := range f.Result {
		in, of := methodNamed(c.LHS, name), methodNamed(c.RHS, name)
		if in == nil || of == nil || in.Id() != of.Id() {
			continue
		}
		k := Coupling{InterfaceType: types.TypeString(c.LHS, nil), Type: types.TypeString(c.RHS, nil), TypeIsInterface: types.IsInterface(c.RHS)}
		var ok, alsoOK bool
		k.Interface, ok = v.NameOf(in)
		k.Method, alsoOK = v.NameOf(of)
		if pair := [2]check.Name{k.Interface, k.Method}; ok && alsoOK && !seen[pair] {
			seen[pair] = true
			list = append(list, k)
		}
	}
	return list, nil
}

// methodNamed is the method of a name, whichever package it is of; nil if there is none.
func methodNamed(t types.Type, name string) *types.Func {
	for sel := range types.NewMethodSet(t).Methods() {
		if fn, ok := sel.Obj().(*types.Func); ok && fn.Name() == name {
			return fn
		}
	}
	return nil
}
