// Package names says what the importers of a package can see of it, name by name, so that a change
// of one declaration is a change to those alone who looked at it.
//
// # Method
//
// The table of a package ([Of]) has a row for each name of its scope, and a few about the package
// as a whole. What a row holds is a digest. A check that is told what it looked at ([Looks]) knows
// which rows it depends on: when they are equal in two states of the imported packages, and the
// text of the importer is the same, the check comes to the same.
//
// The digest of a name is of its declaration and of all that can be reached from there: the types
// that it mentions, their underlying types and methods, the constraints of their type parameters,
// and so on, in whichever package. A check can only come from the names that it says to what these
// lead to. So the argument does not depend on which parts of a type go/types looks at, for an
// assignment, say, nor on what it records of that.
//
//   - N1: two declarations with equal digests are alike in everything but positions: no importer
//     can tell them apart. Names of parameters count, since messages and signatures have them.
//   - N2: what a check reaches in an imported package, it reaches through a selector on the
//     package's name, or through a dot import, that names a declaration (row: [Name]); or it is one
//     of the things below.
//   - N3: a name that is looked for in vain is looked for ignoring case, too: "undefined: p.foo
//     (but have Foo)", "name foo not exported by package p". Row: [Like].
//   - N4: a dot import declares all exported names in the file: one more may clash. Row:
//     [Exported].
//   - N5: whether there is a package, and what it is called: each import depends on it. Row:
//     [Package].
//   - N6: messages have the path of a package instead of its name where two have the same name, of
//     all that are mentioned anywhere. Row: [Mentioned], of checks with errors.
//   - N7: an object that several declarations share, such as a field of the struct type of two,
//     goes by the path of one of them in the index. The digest has the path.
//
// Export data is deep, so all that can be reached is in that of the package itself.
//
// # How a digest is made
//
// Declarations with their references to others are a graph, which may have cycles. Each declaration
// has a text of its own, in which others stand by path and name. The declarations that can reach
// each other, a strongly connected component, have one hash: of their texts, in the order of their
// names, and of the hashes of the components that they lead to. So the work is that of reading all
// that is reached once (Tarjan, 1972).
//
// It is taken for granted that a path means one package: of the packages that one depends on, no
// two have the same. So they are in what go list lists, where a package that is compiled anew for a
// test has its importers compiled anew.
//
// # What it is not
//
// It is not the least that an importer depends on: a method that is added to a type is a change to
// all who can reach the type, called or not.
package names
