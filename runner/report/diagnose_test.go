package report

import (
	"strings"
	"testing"
	"time"

	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/verdict"
)

func TestDiagnose(t *testing.T) {
	faults := func(s record.Sample, kind, status string) record.Sample {
		s.Faults = map[string]int64{kind: s.Result.Errors.Count}
		if status != "" {
			s.Statuses = map[string]int64{status: s.Result.Errors.Count}
		}
		return s
	}
	// The old split for the first part, the new one after it.
	changing := func() record.Sample {
		s := judged(t, tutorial(), counts(900, 400, 200))
		line := record.NewTimeline([]string{"blue", "green", "canary"})
		for range 700 {
			line.Add(0)
		}
		for _, i := range mixed(counts(200, 400, 200)) {
			line.Add(i)
		}
		line.Fill(&s)
		return s
	}
	between := func() record.Sample {
		s := judged(t, onlyGreen(), counts(30, 1, 0))
		old := judged(t, onlyGreen(), counts(0, 1, 0))
		for range 8 {
			s.Attempts = append(s.Attempts, record.Attempt{Result: old.Result, Counts: old.Counts})
		}
		s.Attempts = append(s.Attempts, record.Attempt{Number: 8, Result: s.Result, Counts: s.Counts})
		return s
	}
	settled := func() record.Sample {
		s := judged(t, tutorial(), counts(1500, 1512, 1108))
		before := judged(t, tutorial(), counts(417, 0, 0))
		s.Attempts = []record.Attempt{{Result: before.Result, Counts: before.Counts}, {Number: 1, Result: s.Result, Counts: s.Counts}}
		return s
	}
	unlisted := judged(t, tutorial(), verdict.Counts{Outcomes: []int64{40, 38, 21}, Other: 1})
	unlisted.Unlisted = map[string]int64{"denied": 1}
	for _, tt := range []struct {
		name string
		s    record.Sample
		want string
	}{
		{"passed", judged(t, tutorial(), counts(4000, 4000, 2000)), ""},
		{"nothing yet", judged(t, tutorial(), counts(0, 0, 0)), ""},
		{"undecided, nothing stands out", judged(t, tutorial(), counts(40, 40, 20)), ""},
		{"bare counts: split", bare(judged(t, tutorial(), counts(1500, 1512, 1108))), "routing mistake: the answers are divided otherwise than wanted: blue 36.4 % instead of 40 %, green 36.7 % instead of 40 %, canary 26.9 % instead of 20 %"},
		{"bare counts: errors", bare(judged(t, tutorial(), withErrors(25, 100, 98, 50))), "errors: 9.2 % of the requests failed, not only those of one destination"},
		{"bare counts: only errors", bare(judged(t, tutorial(), withErrors(25, 0, 0, 0))), "errors: every request failed"},
		{"bare counts: a backend down", bare(judged(t, tutorial(), withErrors(11, 0, 10, 5))), "backend down: blue never answered (0 of 26, wanted 40 %) and errors have about its share (42.3 %); the split itself is not what is wrong"},
		{"changed while sampled", changing(), "not yet in force: the answers changed while they were sampled: blue from 93.4 % to 25.0 %"},
		{"changed between attempts", between(), "not yet in force: the answers changed from attempt to attempt: green from 0 % to 96.8 %"},
		{"settled on something wrong", settled(), "routing mistake: the answers are steady and divided otherwise than wanted: blue 36.4 % instead of 40 %, green 36.7 % instead of 40 %, canary 26.9 % instead of 20 %"},
		{"the VM is down, early", faults(judged(t, tutorial(), withErrors(5, 10, 9, 0)), "server error", "503"),
			"backend down: canary never answered (0 of 24, wanted 20 %) and errors have about its share (20.8 %: server error 5; status 503 5); the split itself is not what is wrong"},
		{"few errors, and few of a small share", bare(judged(t, verdict.Claim{Shares: []verdict.Share{{Name: "green", Want: .99, Tolerance: .05}, {Name: "blue", Want: .01, Tolerance: .05}}, Errors: .005, Alpha: .001, Beta: .01}, withErrors(2, 1406, 1))), ""},
		{"blue is down", faults(judged(t, tutorial(), withErrors(11, 0, 10, 5)), "reset", ""),
			"backend down: blue never answered (0 of 26, wanted 40 %) and errors have about its share (42.3 %: reset 11); the split itself is not what is wrong"},
		{"the VM is down, most of the time", faults(judged(t, tutorial(), withErrors(190, 400, 400, 10)), "first byte timeout", ""),
			"backend down or too slow: canary hardly answered (10 of 1,000, wanted 20 %) and errors have about its share (19.0 %: first byte timeout 190); the split itself is not what is wrong"},
		{"errors hit all", faults(judged(t, tutorial(), withErrors(25, 100, 98, 50)), "server error", "503"),
			"errors: 9.2 % of the requests failed (server error 25; status 503 25), not only those of one destination"},
		{"no rule for what comes", faults(judged(t, tutorial(), withErrors(25, 100, 98, 50)), "unknown answer", "200"),
			"errors: 9.2 % of the requests failed (unknown answer 25; status 200 25); the environment's answers have no rule for what came, see the examples"},
		{"unknown answers take the canary's share", faults(judged(t, tutorial(), withErrors(20, 40, 40, 0)), "unknown answer", "200"),
			"errors: 20.0 % of the requests failed (unknown answer 20; status 200 20); the environment's answers have no rule for what came, see the examples"},
		{"the gateway is down", faults(judged(t, tutorial(), withErrors(7, 0, 0, 0)), "refused", ""), "errors: the gateway does not answer: every request failed (refused 7)"},
		{"nothing behind the gateway", faults(judged(t, tutorial(), withErrors(7, 0, 0, 0)), "server error", "503"),
			"errors: the gateway answers, but nothing that any rule names: every request failed (server error 7; status 503 7)"},
		{"a leak", judged(t, onlyGreen(), counts(112, 1, 0)), "routing mistake: blue (1 of 113) answered and should not"},
		{"an outcome that is not listed", unlisted, "routing mistake: outcomes answered that no share names: denied 1"},
		{"all to one", judged(t, tutorial(), counts(417, 0, 0)),
			"routing mistake or stickiness: every answer was blue: the split has no effect, or the gateway ties a client to a destination (with one client these look alike)"},
		{"weights ignored", judged(t, tutorial(), counts(1000, 1010, 1005)), "routing mistake: the shares are equal, as if the weights were ignored"},
		{"mixed up", judged(t, tutorial(), counts(805, 1600, 1595)), "routing mistake: blue has the share of canary, as if the two were mixed up"},
		{"mixed up, of few answers", judged(t, tutorial(), counts(84, 166, 168)), "routing mistake: blue has the share of canary, as if the two were mixed up"},
		{"ignored, of few answers", judged(t, tutorial(), counts(138, 140, 139)), "routing mistake: the shares are equal, as if the weights were ignored"},
		{"steadily off", judged(t, tutorial(), counts(1690, 2000, 1330)), "routing mistake: the answers are steady and divided otherwise than wanted: blue 33.7 % instead of 40 %, canary 26.5 % instead of 20 %"},
		{"one answer, and then all the same", furthered(judged(t, onlyGreen(), counts(0, 1, 0)), counts(0, 300, 0)),
			"routing mistake: every answer was blue, wanted is green: the change has no effect, or something else goes before it"},
		{"one answer, and then a few more", furthered(judged(t, onlyGreen(), counts(0, 1, 0)), counts(290, 10, 0)), "routing mistake: blue (11 of 301) answered and should not"},
		{"one answer, and then none: it may have been chance", furthered(judged(t, onlyGreen(), counts(0, 1, 0)), counts(300, 0, 0)), "routing mistake: blue (1 of 301) answered and should not"},
		{"all old in every attempt, and then all new", furthered(again(judged(t, onlyGreen(), counts(0, 1, 0)), 4), counts(300, 0, 0)), "not yet in force: the answers have changed since the verdict: green from 0 % to 100 %"},
		{"four of five are errors, and then a fifth", furthered(faults(judged(t, tutorial(), withErrors(4, 1, 0, 0)), "server error", "503"), withErrors(61, 120, 119, 0)),
			"backend down: canary never answered (0 of 305, wanted 20 %) and errors have about its share (21.3 %: server error 4; status 503 4); the split itself is not what is wrong"},
		{"as many errors of all", furthered(judged(t, tutorial(), withErrors(4, 1, 0, 0)), withErrors(61, 95, 97, 47)), "errors: 21.3 % of the requests failed, not only those of one destination"},
		{"few connections, each to one backend", stuck(judged(t, tutorial(), counts(1690, 2000, 1330))),
			"stickiness: the gateway ties connections to a backend: 5,020 answers on 20 connections are worth about 20; ask with one request a connection"},
		{"slow", late(judged(t, tutorial(), counts(40, 40, 20))), "slow: 1.70 answers a second, half of them within 8.00 s: at that rate the about 2,598 more that it takes need 25 min 28 s; give it more time, or look at why it is slow"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Diagnose(tt.s); got != tt.want {
				t.Errorf("got  %q\nwant %q\n(%s: %s)", got, tt.want, tt.s.Result.State, tt.s.Result.Reason)
			}
		})
	}
}

