package verdict

import (
	"flag"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	_ "github.com/meshassay/assay/internal/golden" // its flag -update is this test's, too
)

// What is proved by measuring. TestProof measures it in full and writes the
// tables of docs/verdict.md; TestDocs measures less, and that the tables say
// what the code does.

const docs = "../../docs/verdict.md"

const (
	fullRuns       = 50_000 // at each worst point
	efficiencyRuns = 20_000
	gatewayRuns    = 1000
)

// efficiencies are the splits whose cost is shown, at the default error
// probabilities with 1 % of errors tolerated.
func efficiencies() []efficiency {
	ten := []float64{.16, .04, .16, .04, .1, .1, .1, .1, .1, .1}
	return []efficiency{
		{"40/40/20 ±5", usual(splitOf(.01, .05, 40, 40, 20)), []float64{.5, .3, .2}, 1600},
		{"50/50 ±5", usual(splitOf(.01, .05, 50, 50)), []float64{.6, .4}, 1440},
		{"90/10 ±3", usual(splitOf(.01, .03, 90, 10)), []float64{.84, .16}, 1470},
		{"99/1 ±0.5", usual(splitOf(.01, .005, 99, 1)), []float64{.98, .02}, 6000},
		{"100/0/0, leak 1 %", usual(splitOf(.01, .01, 100, 0, 0)), []float64{.98, .02, 0}, 520},
		{"ten times 10 ±3", usual(splitOf(.01, .03, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10)), ten, 2480},
	}
}

type efficiency struct {
	split string
	claim Claim
	wrong []float64 // off by twice the tolerance
	bar   float64   // the mean number of answers allowed when the mesh is right
}

func (e efficiency) seed() uint64 { return uint64(len(e.split)*1000) + uint64(e.bar) }

// bounds are the columns beside it: best, nearly best, Wald's, at once.
func (e efficiency) bounds(slow bool) []string {
	best, nearly := "", ""
	if slow && mirrored(e.claim) {
		best = rounded(optimum(e.claim))
	}
	if slow && e.claim.Shares[0].Want < 1 {
		nearly = rounded(refined(e.claim, 2000))
	}
	return []string{best, nearly, rounded(wald(e.claim)), grouped(answersAtOnce(e.claim))}
}

func rounded(x float64) string { return grouped(int64(x + .5)) }

// often is the conformance suite of the Gateway API: 500 requests, each share
// within 5 points of 70 and 30 %, up to ten fresh attempts. The sum is exact, and
// compares as the suite does: in float64 375 of 500 are more than 5 points above.
func often(p float64) (once, tenTimes string) {
	pass := 0.0
	for hits := range int64(501) {
		first, second := float64(hits)/500, float64(500-hits)/500
		if math.Abs(first-.7) <= .05 && math.Abs(second-.3) <= .05 {
			pass += draws{500, p}.mass(hits)
		}
	}
	return probability(pass), probability(1 - math.Pow(1-pass, 10))
}

func probability(p float64) string { return strconv.FormatFloat(100*p, 'f', 2, 64) + " %" }

// retried are the shares of the first of two destinations, 70 % wanted.
var retried = []float64{.70, .75, .76, .77, .78, .80}

func retriesTable(t *testing.T) table {
	out := table{"retries", []string{"the mesh divides", "500 requests pass once", "pass in ten attempts", "this test passes", "fails", "undecided after 5,000", "answers (mean)"}, nil}
	c := usual(splitOf(.01, .05, 70, 30))
	for i, p := range retried {
		m := measure(c, []float64{p, 1 - p}, efficiencyRuns, 5000, uint64(i))
		once, ten := often(p)
		open := efficiencyRuns - m.passed - m.failed
		share := func(n int) string { return probability(float64(n) / efficiencyRuns) }
		out.add(fmt.Sprintf("%g/%g", round(100*p), round(100-100*p)), once, ten, share(m.passed), share(m.failed), share(open), rounded(m.mean()))
	}
	return out
}

func efficiencyTable(t *testing.T) table {
	out := table{"efficiency", []string{"split", "passes after (mean)", "99 % of the runs", "the best possible", "nearly best", "Wald's bound", "all at once", "fails, off by twice the tolerance"}, nil}
	for _, e := range efficiencies() {
		right := measure(e.claim, moved(e.claim, nil), efficiencyRuns, 1_000_000, e.seed())
		wrong := measure(e.claim, e.wrong, efficiencyRuns/10, 1_000_000, e.seed())
		if right.mean() > e.bar {
			t.Errorf("%s: passes after %.0f answers, more than %.0f", e.split, right.mean(), e.bar)
		}
		if right.passed < efficiencyRuns*9999/10000 || wrong.failed < efficiencyRuns/10 {
			t.Errorf("%s: right, passed %d of %d; off, failed %d of %d", e.split, right.passed, efficiencyRuns, wrong.failed, efficiencyRuns/10)
		}
		row := []string{e.split, rounded(right.mean()), grouped(right.p99())}
		out.add(append(append(row, e.bounds(true)...), rounded(wrong.mean()))...)
	}
	return out
}

