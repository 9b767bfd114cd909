// Package proofread compares the pages of a tutorial with the scenarios that
// prove them, and with the scripts and manifests that they name: what no
// scenario proves, headings that are gone, files that do not exist, links that
// lead nowhere, percentages that a scenario does not expect, kinds, names and
// contexts that nothing has, and manifests that an API server refuses. Each
// finding has its place, and the place of what it contradicts.
//
// It is for those who keep a tutorial true (assay docs check). It runs nothing:
// commands are read by a parser of bash (mvdan.cc/sh), and what cannot be known
// without running them (an unknown variable, the output of a command) is passed
// over, not guessed. Only Refused asks a cluster, and changes nothing there.
package proofread
