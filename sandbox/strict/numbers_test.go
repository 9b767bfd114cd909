package strict

import (
	"slices"
	"testing"
)

func TestNumbers(t *testing.T) {
	var problems Lines
	o := New("spec", map[string]any{"ports": []any{int64(80), 8080.0, 1.5, "http", int64(70000)}}, &problems)
	if got := o.Numbers("ports", 1, 65535); !slices.Equal(got, []int64{80, 8080}) {
		t.Errorf("got %v, want 80 and 8080", got)
	}
	if got := o.Numbers("none", 1, 2); got != nil {
		t.Errorf("got %v for a field that is not there", got)
	}
	want := []string{
		"spec.ports[2]: want an integer, not 1.5",
		"spec.ports[3]: want an integer, not http",
		"spec.ports[4]: 70000 is not between 1 and 65535",
	}
	if !slices.Equal(problems, want) {
		t.Errorf("got %q, want %q", problems, want)
	}
}
