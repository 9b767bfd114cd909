package report

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/verdict"
)

// Diagnose says in a sentence what the answers of a failed or undecided sample
// point to: the change is not in force yet, a backend is down, errors,
// stickiness, a routing mistake, or a gateway that is slow. It begins with one of
// these words and a colon. It is "" for a sample that passed and where nothing
// stands out.
//
// It reads Result, Counts, Attempts, Series, Faults, Statuses, Unlisted,
// Balancing, Rate, Latency and Further, of which the last is why its numbers may
// be larger than those of the table. It is a hint to the reader, without an error probability, and no part of the verdict.
func Diagnose(s record.Sample) string {
	if s.Result.State == verdict.Passed || s.Result.N == 0 {
		return ""
	}
	if d := sinceTheVerdict(s); d != "" {
		return "not yet in force: the answers have changed since the verdict: " + d
	}
	whole := widened(s)
	for _, look := range []func(record.Sample) string{changing, nothingAnswers, backendDown, errorsOnly, sticky, routing, slow} {
		if d := look(whole); d != "" {
			return d
		}
	}
	return ""
}

// What counts as a change over time: so many points, and so many standard
// deviations that chance does not explain it.
const (
	changePoints = .1
	changeSigmas = 5
)

// changing compares the halves of the last attempt. Where one wrong answer ends
// an attempt, it is too short for that; then the last is compared with those
// before it. (A longer one that is steady and wrong has settled, on something
// wrong, whatever there was before.)
func changing(s record.Sample) string {
	first, second := halves(s.Series)
	if d := difference(s.Result, first, second); d != "" {
		return "not yet in force: the answers changed while they were sampled: " + d
	}
	k := len(s.Attempts)
	if k < 2 || s.Result.Because == verdict.BecauseShare {
		return ""
	}
	var before verdict.Counts
	for _, a := range s.Attempts[:k-1] {
		if len(a.Counts.Outcomes) == len(s.Result.Shares) {
			before.Add(a.Counts)
		}
	}
	if d := difference(s.Result, before, s.Attempts[k-1].Counts); d != "" {
		return "not yet in force: the answers changed from attempt to attempt: " + d
	}
	return ""
}

// halves adds up the series before and from the middle of its answers.
func halves(series []verdict.Counts) (first, second verdict.Counts) {
	total := int64(0)
	for _, c := range series {
		total += c.Total()
	}
	for _, c := range series {
		if first.Total() < total/2 {
			first.Add(c)
		} else {
			second.Add(c)
		}
	}
	return first, second
}

// difference names the outcome whose share changed most, if that is a change.
func difference(r verdict.Result, before, after verdict.Counts) string {
	m, n := float64(before.Total()), float64(after.Total())
	if m == 0 || n == 0 || len(before.Outcomes) != len(r.Shares) || len(after.Outcomes) != len(r.Shares) {
		return ""
	}
	text, most := "", changePoints
	compare := func(name string, x, y int64) {
		p, q := float64(x)/m, float64(y)/n
		pooled := float64(x+y) / (m + n)
		sigma := math.Sqrt(pooled * (1 - pooled) * (1/m + 1/n))
		if d := math.Abs(p - q); d > most && d > changeSigmas*sigma {
			text, most = fmt.Sprintf("%s from %s to %s", name, got(p), got(q)), d
		}
	}
	for i, sh := range r.Shares {
		compare(sh.Name, before.Outcomes[i], after.Outcomes[i])
	}
	compare("errors", before.Errors, after.Errors)
	return text
}

// nothingAnswers: every request failed.
func nothingAnswers(s record.Sample) string {
	if s.Result.Errors.Count < s.Result.N || s.Result.N < 2 {
		return ""
	}
	if len(s.Faults) == 0 { // bare counts
		return "errors: every request failed"
	}
	if len(s.Statuses) == 0 {
		return fmt.Sprintf("errors: the gateway does not answer: every request failed (%s)", tally(s.Faults))
	}
	return fmt.Sprintf("errors: the gateway answers, but nothing that any rule names: every request failed%s", causes(s, " (", ")"))
}

