package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/meshassay/assay/runner/record"
)

// The elements of a JUnit report, as CI servers read them: the schema of the
// Jenkins xUnit plugin (github.com/jenkinsci/xunit-plugin, junit-10.xsd).
type (
	junitSuites struct {
		XMLName xml.Name `xml:"testsuites"`
		Name    string   `xml:"name,attr"`
		junitCounts
		Suites []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name string `xml:"name,attr"`
		junitCounts
		Timestamp string      `xml:"timestamp,attr,omitempty"`
		Cases     []junitCase `xml:"testcase"`
	}
	junitCounts struct {
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"`
		Skipped  int    `xml:"skipped,attr"`
		Time     string `xml:"time,attr"`
		took     time.Duration
	}
	junitCase struct {
		Name      string        `xml:"name,attr"`
		Classname string        `xml:"classname,attr"`
		Time      string        `xml:"time,attr"`
		Failure   *junitProblem `xml:"failure,omitempty"`
		Error     *junitProblem `xml:"error,omitempty"`
		Skipped   *junitProblem `xml:"skipped,omitempty"`
		Output    string        `xml:"system-out,omitempty"`
	}
	junitProblem struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes the run for a CI server: a suite for each scenario, a case for
// each step. What failed or is undecided is a failure, what could not be judged
// or not be put back, or did not run at all, an error. Steps that only brought about a state are there
// when they went wrong.
func JUnit(w io.Writer, r *record.Record) error {
	all := junitSuites{Name: "assay, environment " + r.Environment}
	for _, s := range r.Scenarios {
		suite := junitScenario(s)
		all.add(suite.junitCounts)
		all.Suites = append(all.Suites, suite)
	}
	if len(r.Unfinished) > 0 {
		suite := junitSuite{Name: "the whole run"}
		for _, why := range r.Unfinished {
			suite.take(junitCase{Name: firstOf(why), Classname: suite.Name,
				Error: &junitProblem{Message: firstOf(why), Type: "not all was run", Text: why}}, 0)
		}
		suite.Time = junitTime(suite.took)
		all.add(suite.junitCounts)
		all.Suites = append(all.Suites, suite)
	}
	all.Time = junitTime(r.Ended.Sub(r.Started))
	data, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, xml.Header+string(data)+"\n")
	return err
}

func junitScenario(s record.Scenario) junitSuite {
	suite := junitSuite{Name: s.Name}
	if len(s.Steps) > 0 {
		suite.Timestamp = s.Steps[0].Started.UTC().Format("2006-01-02T15:04:05")
	}
	for i, st := range s.Steps {
		if st.Reached && st.State == record.Passed {
			continue
		}
		suite.take(junitStep(s.Name, i, st), st.Duration)
	}
	if s.Skipped != "" {
		suite.take(junitCase{Name: "does not run here", Classname: s.Name, Skipped: &junitProblem{Message: s.Skipped}}, 0)
	}
	if s.PutBackError != "" {
		suite.take(junitCase{Name: "put back what was changed", Classname: s.Name,
			Error: &junitProblem{Message: firstOf(s.PutBackError), Type: "not put back", Text: s.PutBackError}}, 0)
	}
	suite.Time = junitTime(suite.took)
	return suite
}

// junitStep is a step as a case. Its number keeps cases apart that have one name.
func junitStep(scenario string, i int, s record.Step) junitCase {
	c := junitCase{Name: fmt.Sprintf("%d. %s", i+1, stepTitle(s)), Classname: scenario}
	text := StepText(s)
	problem := &junitProblem{Message: firstOf(s.Error), Type: string(s.State), Text: text}
	switch known(s.State) {
	case record.Passed:
		if len(s.Samples) > 0 {
			c.Output = text
		}
	case record.Skipped:
		c.Skipped = &junitProblem{Message: s.Error}
	case record.Errored:
		c.Error = problem
	default:
		c.Failure = problem
	}
	return c
}

// take adds a case to a suite.
func (s *junitSuite) take(c junitCase, took time.Duration) {
	c.Time = junitTime(took)
	one := junitCounts{Tests: 1, took: took}
	switch {
	case c.Failure != nil:
		one.Failures = 1
	case c.Error != nil:
		one.Errors = 1
	case c.Skipped != nil:
		one.Skipped = 1
	}
	s.add(one)
	s.Cases = append(s.Cases, c)
}

func (c *junitCounts) add(o junitCounts) {
	c.Tests += o.Tests
	c.Failures += o.Failures
	c.Errors += o.Errors
	c.Skipped += o.Skipped
	c.took += o.took
}

// junitTime is a time in seconds.
func junitTime(d time.Duration) string { return fmt.Sprintf("%.3f", max(d, 0).Seconds()) }

// firstOf is the first line of a text.
func firstOf(text string) string {
	first, _, _ := strings.Cut(text, "\n")
	return first
}
