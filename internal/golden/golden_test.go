package golden

import (
	"os"
	"path/filepath"
	"testing"
)

// told takes a test's place and notes what becomes of it.
type told struct {
	testing.TB
	failed, stopped bool
}

func (t *told) Helper()               {}
func (t *told) Errorf(string, ...any) { t.failed = true }
func (t *told) Fatal(...any)          { t.stopped = true; panic(t) }

func TestCompare(t *testing.T) {
	file := filepath.Join(t.TempDir(), "golden.txt")
	if err := os.WriteFile(file, []byte("blue\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		reason, file, got        string
		same, failed, mustHaveIt bool
	}{
		{reason: "the same", file: file, got: "blue\n", same: true},
		{reason: "another text", file: file, got: "green\n", failed: true},
		{reason: "no such file", file: file + ".none", got: "", mustHaveIt: true},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			var its told
			same := func() bool {
				defer func() { _ = recover() }()
				return Compare(&its, tt.file, tt.got)
			}()
			if same != tt.same || its.failed != tt.failed || its.stopped != tt.mustHaveIt {
				t.Errorf("same %v, failed %v, stopped %v; want %v, %v, %v", same, its.failed, its.stopped, tt.same, tt.failed, tt.mustHaveIt)
			}
		})
	}
}