// backendDown looks for a destination whose share the errors have. Its counts
// must fit that better, by likelihood, than errors that hit all alike.
func backendDown(s record.Sample) string {
	r := s.Result
	if r.Errors.Count == 0 || r.Errors.Got <= r.Errors.Tolerated || r.Because == verdict.BecauseLeak || s.Faults["unknown answer"] == r.Errors.Count {
		return ""
	}
	alike := likelihood(r, -1)
	down, best := -1, alike+plainer
	for i, sh := range r.Shares {
		if sh.Want > 0 && sh.Want < 1 && sh.Got < sh.Want/2 {
			if l := likelihood(r, i); l > best {
				down, best = i, l
			}
		}
	}
	if down < 0 {
		return ""
	}
	sh := r.Shares[down]
	what := "backend down"
	if late := s.Faults["first byte timeout"] + s.Faults["timeout"] + s.Statuses["504"]; 2*late > r.Errors.Count {
		what = "backend down or too slow"
	}
	answered := "never answered"
	if sh.Count > 0 {
		answered = "hardly answered"
	}
	return fmt.Sprintf("%s: %s %s (%s of %s, wanted %s) and errors have about its share (%s%s); the split itself is not what is wrong",
		what, sh.Name, answered, Count(sh.Count), Count(r.N), Percent(sh.Want), got(r.Errors.Got), causes(s, ": ", ""))
}

// plainer is by how much (in nats) "this backend is down" must explain the
// counts better than "errors hit all alike" does, to be named.
const plainer = 1

// likelihood is the logarithm of the probability of the counts, but for a
// constant, if destination down's share became errors; with down < 0, if
// errors took the same part of every share.
func likelihood(r verdict.Result, down int) float64 {
	const rest = .02 // of a share still answers although it is down, or fails although it is up
	errors, spread := rest*r.Errors.Tolerated, 1.0
	if down < 0 {
		errors = r.Errors.Got
		spread = 1 - errors
	}
	l := 0.0
	for i, sh := range r.Shares {
		p := sh.Want * spread
		if i == down {
			errors += (1 - rest) * p
			p *= rest
		}
		if sh.Count > 0 {
			l += float64(sh.Count) * math.Log(math.Max(p, 1e-4))
		}
	}
	return l + float64(r.Errors.Count)*math.Log(math.Max(errors, 1e-4))
}

// errorsOnly: it failed for errors, and they hit all destinations alike.
func errorsOnly(s record.Sample) string {
	r := s.Result
	if r.Because != verdict.BecauseErrors {
		return ""
	}
	text := fmt.Sprintf("errors: %s of the requests failed%s", got(r.Errors.Got), causes(s, " (", ")"))
	if s.Faults["unknown answer"]*2 > r.Errors.Count {
		return text + "; the environment's answers have no rule for what came, see the examples"
	}
	return text + ", not only those of one destination"
}

// causes lists the faults, between two texts; bare counts have none.
func causes(s record.Sample, before, after string) string {
	if len(s.Faults) == 0 {
		return ""
	}
	text := before + tally(s.Faults)
	if len(s.Statuses) > 0 {
		text += "; status " + tally(s.Statuses)
	}
	return text + after
}

// sticky: the answers depend on their connections, and few of these carried
// many of them, so that the shares are those of few draws.
func sticky(s record.Sample) string {
	b := s.Balancing
	if b == nil || b.Balancing != verdict.Sticky || s.Result.Because == verdict.BecauseLeak {
		return ""
	}
	return fmt.Sprintf("stickiness: the gateway ties connections to a backend: %s answers on %s connections are worth about %s; ask with one request a connection",
		Count(b.N), Count(b.Connections), Count(int64(math.Max(1, math.Round(b.Effective)))))
}

// slow: it is undecided because few answers came in the time.
func slow(s record.Sample) string {
	r := s.Result
	if r.State != verdict.Undecided || r.Needed == 0 || s.Rate <= 0 || s.Rate >= slowRate || s.Latency.Count == 0 {
		return ""
	}
	more := time.Duration(float64(r.Needed) / s.Rate * float64(time.Second))
	return fmt.Sprintf("slow: %s answers a second, half of them within %s: at that rate the about %s more that it takes need %s; give it more time, or look at why it is slow",
		figures(s.Rate), Duration(s.Latency.P50), Count(r.Needed), Duration(more))
}

// slowRate is how many answers a second are few.
const slowRate = 100

