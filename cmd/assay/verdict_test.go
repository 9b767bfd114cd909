package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshassay/assay/internal/golden"
)

const tutorialClaim = "verdict --expect blue=40%,green=40%,canary=20% "

func TestVerdictIsTold(t *testing.T) {
	golden.Compare(t, "testdata/verdict/told.golden", steady(transcript(
		typed{args: tutorialClaim + "--tolerance 5pp blue=812 green=790 canary=398"},
		typed{args: tutorialClaim + "--tolerance 3pp blue=812 green=790 canary=398"},
		typed{args: tutorialClaim + "--tolerance 3pp blue=1500 green=1511 canary=1108 errors=1"},
		typed{args: tutorialClaim + "--tolerance 3pp blue=0 green=0 canary=0"},
		typed{args: tutorialClaim + "--tolerance 3pp blue=430000 green=370000 canary=200000"},
		typed{args: "verdict --expect blue=40%,green=40%+-6pp,canary=20%±2pp --tolerance 5pp blue=8120 green=7900 canary=3980"},
		typed{args: "verdict --expect green=100%,blue=0% green=1402 blue=0 errors=2"},
		typed{args: "verdict --expect green=100%,blue=0% green=1402 blue=1"},
		typed{args: "verdict --expect green=100%,blue=0% green=1402 blue=0 purple=1"},
		typed{args: "verdict --expect green=100%,blue=0% --leak 1% green=1402 blue=1 purple=1 pink=1"},
		typed{args: "verdict --expect green=100% --errors 0% green=400 errors=1"},
	)))
}

func TestVerdictRefuses(t *testing.T) {
	golden.Compare(t, "testdata/verdict/refused.golden", transcript(
		typed{args: "verdict blue=1"},
		typed{args: "verdict --expect green=100%"},
		typed{args: "verdict --expect blue=40,green=40%,canry=0.2,=3%,red,Errors=1%,pink=2%+-1%,grey=1%+-0pp --errors 2 --alpha x --beta y --leak 1 --tolerance 5% blue=812 green=7,90 canary=398 errors=2% Error=4 fo green=3 =4"},
		typed{args: "verdict --expect blue=40%,green=40%,canary=10%,canary=0%+-1pp --alpha 0.7 --leak 100% blue=1 green=2 canary=3"},
		typed{args: tutorialClaim + "--tolerance 5pp blue=812 green=790 canry=398"},
		typed{args: tutorialClaim + "blue=812 green=790"},
		typed{args: "verdict --expect green=100% --tolerance 3pp green=1000"},
		typed{args: "verdict --expect green=100% green=-3 blue=-2 errors=-1"},
		typed{args: "verdict --expct green=100%"},
		typed{args: "verdict --expect green=100% --file testdata/nowhere"},
	))
}

func TestVerdictReadsWhatPeopleHave(t *testing.T) {
	const claim = "verdict --expect 200=90%,404=10% --tolerance 5pp "
	passed := []string{"passed: 90.0 % 200, 10.0 % 404, 3,000 requests"}
	for _, tt := range []struct {
		name string
		in   typed
		code int
		want []string
	}{
		{"uniq -c, where names are numbers too", typed{claim, "   2700 200\n    300 404\n"}, 0, passed},
		{"name and count", typed{claim, "# from the log\n200 2700\n\n404\t300\n"}, 0, passed},
		{"name=count, with line breaks of Windows", typed{claim, "200=2700\r\n404 = 300\r\n"}, 0, passed},
		{"JSON", typed{claim, `{"200": 2700, "404": 300}`}, 0, passed},
		{"a file and arguments", typed{claim + "--file - 404=300", "2700 200\n"}, 0, passed},
		{"failed requests", typed{claim, "2700 200\n300 404\n3 errors\n"}, 0, []string{"errors      <= 0.5 %   0.1 %"}},
		{"names with spaces", typed{"verdict --expect connected=100% --leak 5%", "      4 connection refused\n   3900 connected\n"}, 0, []string{"not listed: connection refused 4"}},
		{"both may be the count", typed{claim, "2700 300\n"}, 2, []string{"standard input:1:1: which of them is the count? (write 300=2700 or 2700=300)", "1 | 2700 300"}},
		{"an empty answer", typed{claim, "2700 200\n     12\n300 404\n"}, 2, []string{"standard input:2:6: 12 of what? the name is missing (failed requests are counted as errors=12)"}},
		{"no count", typed{claim, "200\n"}, 2, []string{"standard input:1:1: the count is missing (for example 200=812)"}},
		{"unsorted", typed{claim, "2700 200\n300 404\n1 200\n"}, 2, []string{"standard input:3:1: 200 was counted already (standard input:1:1) (add them up; uniq -c wants its input sorted)"}},
		{"nothing", typed{claim + "--file -", "\n"}, 2, []string{"standard input: no counts in it"}},
		{"a list", typed{claim, "[2700, 300]"}, 2, []string{`standard input: want an object of counts (for example {"blue": 812, "green": 790})`}},
		{"an empty object", typed{claim, "{}"}, 2, []string{"standard input: no counts in it"}},
		{"no counts in JSON", typed{claim, `{"200": 2700.5, "404": {"a": 1}}`}, 2, []string{`standard input:1:9: 200: want a whole number of answers, got "2700.5"`, "standard input:1:24: 404: want a whole number of answers"}},
		{"a key twice", typed{claim, `{"200": 2700, "200": 300}`}, 2, []string{"standard input:1:15"}},
		{"broken JSON", typed{claim, `{"200": 2700`}, 2, []string{"standard input:1:"}},
	} {
		t.Run(tt.name, func(t *testing.T) { says(t, tt.in, tt.code, tt.want...) })
	}
}

