// Package document reads one YAML file strictly and remembers where every value stands.
//
// It is for the packages that give a file its meaning (scenario, environment, and
// the actions of runner): they ask a Value for its keys, decode it into Go types by
// struct tags, and say what is wrong with it as a Mistake, which knows the file, the
// line, the column and the path, and shows the line with a caret under the column.
//
// Why not simply yaml.Unmarshal: its errors have no column, it stops at the first
// one of many, and [gopkg.in/yaml.v3.Node.Decode] forgets KnownFields. Only the
// parser of yaml.v3 is used here; what a scalar means is decided by this package
// after YAML 1.2's core schema.
//
// The package refuses what makes a file read differently from how it looks: unknown
// and duplicate keys, anchors, aliases and merge keys, tags, a second document,
// text that YAML 1.1 and 1.2 read differently (yes, on, 0777), numbers without
// their unit, characters that are not UTF-8 or that an editor does not show, and
// files that are far larger or deeper than anything written by hand.
package document