// routing: the answers are steady, and divided otherwise than wanted.
func routing(s record.Sample) string {
	r := s.Result
	if r.State != verdict.Failed {
		return ""
	}
	if len(s.Unlisted) > 0 && r.Because == verdict.BecauseLeak {
		return "routing mistake: outcomes answered that no share names: " + tally(s.Unlisted)
	}
	for _, sh := range r.Shares {
		if sh.Count == r.N && sh.Want < 1 {
			return allToOne(r, sh.Name)
		}
	}
	if r.Because == verdict.BecauseLeak {
		return "routing mistake: " + leaks(r)
	}
	a, b, mixed := swapped(r)
	if ignored(r) && !(mixed && fit(r, exchanged(r, a, b)) > fit(r, alike(r))) {
		return "routing mistake: the shares are equal, as if the weights were ignored"
	}
	if mixed {
		return fmt.Sprintf("routing mistake: %s has the share of %s, as if the two were mixed up", r.Shares[a].Name, r.Shares[b].Name)
	}
	if len(s.Series) == 0 { // counts alone do not tell whether they are
		return "routing mistake: the answers are divided otherwise than wanted: " + offBy(r)
	}
	return "routing mistake: the answers are steady and divided otherwise than wanted: " + offBy(r)
}

// allToOne is what it may be when one destination gives every answer. Where
// another alone is wanted, a client that is tied to one is no explanation.
func allToOne(r verdict.Result, name string) string {
	for _, sh := range r.Shares {
		if sh.Want == 1 {
			return fmt.Sprintf("routing mistake: every answer was %s, wanted is %s: the change has no effect, or something else goes before it", name, sh.Name)
		}
	}
	return fmt.Sprintf("routing mistake or stickiness: every answer was %s: the split has no effect, or the gateway ties a client to a destination (with one client these look alike)", name)
}

func leaks(r verdict.Result) string {
	var names []string
	for _, sh := range r.Shares {
		if sh.Want == 0 && sh.Count > 0 {
			names = append(names, fmt.Sprintf("%s (%s of %s)", sh.Name, Count(sh.Count), Count(r.N)))
		}
	}
	return strings.Join(names, ", ") + " answered and should not"
}

// near says whether the share seen is compatible with p.
func near(sh verdict.ShareResult, p float64) bool { return sh.Low <= p && p <= sh.High }

// ignored: the wanted shares differ, and those seen do not.
func ignored(r verdict.Result) bool {
	wanted := 0
	for _, sh := range r.Shares {
		if sh.Want > 0 {
			wanted++
		}
	}
	if wanted < 2 || r.N < 100 {
		return false
	}
	equal, differ := 1/float64(wanted), false
	for _, sh := range r.Shares {
		if sh.Want > 0 && !near(sh, equal) {
			return false
		}
		differ = differ || sh.Want > 0 && !near(sh, sh.Want)
	}
	return differ
}

// swapped: two shares that differ fit each other's place; those that fit best.
func swapped(r verdict.Result) (a, b int, ok bool) {
	if r.N < 100 {
		return 0, 0, false
	}
	best := math.Inf(-1)
	for i, x := range r.Shares {
		for j, y := range r.Shares[i+1:] {
			if x.Want > 0 && y.Want > 0 && !near(x, x.Want) && !near(y, y.Want) && near(x, y.Want) && near(y, x.Want) {
				if f := fit(r, exchanged(r, i, i+1+j)); f > best {
					a, b, ok, best = i, i+1+j, true, f
				}
			}
		}
	}
	return a, b, ok
}

// fit is the logarithm of the probability of the answers that are no errors, but
// for a constant, if these were the shares.
func fit(r verdict.Result, shares []float64) float64 {
	l := 0.0
	for i, sh := range r.Shares {
		if sh.Count > 0 {
			l += float64(sh.Count) * math.Log(math.Max(shares[i], 1e-4))
		}
	}
	return l
}

// exchanged are the shares wanted, but for two that have each other's.
func exchanged(r verdict.Result, a, b int) []float64 {
	shares := make([]float64, len(r.Shares))
	for i, sh := range r.Shares {
		shares[i] = sh.Want
	}
	shares[a], shares[b] = shares[b], shares[a]
	return shares
}

// alike are equal shares for all that are wanted.
func alike(r verdict.Result) []float64 {
	shares := make([]float64, len(r.Shares))
	wanted := 0
	for _, sh := range r.Shares {
		if sh.Want > 0 {
			wanted++
		}
	}
	for i, sh := range r.Shares {
		if sh.Want > 0 {
			shares[i] = 1 / float64(wanted)
		}
	}
	return shares
}

// offBy lists the shares that are off, the furthest first named.
func offBy(r verdict.Result) string {
	var parts []string
	for _, sh := range r.Shares {
		if sh.Want > 0 && math.Abs(sh.Got-sh.Want) > sh.Tolerance/2 {
			parts = append(parts, fmt.Sprintf("%s %s instead of %s", sh.Name, got(sh.Got), Percent(sh.Want)))
		}
	}
	return strings.Join(parts, ", ")
}