// What is printed as JSON can be judged again, by another claim.
func TestVerdictReadsItsOwnJSON(t *testing.T) {
	out := func(args string) []byte {
		text := transcript(typed{args: args})
		text = text[strings.Index(text, "{"):]
		return []byte(text[:strings.LastIndex(text, "}")+1])
	}
	printed := out("verdict --json --expect green=100%,blue=0% --leak 1% green=1402 blue=1 purple=4 errors=2")
	golden.Compare(t, "testdata/verdict/json.golden", steady(string(printed))+"\n")
	says(t, typed{"verdict --expect green=99%,blue=1% --tolerance 5pp --leak 2% --errors 1%", string(printed)}, 0,
		"green       99 % +- 5 pp", "1,402", "not listed: purple 4", "errors            <= 1 %    0.1 %")
	var j judgement
	if err := json.Unmarshal(printed, &j); err != nil || j.Result.Errors.Count != 2 || j.Unlisted["purple"] != 4 {
		t.Errorf("%v: %+v", err, j)
	}
	other := out("verdict --json --expect green=100% green=1402 purple=4")
	says(t, typed{"verdict --expect green=100%", string(other)}, 1, "4 of 1,406 answers are an outcome that no share names")
}

func TestVerdictReadsRecords(t *testing.T) {
	const sample = `{"gateway": "ingress1", "url": "", "result": {"state": "undecided", "n": 901, "reason": "", "alpha": 0.001, "beta": 0.01, "confidence": 0.99,
		"shares": [{"name": "green", "want": 1, "got": 1, "low": 0, "high": 1, "count": 900, "state": "undecided"}],
		"errors": {"tolerated": 0.005, "got": 0, "low": 0, "high": 1, "count": 1, "state": "undecided"}},
		"counts": {"outcomes": [900], "other": 0, "errors": 1}, "latency": {"count": 0, "minNanos": 0, "p50Nanos": 0, "p90Nanos": 0, "p99Nanos": 0, "maxNanos": 0}, "rate": 0, "durationNanos": 0}`
	whole := func(samples ...string) string {
		return `{"version": 1, "tool": "assay", "environment": "sandbox", "started": "2026-01-01T00:00:00Z", "ended": "2026-01-01T00:00:00Z", "alpha": 0.001, "beta": 0.01,
		"scenarios": [{"name": "canary", "steps": [{"index": 0, "action": "expect", "title": "only green", "state": "passed", "started": "2026-01-01T00:00:00Z", "durationNanos": 0, "samples": [` + strings.Join(samples, ",") + `]}]}]}`
	}
	file := filepath.Join(t.TempDir(), "record.json")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	claim := "verdict --expect green=100% --errors 5% --file " + file
	write(whole(sample))
	says(t, typed{args: claim}, 0, "passed: 99.9 % green, 0.1 % errors, 901 requests")
	write(whole(sample, sample))
	says(t, typed{args: claim}, 2, "a record of 2 samples, want one of them", ".scenarios[0].steps[0].samples[1]  canary, only green, ingress1")
	write(sample)
	says(t, typed{args: strings.Replace(claim, "5%", "0.5%", 1)}, 3, "undecided")
	write(`{"version": 7, "scenarios": []}`)
	says(t, typed{args: claim}, 2, "a record of version 7; this program reads version 1")
	write(`{"result": {}}`)
	says(t, typed{args: claim}, 2, "no shares in it")
}
