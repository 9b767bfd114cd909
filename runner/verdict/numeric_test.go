package verdict

import (
	"math"
	"math/big"
	"testing"
)

// The same formulas with 200 bits, to compare with.

func big200(x float64) *big.Float { return new(big.Float).SetPrec(200).SetFloat64(x) }

func bigPlus(x, y *big.Float) *big.Float  { return big200(0).Add(x, y) }
func bigMinus(x, y *big.Float) *big.Float { return big200(0).Sub(x, y) }
func bigTimes(x, y *big.Float) *big.Float { return big200(0).Mul(x, y) }
func bigOver(x, y *big.Float) *big.Float  { return big200(0).Quo(x, y) }

// bigLn is 2 artanh((m-1)/(m+1)) + e ln 2 for x = m 2^e, m from 1/2 to 1.
func bigLn(x *big.Float) *big.Float {
	m := big200(0)
	e := x.MantExp(m)
	return bigPlus(bigArtanh2(bigOver(bigMinus(m, big200(1)), bigPlus(m, big200(1)))), bigTimes(big200(float64(e)), bigArtanh2(bigOver(big200(1), big200(3)))))
}

func bigArtanh2(z *big.Float) *big.Float {
	sum, power := big200(0), bigTimes(big200(2), z)
	for k := 1.; k < 150; k += 2 {
		sum = bigPlus(sum, bigOver(power, big200(k)))
		power = bigTimes(power, bigTimes(z, z))
	}
	return sum
}

// lnGamma is Stirling's series after moving x up to 50.
func lnGamma(x *big.Float) *big.Float {
	shift := big200(0)
	for x.Cmp(big200(50)) < 0 {
		shift = bigPlus(shift, bigLn(x))
		x = bigPlus(x, big200(1))
	}
	pi, _, _ := big.ParseFloat("3.14159265358979323846264338327950288419716939937510582097494459", 10, 200, big.ToNearestEven)
	sum := bigMinus(bigTimes(bigMinus(x, big200(.5)), bigLn(x)), x)
	sum = bigPlus(sum, bigTimes(big200(.5), bigLn(bigTimes(big200(2), pi))))
	power := x
	for _, b := range [][2]float64{{1, 12}, {-1, 360}, {1, 1260}, {-1, 1680}, {1, 1188}, {-691, 360360}, {1, 156}} {
		sum = bigPlus(sum, bigOver(big200(b[0]), bigTimes(big200(b[1]), power)))
		power = bigTimes(power, bigTimes(x, x))
	}
	return bigMinus(sum, shift)
}

func number64(x *big.Float) float64 { f, _ := x.Float64(); return f }

// precisely is the logarithm of a mixture: the difference of the terms to the
// largest is a number that float64 holds well.
func precisely(terms []*big.Float) float64 {
	most := terms[0]
	for _, x := range terms {
		if x.Cmp(most) > 0 {
			most = x
		}
	}
	sum := 0.0
	for _, x := range terms {
		sum += math.Exp(number64(bigMinus(x, most)))
	}
	return number64(most) + math.Log(sum)
}

// A preciseEdge is an edge whose gains have 200 bits.
type preciseEdge struct {
	*edge
	q         []float64
	hit, miss []*big.Float
}

func newPreciseEdge(e *edge, q []float64) *preciseEdge {
	p := &preciseEdge{edge: e, q: q}
	one := big200(1)
	for _, x := range q {
		hit, miss := big200(0), big200(0)
		if x > 0 {
			hit = bigMinus(bigLn(big200(x)), bigLn(big200(e.at)))
		}
		if x < 1 {
			miss = bigMinus(bigLn(bigMinus(one, big200(x))), bigLn(bigMinus(one, big200(e.at))))
		}
		p.hit, p.miss = append(p.hit, hit), append(p.miss, miss)
	}
	return p
}

