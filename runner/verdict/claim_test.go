package verdict

import (
	"math"
	"testing"
)

func TestValidate(t *testing.T) {
	good := func(change func(*Claim)) Claim {
		c := canary(.03, .005, .001, .01)
		change(&c)
		return c
	}
	for _, tt := range []struct {
		name  string
		claim Claim
		want  string
	}{
		{"good", good(func(c *Claim) {}), ""},
		{"100 and 0", allBlue(0, .001, .01), ""},
		{"a tolerance that swallows the share is one edge", Claim{Shares: []Share{{Name: "a", Want: .97, Tolerance: .05}, {Name: "b", Want: .03, Tolerance: .05}}, Alpha: .001, Beta: .01}, ""},
		{"thirds", Claim{Shares: []Share{{Name: "a", Want: 1. / 3, Tolerance: .05}, {Name: "b", Want: 1. / 3, Tolerance: .05}, {Name: "c", Want: 1. / 3, Tolerance: .05}}, Alpha: .001, Beta: .01}, ""},
		{"nothing", Claim{Alpha: .001, Beta: .01}, "no shares (name at least one outcome and its share)"},
		{"no tolerance", good(func(c *Claim) { c.Shares[2].Tolerance = 0 }),
			"canary: 20 % needs a tolerance: no number of requests confirms exactly 20 % (for example 3pp)"},
		{"tolerance on 0 and 100", Claim{Shares: []Share{{Name: "a", Want: 1, Tolerance: .01}, {Name: "b", Tolerance: .01}}, Alpha: .001, Beta: .01},
			"a: a share of 100 % takes no tolerance (leak on the other outcomes and errors say what may be missing)\n" +
				"b: a share of 0 takes no tolerance (leak says what an outcome wanted at 0 may still have)"},
		{"sum", good(func(c *Claim) { c.Shares[0].Want = .45 }), "the shares sum to 105 %, not to 100 % (5 % too much)"},
		{"sum, slightly", good(func(c *Claim) { c.Shares[0].Want = .3999 }), "the shares sum to 99.99 %, not to 100 % (0.01 % is missing)"},
		{"too wide", Claim{Shares: []Share{{Name: "a", Want: .5, Tolerance: .5}, {Name: "b", Want: .5, Tolerance: .1}}, Alpha: .001, Beta: .01},
			"a: a tolerance of 50 pp around 50 % excludes nothing (less than 50 pp would do)"},
		{"names", good(func(c *Claim) { c.Shares[0].Name, c.Shares[2].Name = "", "green" }),
			"share 1: has no name (name the outcome)\ngreen: is listed twice (list each outcome once)"},
		{"levels", good(func(c *Claim) { c.Alpha, c.Beta, c.Errors = 0, .5, 1 }),
			"errors of 100 % cannot be tolerated (0 to less than 100 %; 0.5 % is usual)\n" +
				"alpha is 0, not between 0 and 0.5 (0.001 is usual)\nbeta is 0.5, not between 0 and 0.5 (0.01 is usual)"},
		{"not a number", good(func(c *Claim) { c.Shares[0].Want = math.NaN(); c.Beta = math.NaN() }),
			"blue: a share of NaN % is not between 0 and 100 % (for example 40%)\nbeta is NaN, not between 0 and 0.5 (0.01 is usual)"},
		{"leak where a share is wanted", good(func(c *Claim) { c.Shares[0].Leak = .01; c.Shares[1].Resolution = .01 }),
			"blue: leak is for outcomes wanted at 0 (tolerance says how far a share may be off)\n" +
				"green: resolution is for outcomes wanted at 0 (leave it out)"},
		{"leak and resolution out of range", Claim{Shares: []Share{{Name: "a", Want: 1}, {Name: "b", Leak: 1}, {Name: "c", Resolution: -1}}, Alpha: .001, Beta: .01},
			"b: a leak of 100 % is not between 0 and 100 % (for example 1%)\nc: a resolution of -100 % is not between 0.0001 % and 100 % (for example 0.5%)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Problems(tt.claim.Validate()).Error()
			if got != tt.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, tt.want)
			}
			if _, err := New(tt.claim); (err == nil) != (tt.want == "") {
				t.Errorf("New says %v", err)
			}
			if _, err := NewSettling(tt.claim); (err == nil) != (tt.want == "") {
				t.Errorf("NewSettling says %v", err)
			}
		})
	}
}
