package report_test

import (
	"path/filepath"
	"testing"

	"github.com/meshassay/assay/runner/report"
)

func TestPlacesAreAsShortAsTheyCanBe(t *testing.T) {
	here, elsewhere := t.TempDir(), t.TempDir()
	t.Chdir(here)
	for _, c := range []struct{ path, want string }{
		{filepath.Join(here, ".assay", "1", "record.json"), "record: .assay/1/record.json\nreport: .assay/1/report.html\n"},
		{filepath.Join(elsewhere, "record.json"), "record: " + elsewhere + "/record.json\nreport: " + elsewhere + "/report.html\n"},
	} {
		if got := report.Places(c.path); got != c.want {
			t.Errorf("places of %s:\n%swant:\n%s", c.path, got, c.want)
		}
	}
}