func (p *preciseEdge) evidence(hits, misses int64) float64 {
	var terms []*big.Float
	for i, q := range p.q {
		if hits > 0 && q == 0 || misses > 0 && q == 1 {
			continue
		}
		gains := bigPlus(bigTimes(big200(float64(hits)), p.hit[i]), bigTimes(big200(float64(misses)), p.miss[i]))
		terms = append(terms, bigPlus(big200(p.logW[i]), gains))
	}
	return precisely(terms)
}

// The evidence is right to a millionth of a nat up to 10^9 answers wherever it
// is of the size of a threshold, so beta and alpha are right to a millionth part.
func TestEvidenceIsStable(t *testing.T) {
	worst := 0.0
	for _, want := range []struct{ share, tolerance float64 }{{.4, .03}, {.5, .0005}, {.99, .005}, {.01, .002}, {0, .01}, {0, 1e-5}} {
		at := want.share + want.tolerance
		q := make([]float64, len(passReach))
		for i, r := range passReach {
			q[i] = at + r*(want.share-at)
		}
		q[0] = want.share
		e := newPassEdge(0, want.share, at, true)
		precise := newPreciseEdge(&e, q)
		for n := int64(1000); n <= 1e9; n *= 10 {
			for step := range 41 {
				share := want.share + float64(step)/20*want.tolerance
				hits := min(n, int64(float64(n)*share))
				want := precise.evidence(hits, n-hits)
				if math.Abs(want) > 100 {
					continue // told, or far from it
				}
				got := e.evidence(float64(hits), float64(n-hits))
				worst = math.Max(worst, math.Abs(got-want))
				if math.Abs(got-want) > 1e-6 {
					t.Errorf("edge at %g, %d of %d: evidence %.9f, want %.9f", at, hits, n, got, want)
				}
			}
		}
	}
	t.Logf("off by %.2g at most", worst)
}

// The mixture behind the intervals, against the likelihood at their ends: right
// to a thousandth of a nat up to 10^9 answers, so their confidence is right to
// a thousandth part of what it leaves over.
func TestIntervalIsStable(t *testing.T) {
	worst := 0.0
	for _, s := range []Share{{Want: .4, Tolerance: .03}, {Want: .01, Tolerance: .005}, {Want: 1}, {Want: 0}} {
		a, b := prior(s.Want, s.scale())
		for n := int64(1000); n <= 1e9; n *= 1000 {
			hits := int64(float64(n) * s.Want)
			logBetas := func(a, b float64) *big.Float {
				x, y := bigPlus(big200(a), big200(float64(hits))), bigPlus(big200(b), big200(float64(n-hits)))
				top := bigMinus(bigPlus(lnGamma(x), lnGamma(y)), lnGamma(bigPlus(x, y)))
				bottom := bigMinus(bigPlus(lnGamma(big200(a)), lnGamma(big200(b))), lnGamma(bigPlus(big200(a), big200(b))))
				return bigMinus(top, bottom)
			}
			low, high := interval(hits, n, s.Want, s.scale(), .0025)
			for _, end := range []float64{low, high} {
				if end <= 0 || end >= 1 {
					continue
				}
				likelihood := big200(0)
				if hits > 0 {
					likelihood = bigTimes(big200(float64(hits)), bigLn(big200(end)))
				}
				if n > hits {
					likelihood = bigPlus(likelihood, bigTimes(big200(float64(n-hits)), bigLn(bigMinus(big200(1), big200(end)))))
				}
				m := precisely([]*big.Float{
					bigPlus(big200(math.Log(.7)), bigMinus(logBetas(a, b), likelihood)),
					bigPlus(big200(math.Log(.3)), bigMinus(logBetas(.5, .5), likelihood)),
				})
				off := m - math.Log(1/.0025)
				worst = math.Max(worst, math.Abs(off))
				if math.Abs(off) > 1e-3 {
					t.Errorf("want %g, n %d: log M at %g is %.6f, want %.6f", s.Want, n, end, m, math.Log(1/.0025))
				}
			}
		}
	}
	t.Logf("off by %.2g at most", worst)
}
