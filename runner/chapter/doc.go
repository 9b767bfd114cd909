// Package chapter reads a page of a tutorial, Markdown as MkDocs and GitHub
// render it, as data: headings with the anchors by which a browser finds them,
// the commands that a reader is told to type, what they are said to print, and
// the prose in between; each with its file, line and column.
//
// It is for those who treat a page as a test (the action run) or who compare
// it with scenarios (assay docs check). Understood besides CommonMark are front
// matter, admonitions (!!! and ???), content tabs (===) and the snippets of
// PyMdown (--8<-- "file"), whose lines keep their own place. What a page must
// not do it says with its place: include what is not there, or itself.
//
// It is pure but for Load, which reads files below a root and nothing else, and
// runs nothing.
package chapter
