package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/meshassay/assay/runner/scenario"
)

// exampleOf returns the steps of an action in its example files, as they are
// written there: in testdata/ACTION/example.yaml or else in all its good files.
// The tests of runner plan every one of them.
func exampleOf(root, name string) (string, error) {
	folder := filepath.Join(root, "runner", "testdata", name)
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return "", err
	}
	files = slices.DeleteFunc(files, func(f string) bool { return strings.HasSuffix(f, ".bad.yaml") })
	if preferred := filepath.Join(folder, "example.yaml"); slices.Contains(files, preferred) {
		files = []string{preferred}
	}
	var all []string
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		s, ms := scenario.Parse(file, source)
		if err := ms.Err(); err != nil {
			return "", err
		}
		all = append(all, stepsOf(s, string(source), name)...)
	}
	if len(all) == 0 {
		return "", fmt.Errorf("action %s has no example: runner/testdata/%s/example.yaml", name, name)
	}
	return strings.Join(all, "\n"), nil
}

// stepsOf cuts the steps of one action out of a scenario's text, each with the
// comment above it.
func stepsOf(s *scenario.Scenario, source, action string) []string {
	lines := strings.Split(strings.TrimRight(source, "\n"), "\n")
	comment := func(i int) bool { return strings.HasPrefix(lines[i], "#") }
	var all []string
	for i, step := range s.Steps {
		if step.Action != action {
			continue
		}
		from, to := step.Source.Pos().Line-1, len(lines)
		if i+1 < len(s.Steps) {
			to = s.Steps[i+1].Source.Pos().Line - 1
		}
		for comment(to - 1) {
			to--
		}
		for comment(from - 1) {
			from--
		}
		all = append(all, strings.Join(lines[from:to], "\n"))
	}
	return all
}
