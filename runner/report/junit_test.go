package report

import (
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"github.com/meshassay/assay/runner/record"
)

func TestJUnit(t *testing.T) {
	r := &record.Record{Environment: "sandbox", Started: time.Unix(0, 0), Ended: time.Unix(90, 0), Scenarios: []record.Scenario{
		{Name: "canary", PutBackError: "mgmt: trafficpolicy p: it is still there\nand more", Steps: []record.Step{
			{Title: "reached", State: record.Passed, Reached: true},
			{Title: "apply", State: record.Passed, Duration: 1500 * time.Millisecond},
			{Title: "40 % <blue>", State: record.Failed, Error: "ingress1: failed & \x00 wrong\nmore"},
			{Title: "unclear", State: record.Undecided, Error: "not decided"},
			{Title: "lost", State: record.Errored, Error: "no answer"},
			{Title: "after it", State: record.Skipped, Error: "step 2 is failed"},
		}},
		{Name: "elsewhere", Skipped: "it is for moon"},
	}}
	var b strings.Builder
	if err := JUnit(&b, r); err != nil {
		t.Fatal(err)
	}
	var got junitSuites
	if err := xml.Unmarshal([]byte(b.String()), &got); err != nil {
		t.Fatalf("%v:\n%s", err, b.String())
	}
	if c := got.junitCounts; c.Tests != 7 || c.Failures != 2 || c.Errors != 2 || c.Skipped != 2 || c.Time != "90.000" {
		t.Errorf("counts %+v", c)
	}
	want := []string{
		"canary/2. apply: 1.500", `canary/3. 40 % <blue>: failed "ingress1: failed & � wrong"`, `canary/4. unclear: undecided "not decided"`,
		`canary/5. lost: errored "no answer"`, `canary/6. after it: skipped "step 2 is failed"`,
		`canary/put back what was changed: not put back "mgmt: trafficpolicy p: it is still there"`, `elsewhere/does not run here: skipped "it is for moon"`,
	}
	var cases []string
	for _, s := range got.Suites {
		for _, c := range s.Cases {
			line := c.Classname + "/" + c.Name + ": "
			switch {
			case c.Failure != nil:
				line += c.Failure.Type + ` "` + c.Failure.Message + `"`
			case c.Error != nil:
				line += c.Error.Type + ` "` + c.Error.Message + `"`
			case c.Skipped != nil:
				line += `skipped "` + c.Skipped.Message + `"`
			default:
				line += c.Time
			}
			cases = append(cases, line)
		}
	}
	if g, w := strings.Join(cases, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
	if !strings.Contains(got.Suites[0].Cases[1].Failure.Text, "40 % <blue>") {
		t.Error("the text of a failure is not there")
	}
}