func worstTable(t *testing.T) table {
	out := table{"worst", []string{"outcomes", "split", "the mesh is at", "wrongly passed", "allowed", "wrongly failed", "allowed"}, nil}
	for i, p := range worstPoints() {
		m := measure(p.claim, p.truth, fullRuns, p.budget, uint64(1000+i))
		p.judge(t, m)
		passed, failed := part(m.passed, fullRuns), part(m.failed, fullRuns)
		if p.mayPass {
			passed = "right: " + passed
		}
		if p.mustFail {
			failed = "right: " + failed
		}
		out.add(fmt.Sprint(p.k), p.split, p.where, passed, percent(p.claim.Beta), failed, percent(p.claim.Alpha))
	}
	return out
}

// judge says whether the runs show, at 99.9 %, that a verdict is wrong more
// often than it may be.
func (p worstPoint) judge(t *testing.T, m measured) {
	t.Helper()
	runs := len(m.used)
	if !p.mayPass && exceeds(m.passed, runs, p.claim.Beta) {
		t.Errorf("%s, %s: passed wrongly in %d of %d runs, more than beta = %g", p.split, p.where, m.passed, runs, p.claim.Beta)
	}
	if !p.mustFail && exceeds(m.failed, runs, p.claim.Alpha) {
		t.Errorf("%s, %s: failed wrongly in %d of %d runs, more than alpha = %g", p.split, p.where, m.failed, runs, p.claim.Alpha)
	}
	if p.mayPass && m.passed < runs*999/1000 {
		t.Errorf("%s, %s: passed only in %d of %d runs although it is right", p.split, p.where, m.passed, runs)
	}
}

func part(hits, runs int) string {
	return strconv.FormatFloat(100*float64(hits)/float64(runs), 'f', 3, 64) + " %"
}

func exactTable(t *testing.T, cases []exactCase) table {
	out := table{"exact", []string{"split", "asked", "the mesh is at", "passed", "failed", "answers (mean)"}, nil}
	for _, c := range cases {
		for _, row := range c.rows(t) {
			out.add(row...)
		}
	}
	return out
}

func gatewayTable(t *testing.T) table {
	out := table{"gateways", append([]string{"split"}, gatewayKinds...), nil}
	for _, s := range gatewaySplits() {
		row := []string{s.name}
		for _, kind := range gatewayKinds {
			cell := "-"
			if s.possible(kind) {
				passed, mean := s.run(t, kind, gatewayRuns)
				cell = fmt.Sprintf("%s of %s, after %s", grouped(int64(passed)), grouped(gatewayRuns), rounded(mean))
			}
			row = append(row, cell)
		}
		out.add(row...)
	}
	return out
}

func costTable(t *testing.T) table {
	out := table{"cost", []string{"outcomes", "ns per answer", "bytes allocated"}, nil}
	for _, p := range []int{2, 3, 5, 10} {
		r := testing.Benchmark(func(b *testing.B) { benchmarkUpdate(b, p) })
		if p == 3 && r.NsPerOp() >= 100 {
			t.Errorf("an answer of three outcomes costs %d ns, want less than 100", r.NsPerOp())
		}
		out.add(fmt.Sprint(p), fmt.Sprint(r.NsPerOp()), fmt.Sprint(r.AllocedBytesPerOp()))
	}
	return out
}

