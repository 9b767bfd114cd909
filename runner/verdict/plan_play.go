package verdict

import "math/rand/v2"

// play is one run. What it comes to has the law of Observe and Look after every
// answer, but all answers up to the next look are drawn at once. An answer that
// should not occur is looked at when it comes, so how many answers pass until
// then is drawn beforehand.
func play(c Claim, mesh truth, to int64, r *rand.Rand) ending {
	t, err := New(c)
	if err != nil {
		panic("verdict: a claim that was valid is not: " + err.Error())
	}
	d := newDealer(c, mesh, r)
	odd := d.nextRare(0)
	for t.Look() == Undecided && t.n < to {
		look := min(max(t.next, t.n+1), to)
		if odd > look {
			d.deal(t, look-t.n)
			continue
		}
		d.deal(t, odd-1-t.n)
		t.Observe(d.rareOne())
		odd = d.nextRare(odd)
	}
	t.evaluate() // as Result does when the budget is used up
	return ending{t.n, t.state}
}
