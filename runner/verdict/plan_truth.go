package verdict

import "math"

// truth is what a simulated mesh does: the shares in the order of the claim's,
// and errors. They sum to 1.
type truth struct {
	shares []float64
	errors float64
}

// of is the share of a category.
func (m truth) of(category int) float64 {
	switch {
	case category < len(m.shares):
		return m.shares[category]
	case category == len(m.shares):
		return m.errors
	}
	return 0
}

// truths are the three meshes that a claim is simulated on.
func truths(c Claim) (right, half, twice truth) {
	t, err := New(c)
	if err != nil {
		panic("verdict: a claim that was valid is not: " + err.Error())
	}
	right = truth{shares: make([]float64, len(c.Shares))}
	for i, s := range c.Shares {
		right.shares[i] = s.Want
	}
	return right, slowest(halves(c), t.answersToPass), slowest(twices(c), t.answersToFail)
}

// slowest is the first mesh that takes most answers by the formula.
func slowest(meshes []truth, answers func(truth) float64) truth {
	best := 0
	for i := range meshes {
		if answers(meshes[i]) > answers(meshes[best])*(1+1e-9) {
			best = i
		}
	}
	return meshes[best]
}

// halves are meshes off by half of what is tolerated: one share moved by half
// its tolerance, the others making room in proportion, leaks and errors at half
// of theirs. Where that would carry another share further than half of its own
// tolerance, everything moves less.
func halves(c Claim) []truth {
	var all []truth
	for i, s := range c.Shares {
		if s.Want > 0 && s.Want < 1 {
			all = append(all, c.half(i, -s.Tolerance/2), c.half(i, s.Tolerance/2))
		}
	}
	if all == nil {
		all = append(all, c.half(-1, 0)) // shares of 0 and 100 % only
	}
	return all
}

// half moves share i by so much, or no share when i is -1.
func (c Claim) half(i int, by float64) truth {
	if i >= 0 {
		room := c.Shares[i].halfway(by)
		by = math.Max(-room, math.Min(by, room))
	}
	lost := c.Errors / 2
	for _, s := range c.Shares {
		lost += s.Leak / 2
	}
	scale := 1.0
	if lost > .5 {
		scale = .5 / lost
	}
	// All moves are in proportion to scale, so the largest that does is found at once.
	for j, s := range c.Shares {
		if move := c.move(j, i, by, lost); s.Want > 0 && s.Want < 1 && move != 0 {
			scale = math.Min(scale, s.halfway(move)/math.Abs(move))
		}
	}
	m := truth{shares: make([]float64, len(c.Shares)), errors: scale * c.Errors / 2}
	for j, s := range c.Shares {
		m.shares[j] = s.Want + scale*(s.Leak/2+c.move(j, i, by, lost))
	}
	return m
}

// halfway is how far a share moves into a direction to be half of its tolerance
// off, or halfway to 0 or 100 % where the tolerance swallows that side.
func (s Share) halfway(direction float64) float64 {
	if direction < 0 {
		return math.Min(s.Tolerance, s.Want) / 2
	}
	return math.Min(s.Tolerance, 1-s.Want) / 2
}

// move is how far share j goes when share i goes by so much and the shares
// wanted have to make room for what is lost to leaks and errors.
func (c Claim) move(j, i int, by, lost float64) float64 {
	want := c.Shares[j].Want
	switch {
	case want == 0:
		return 0
	case j == i:
		return by
	case i < 0:
		return -want * lost
	}
	return -want * (by + lost) / (1 - c.Shares[i].Want)
}

// twices are meshes off by twice of what is tolerated: one share moved so far,
// or to the end of the scale; where all are wanted at 0 or 100 %, one outcome
// wanted at 0, or errors, at twice what is tolerated. Where nothing is
// tolerated, twice the share is taken that "never" is confirmed as.
func twices(c Claim) []truth {
	var all []truth
	for i, s := range c.Shares {
		if s.Want == 0 || s.Want == 1 {
			continue
		}
		if s.upper() < 1 {
			all = append(all, c.moved(i, math.Min(1, s.Want+2*s.Tolerance)))
		}
		if s.lower() > 0 {
			all = append(all, c.moved(i, math.Max(0, s.Want-2*s.Tolerance)))
		}
	}
	if all != nil {
		return all
	}
	for i, s := range c.Shares {
		if s.Want == 0 {
			all = append(all, c.moved(i, twice(s.Leak, s.resolution())))
		}
	}
	m := c.moved(-1, 0)
	m.errors = twice(c.Errors, DefaultResolution)
	for i := range m.shares {
		m.shares[i] *= 1 - m.errors
	}
	return append(all, m)
}

func twice(tolerated, resolution float64) float64 {
	if tolerated == 0 {
		tolerated = resolution
	}
	return math.Min(1, 2*tolerated)
}

// moved sets share i, or none when it is -1; the others make room in proportion.
func (c Claim) moved(i int, to float64) truth {
	m := truth{shares: make([]float64, len(c.Shares))}
	for j, s := range c.Shares {
		m.shares[j] = s.Want
		if i >= 0 {
			m.shares[j] = s.Want * (1 - to) / (1 - c.Shares[i].Want)
		}
	}
	if i >= 0 {
		m.shares[i] = to
	}
	return m
}

// answersToPass is about how many answers the mesh takes to pass: of the edge
// where evidence grows slowest. The others add a little, to choose among meshes
// that are as slow there.
func (t *Test) answersToPass(m truth) float64 {
	most, sum := 0.0, 0.0
	for i := range t.pass {
		e := &t.pass[i]
		g := e.growth(m.of(e.category))
		if g <= 0 {
			return math.Inf(1)
		}
		most, sum = math.Max(most, t.logPass/g), sum+t.logPass/g
	}
	return most + sum/1000
}

// answersToFail is about how many answers the mesh takes to fail: of the edge
// where evidence grows fastest, or until what must never answer answers.
func (t *Test) answersToFail(m truth) float64 {
	least := math.Inf(1)
	for i := range t.fail {
		e := &t.fail[i]
		if p := m.of(e.category); e.beyond(p, 1) && e.growth(p) > 0 {
			need := (t.logFail + math.Log(float64(len(t.fail)))) / e.growth(p)
			least = math.Min(least, math.Max(need, float64(e.from)))
		}
	}
	for _, category := range t.never {
		if p := m.of(category); p > 0 {
			least = math.Min(least, 1/p)
		}
	}
	return least
}
