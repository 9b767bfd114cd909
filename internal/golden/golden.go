// Package golden compares what a test got with a file that holds what it wants.
//
// It is for the project's own tests. With -update the files are written anew,
// to be read before they are committed. A file that is missing is a failure:
// nothing passes because there was nothing to compare with.
package golden

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Compare fails the test when got is not what the file holds, and shows the
// difference. It reports whether they are the same.
func Compare(t testing.TB, file, got string) bool {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	diff := cmp.Diff(string(want), got)
	if diff != "" {
		t.Errorf("%s (-want +got, -update writes it):\n%s", file, diff)
	}
	return diff == ""
}
