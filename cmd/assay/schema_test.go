package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// What schema prints is the file that the repository's own scenarios name.
func TestSchemaPrintsTheFilesOfTheRepository(t *testing.T) {
	for args, file := range map[string]string{
		"schema": "scenario", "schema scenario": "scenario", "schema environment": "environment",
	} {
		want, err := os.ReadFile("../../scenarios/" + file + ".schema.json")
		if err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		if code := run(strings.Fields(args), &stdout, &stderr); code != exitWell || stderr.Len() > 0 {
			t.Errorf("%s: exit code %d, and it says %s", args, code, &stderr)
		}
		if stdout.String() != string(want) {
			t.Errorf("%s prints something else than scenarios/%s.schema.json", args, file)
		}
	}
	var stdout, stderr bytes.Buffer
	if code := run([]string{"schema", "scenarios"}, &stdout, &stderr); code != exitMisused || stdout.Len() > 0 || !strings.Contains(stderr.String(), `"scenarios"`) {
		t.Errorf("schema of something else: exit code %d, and it says %s%s", code, &stdout, &stderr)
	}
}
