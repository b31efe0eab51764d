// Package agree asks cytisus and gopls the same questions about real code, and counts where they
// agree.
//
// # Terms
//
//   - A ground is the code that is open (package ground): std, large, and modules by the
//     kind of their code.
//   - A place is an identifier of a file of the ground, drawn by seed from what go/parser sees.
//     What it stands for is not known when it is drawn, but how it is used is: its role.
//   - A kind is a request of the protocol (kinds.go): how its questions are made of places, and how
//     an answer is read as a list of lines. Lines have no order.
//   - A point is what is counted. For most kinds it is a whole answer. For those that answer about
//     a whole file (symbols, folding, tokens and the like) it is each line that either server
//     answers.
//   - A difference is a point in which the servers do not agree. It is explained if the list of
//     explanations (explain.go) has a reason for it, and counts as disagreement otherwise.
//
// # How
//
// Questions of a ground are drawn first. Then each server runs alone: it starts from nothing, the
// files are opened, the end of the first index is waited for, and all questions are asked one by
// one. Those of some kinds need an edit, which is undone behind the question. What a server does
// not announce is not asked, and the report says so.
//
// Completions and hovers are compared by what a programmer looks at first: of a hover the first
// line of code, of completions whether the name that was cut off is among the first three, and
// which labels are among the first ten.
//
// There is no row for what gopls does not announce, such as declarations.
package agree