func TestProof(t *testing.T) {
	if !*full {
		t.Skip("make bench-verdict measures all; TestDocs measures a part")
	}
	for _, part := range []struct {
		name    string
		measure func(*testing.T) table
	}{
		{"retries", retriesTable}, {"efficiency", efficiencyTable},
		{"exact", func(t *testing.T) table { return exactTable(t, append(shortExact(), longExact()...)) }},
		{"worst", worstTable}, {"gateways", gatewayTable}, {"cost", costTable},
	} {
		t.Run(part.name, func(t *testing.T) {
			out := part.measure(t)
			fmt.Printf("\n%s\n", out.markdown())
			if flag.Lookup("update").Value.String() == "true" && !t.Failed() {
				if err := os.WriteFile(docs, []byte(out.put(t, readDocs(t))), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// The tables that the documentation shows say what the code does.
func TestDocs(t *testing.T) {
	text := readDocs(t)
	t.Run("retries", func(t *testing.T) {
		for i, row := range rowsOf(t, text, "retries", len(retried)) {
			once, ten := often(retried[i])
			if row[1] != once || row[2] != ten || i > 0 && numberIn(t, row[3]) > 100*DefaultBeta {
				t.Errorf("the table has %v, want %s and %s", row, once, ten)
			}
		}
	})
	t.Run("efficiency", func(t *testing.T) {
		t.Parallel()
		rows := rowsOf(t, text, "efficiency", len(efficiencies()))
		for i, e := range efficiencies() {
			row := rows[i]
			short := measure(e.claim, moved(e.claim, nil), scale(300), 1_000_000, e.seed()+1)
			shown, margin := numberIn(t, row[1]), 5*short.deviation()+1
			if row[0] != e.split || shown > e.bar || short.mean() < shown-margin || short.mean() > shown+margin {
				t.Errorf("the table has %v; measured %.0f ± %.0f, allowed %.0f", row[:2], short.mean(), margin, e.bar)
			}
			if want := e.bounds(false); row[5] != want[2] || row[6] != want[3] {
				t.Errorf("%s: the table has the bounds %v, want %v", e.split, row[5:7], want[2:])
			}
			if row[0] == "50/50 ±5" && row[3] != rounded(optimum(e.claim)) {
				t.Errorf("the best possible of %s: the table has %s, want %.0f", e.split, row[3], optimum(e.claim))
			}
		}
	})
	t.Run("worst", func(t *testing.T) {
		t.Parallel()
		rows := rowsOf(t, text, "worst", len(worstPoints()))
		for i, p := range worstPoints() {
			row := rows[i]
			if row[0] != fmt.Sprint(p.k) || row[1] != p.split || row[2] != p.where || row[4] != percent(p.claim.Beta) || row[6] != percent(p.claim.Alpha) {
				t.Errorf("the table has %v, want %s, %s", row, p.split, p.where)
				continue
			}
			shown := measured{used: make([]int64, fullRuns)}
			shown.passed, shown.failed = hitsIn(t, row[3]), hitsIn(t, row[5])
			p.judge(t, shown)
		}
	})
	t.Run("exact", func(t *testing.T) {
		t.Parallel()
		if raceEnabled {
			t.Skip("arithmetic alone: nothing to race, and ten times as long")
		}
		want := exactTable(t, shortExact()).rows
		for i, row := range rowsOf(t, text, "exact", -1) {
			if i < len(want) && strings.Join(row, "|") != strings.Join(want[i], "|") {
				t.Errorf("the table has %v, want %v", row, want[i])
			}
		}
	})
	t.Run("gateways", func(t *testing.T) {
		t.Parallel()
		rows := rowsOf(t, text, "gateways", len(gatewaySplits()))
		for i, s := range gatewaySplits() {
			for j, kind := range gatewayKinds {
				cell, all := rows[i][j+1], "1,000 of 1,000, after "
				if rows[i][0] != s.name || s.possible(kind) != strings.HasPrefix(cell, all) || !s.possible(kind) && cell != "-" {
					t.Errorf("%s, %s: the table has %v", s.name, kind, rows[i])
				}
			}
		}
	})
	t.Run("cost", func(t *testing.T) {
		for _, row := range rowsOf(t, text, "cost", 4) {
			if row[0] == "3" && numberIn(t, row[1]) >= 100 || row[2] != "0" {
				t.Errorf("the table has %v", row)
			}
		}
	})
}

// A table is a block of docs/verdict.md between two comments with its name.
type table struct {
	name string
	head []string
	rows [][]string
}

func (t *table) add(row ...string) { t.rows = append(t.rows, row) }

func (t table) markdown() string {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(t.head)
	fmt.Fprintf(&b, "|%s\n", strings.Repeat("---|", len(t.head)))
	for _, row := range t.rows {
		line(row)
	}
	return b.String()
}

func (t table) put(tb testing.TB, text string) string {
	before, rest := block(tb, text, t.name)
	_, after, _ := strings.Cut(rest, "<!-- end -->")
	return before + "\n\n" + t.markdown() + "\n<!-- end -->" + after
}

// block returns the text up to the table's first comment, with it, and what follows.
func block(tb testing.TB, text, name string) (before, rest string) {
	tb.Helper()
	begin := "<!-- table: " + name + " -->"
	before, rest, found := strings.Cut(text, begin)
	if !found || !strings.Contains(rest, "<!-- end -->") {
		tb.Fatalf("%s has no %s … <!-- end -->", docs, begin)
	}
	return before + begin, rest
}

func readDocs(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// rowsOf are the cells of the table that the documentation has, without its head.
func rowsOf(t *testing.T, text, name string, want int) (rows [][]string) {
	t.Helper()
	_, rest := block(t, text, name)
	inside, _, _ := strings.Cut(rest, "<!-- end -->")
	for _, line := range strings.Split(strings.TrimSpace(inside), "\n") {
		line = strings.TrimSuffix(strings.TrimPrefix(line, "| "), " |")
		rows = append(rows, strings.Split(line, " | "))
	}
	rows = rows[min(2, len(rows)):]
	if len(rows) == 0 || want >= 0 && len(rows) != want {
		t.Fatalf("the table %s of %s has %d rows, want %d: run make bench-verdict", name, docs, len(rows), want)
	}
	return rows
}

func numberIn(t *testing.T, cell string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(strings.NewReplacer(",", "", " %", "", "right: ", "").Replace(cell), 64)
	if err != nil {
		t.Fatalf("%q is no number", cell)
	}
	return x
}

// hitsIn is how many of fullRuns a percentage is.
func hitsIn(t *testing.T, cell string) int {
	return int(numberIn(t, cell)/100*fullRuns + .5)
}
