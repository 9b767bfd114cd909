package report

import (
	"strings"
	"testing"

	"github.com/meshassay/assay/runner/record"
)

// Whether everything is as it was belongs to the end of a report, if it is known.
func TestTextSaysWhatTheInventoryFound(t *testing.T) {
	for inventory, want := range map[string]string{"all is as it was": "\ninventory: all is as it was\n", "": ""} {
		var b strings.Builder
		if err := Text(&b, &record.Record{Inventory: inventory}, Options{}); err != nil {
			t.Fatal(err)
		}
		if got := b.String(); !strings.HasSuffix(got, want) || strings.Contains(got, "inventory") != (want != "") {
			t.Errorf("%q: %q", inventory, got)
		}
	}
}
