package verdict

import (
	"reflect"
	"testing"
)

func TestNamed(t *testing.T) {
	claim := Claim{Shares: []Share{{Name: "green", Want: .9}, {Name: "blue", Want: .1, Tolerance: .02}, {Name: "red"}}}
	tests := []struct {
		name     string
		claim    Claim
		counts   map[string]int64
		errors   int64
		want     Counts
		unlisted map[string]int64
		problems []string
	}{
		{"all named", claim.With(.05, 0), map[string]int64{"blue": 10, "green": 90, "red": 0}, 2,
			Counts{Outcomes: []int64{90, 10, 0}, Errors: 2}, nil, nil},
		{"one that nobody named fails", claim.With(.05, 0), map[string]int64{"blue": 10, "green": 90, "red": 0, "pink": 3, "grey": 0}, 0,
			Counts{Outcomes: []int64{90, 10, 0}, Other: 3}, map[string]int64{"pink": 3}, nil},
		{"or leaks", claim.With(.05, .01), map[string]int64{"blue": 10, "green": 90, "red": 1, "pink": 3, "grey": 2}, 0,
			Counts{Outcomes: []int64{90, 10, 1, 5}}, map[string]int64{"pink": 3, "grey": 2}, nil},
		{"all mistakes at once", claim.With(.05, .01), map[string]int64{"blue": -1, "pink": -2}, -3,
			Counts{Outcomes: []int64{0, -1, 0, -2}, Errors: -3}, map[string]int64{"pink": -2},
			[]string{"-3 errors: a count cannot be negative", "green: has no count", "red: has no count", "blue: -1: a count cannot be negative", "pink: -2: a count cannot be negative"}},
	}
	for _, tt := range tests {
		got, unlisted, problems := tt.claim.Named(tt.counts, tt.errors)
		if !reflect.DeepEqual(got, tt.want) || !reflect.DeepEqual(unlisted, tt.unlisted) {
			t.Errorf("%s: got %+v, %v; want %+v, %v", tt.name, got, unlisted, tt.want, tt.unlisted)
		}
		var texts []string
		for _, p := range problems {
			texts = append(texts, p.String())
		}
		if !reflect.DeepEqual(texts, tt.problems) {
			t.Errorf("%s: got problems %q, want %q", tt.name, texts, tt.problems)
		}
	}
}

// What is said once is for the shares that it can be for, and overrides none.
func TestWith(t *testing.T) {
	c := Claim{Shares: []Share{{Name: "green", Want: .9}, {Name: "blue", Want: .1, Tolerance: .02}, {Name: "red"}, {Name: "pink", Leak: .002}}}
	got := c.With(.05, .01).Shares
	want := []Share{{Name: "green", Want: .9, Tolerance: .05}, {Name: "blue", Want: .1, Tolerance: .02}, {Name: "red", Leak: .01}, {Name: "pink", Leak: .002}, {Name: NotListed, Leak: .01}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if c.Shares[0].Tolerance != 0 {
		t.Error("the claim itself was changed")
	}
	if again := c.With(.05, .01).With(.05, .01).Shares; !reflect.DeepEqual(again, want) {
		t.Errorf("twice: got %+v, want %+v", again, want)
	}
}

// Where a leak of outcomes without a name is tolerated, they are judged as the
// share that stands for them, one by one or added up.
func TestUnlistedMayLeak(t *testing.T) {
	c := canary(.05, .005, .001, .01).With(0, .01)
	one, added := mustNew(t, c), mustNew(t, c)
	for i := range 3000 {
		outcome := [...]int{0, 1, 2, 0, 1}[i%5]
		if i%300 == 7 {
			outcome = c.Index("pink")
		}
		if one.Observe(outcome); one.Look() != Undecided {
			break
		}
	}
	counts := one.Counts()
	if one.state != Passed || counts.Other != 0 || counts.Outcomes[3] < 3 {
		t.Errorf("%s, %+v", one.Result().Reason, counts)
	}
	counts.Outcomes[3], counts.Other = 0, counts.Outcomes[3]
	if added.Update(counts); !reflect.DeepEqual(one.Result(), added.Result()) {
		t.Errorf("added up: %s, %+v", added.Result().Reason, added.Counts())
	}
}