// Whatever the record holds, a diagnosis is one line, and nothing panics.
func TestDiagnoseOfOddRecords(t *testing.T) {
	for _, s := range []record.Sample{
		{Result: verdict.Result{N: 5}},
		{Result: verdict.Result{N: 5, State: verdict.Failed}},
		{Result: verdict.Result{N: 5, State: verdict.Failed, Because: verdict.BecauseLeak}, Series: []verdict.Counts{{Outcomes: []int64{5}}}},
		{Result: verdict.Result{N: 5, State: verdict.Failed, Errors: verdict.ErrorResult{Count: 5}}, Attempts: []record.Attempt{{}, {}}},
	} {
		if got := Diagnose(s); strings.Contains(got, "\n") {
			t.Errorf("%q", got)
		}
		_ = SampleText(s)
	}
}

// furthered is a sample after whose verdict more was asked.
func furthered(s record.Sample, c verdict.Counts) record.Sample {
	var names []string
	for _, sh := range s.Result.Shares {
		names = append(names, sh.Name)
	}
	line := record.NewTimeline(names)
	for _, i := range mixed(c) {
		line.Add(i)
	}
	var x record.Sample
	line.Fill(&x)
	s.Further = &record.Further{Counts: c, Series: x.Series, Strip: x.Strip, Every: x.Every, Legend: x.Legend}
	return s
}

// again is a sample that came so often.
func again(s record.Sample, times int) record.Sample {
	for i := range times {
		s.Attempts = append(s.Attempts, record.Attempt{Number: i, Result: s.Result, Counts: s.Counts})
	}
	return s
}

// stuck is a sample on few connections.
func stuck(s record.Sample) record.Sample {
	s.Balancing = &verdict.DependenceResult{Balancing: verdict.Sticky, N: s.Result.N, Connections: 20, Effective: 20.4}
	return s
}

// late is a sample of a gateway that takes its time.
func late(s record.Sample) record.Sample {
	s.Rate, s.Latency = 1.7, record.Latency{Count: s.Result.N, P50: 8 * time.Second}
	return s
}

// bare is a sample of which nothing but the counts is known.
func bare(s record.Sample) record.Sample {
	return record.Sample{Result: s.Result, Counts: s.Counts}
}
