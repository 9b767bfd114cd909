package verdict

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// Gateways pick in different ways, and each is right when the shares are.
var gatewayKinds = []string{"by chance", "smooth round robin", "blocks of 20", "blocks of 100"}

type gatewaySplit struct {
	name    string
	percent []int
	claim   Claim
}

// gatewaySplits are at the defaults: alpha, beta, errors.
func gatewaySplits() []gatewaySplit {
	split := func(tolerance float64, percent ...int) gatewaySplit {
		c := Claim{Errors: DefaultErrors, Alpha: DefaultAlpha, Beta: DefaultBeta}
		name := ""
		for i, p := range percent {
			s := Share{Name: string(rune('a' + i)), Want: float64(p) / 100}
			if p > 0 && p < 100 {
				s.Tolerance = tolerance
			}
			c.Shares = append(c.Shares, s)
			name += fmt.Sprint("/", p)
		}
		return gatewaySplit{fmt.Sprintf("%s ±%g", name[1:], 100*tolerance), percent, c}
	}
	splits := []gatewaySplit{
		split(.03, 40, 40, 20), split(.05, 40, 40, 20), split(.05, 50, 50), split(.02, 80, 15, 5), split(.03, 90, 10),
		split(.02, 95, 5), split(.005, 99, 1), split(.03, 34, 33, 33), split(.03, 20, 20, 20, 20, 20), split(.03, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10),
	}
	return append(splits, gatewaySplit{"100/0/0", []int{100, 0, 0}, allBlue(0, DefaultAlpha, DefaultBeta)})
}

// possible says whether a gateway of the kind can divide so.
func (s gatewaySplit) possible(kind string) bool {
	if kind != "blocks of 20" {
		return true
	}
	for _, p := range s.percent {
		if p%5 != 0 {
			return false
		}
	}
	return true
}

// run judges gateways of the kind, each from some place in its cycle on, within
// the default budget.
func (s gatewaySplit) run(t *testing.T, kind string, runs int) (passed int, mean float64) {
	r := rand.New(rand.NewPCG(11, 12))
	x, used := mustNew(t, s.claim), int64(0)
	for range runs {
		x.restart()
		next := s.gateway(kind, r)
		for x.Look() == Undecided && x.n < 100_000 {
			x.Observe(next())
		}
		used += x.n
		if x.state == Passed {
			passed++
		} else {
			t.Errorf("%s, %s: %s", s.name, kind, x.Result().Reason)
		}
	}
	return passed, float64(used) / float64(runs)
}

func (s gatewaySplit) gateway(kind string, r *rand.Rand) func() int {
	switch kind {
	case "smooth round robin":
		return smooth(r, s.percent)
	case "blocks of 20":
		return inBlocks(r, s.percent, 5)
	case "blocks of 100":
		return inBlocks(r, s.percent, 1)
	}
	return func() int { return pick(r.IntN(100), s.percent) }
}

func TestEveryKindOfGatewayPasses(t *testing.T) {
	for _, s := range gatewaySplits() {
		for _, kind := range gatewayKinds {
			if s.possible(kind) {
				t.Run(s.name+" "+kind, func(t *testing.T) {
					t.Parallel()
					s.run(t, kind, scale(gatewayRuns))
				})
			}
		}
	}
}

func pick(u int, percent []int) int {
	for i, p := range percent {
		if u < p {
			return i
		}
		u -= p
	}
	return len(percent) - 1
}

// inBlocks deals 80 times the first, then 15 times the second, then 5 times the
// third, or the same divided, from some place in the block on.
func inBlocks(r *rand.Rand, percent []int, divide int) func() int {
	at := r.IntN(100 / divide)
	return func() int {
		at = (at + 1) % (100 / divide)
		return pick(at*divide, percent)
	}
}

// smooth is the smooth weighted round robin of nginx: each gains its weight,
// the greatest is chosen and pays the sum.
func smooth(r *rand.Rand, weights []int) func() int {
	current := make([]int, len(weights))
	next := func() int {
		best := 0
		for i, w := range weights {
			current[i] += w
			if current[i] > current[best] {
				best = i
			}
		}
		current[best] -= 100
		return best
	}
	for range r.IntN(100) {
		next()
	}
	return next
}
