// Command site makes static pages of the project's Markdown, and its tests hold what the pages
// say against the project: links, anchors, names of tests and targets, commands and their flags.
//
//	go run . [-out DIR]
//
// # Files
//
//   - pages.go: which files are pages, in which order and group, and what each is called
//   - render.go: Markdown to HTML, with links between pages and to sources
//   - main.go: the command
//   - template.html, style.css: what surrounds each page; nothing is loaded from elsewhere
package main
