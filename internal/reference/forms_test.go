package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/meshassay/assay/runner"
	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/scenario"
)

// quoted is a text as YAML has it between quotes.
func quoted(text string) string {
	q, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(q)
}

// expression compiles a pattern once.
func expression(pattern string) *regexp.Regexp {
	if e, ok := expressions.Load(pattern); ok {
		return e.(*regexp.Regexp)
	}
	e := regexp.MustCompile(pattern)
	expressions.Store(pattern, e)
	return e
}

var expressions sync.Map // pattern -> *regexp.Regexp

// fits says whether the schema takes a text.
func (f *form) fits(text string) bool {
	return (f.longest == 0 || utf8.RuneCountInString(text) <= f.longest) && expression(f.pattern).MatchString(text)
}

// said are places of files where a text of each form stands: a scenario's or an
// environment's, %s being the text in quotes, and the path of a mistake with it.
var said = map[string]struct {
	file, path string
	lax        bool // the parser looks closer than a pattern can
}{
	"name":    {file: scenarioWith + "name: %s\nsteps: [{wait: {}}]\n", path: "name"},
	"label":   {file: scenarioWith + "name: a\nlabels: [%s]\nsteps: [{wait: {}}]\n", path: "labels[0]"},
	"chapter": {file: scenarioWith + "name: a\nchapter: %s\nsteps: [{wait: {}}]\n", path: "chapter"},
	"line":    {file: scenarioWith + "name: a\ntitle: %s\nsteps: [{wait: {}}]\n", path: "title", lax: true},
	"words":   {file: scenarioWith + "name: a\nsteps: [{name: %s, wait: {}}]\n", path: "steps[0].name", lax: true},
	"service": {file: environmentWith + "gateways: {g: {cluster: c, service: %s, port: 80}}\n", path: "gateways.g.service"},
	"port":    {file: environmentWith + "gateways: {g: {cluster: c, service: a/b, port: %s}}\n", path: "gateways.g.port", lax: true},
	"address": {file: environmentWith + "gateways: {g: {url: %s}}\n", path: "gateways.g.url", lax: true},
	"proxy":   {file: environmentWith + "clients: {b: {proxy: %s}}\n", path: "clients.b.proxy", lax: true},
	"dotted":  {file: environmentWith + "answers: [{json: %s, is: a}]\n", path: "answers[0].json"},
	"header":  {file: environmentWith + "answers: [{header: %s, is: a}]\n", path: "answers[0].header"},
	"var":     {file: environmentWith + "vars: {%s: a}\n", path: "vars.*"},
	"resource": {file: scenarioWith + "name: a\nsteps: [{wait: {cluster: mgmt, object: a, until: object.a, resource: %s}}]\n",
		path: "steps[0].wait.resource"},
	"path": {file: scenarioWith + "name: a\nsteps: [{expect: {shares: {blue: 100%%}, request: {path: %s}}}]\n",
		path: "steps[0].expect.request", lax: true},
	"touch": {file: scenarioWith + "name: a\nsteps: [{run: {command: ls, touches: [%s]}}]\n", path: "steps[0].run.touches[0]", lax: true},
	"method": {file: scenarioWith + "name: a\nsteps: [{expect: {shares: {blue: 100%%}, request: {method: %s}}}]\n",
		path: "steps[0].expect.request", lax: true},
	"url": {file: scenarioWith + "name: a\nsteps: [{call: {answer: {status: 200}, request: {url: %s}}}]\n",
		path: "steps[0].call.request", lax: true},
	"file": {file: scenarioWith + "name: a\nsteps: [{apply: {cluster: mgmt, files: [%s]}}]\n",
		path: "steps[0].apply.files[0]", lax: true},
}

const (
	scenarioWith    = "apiVersion: assay/v1\nkind: Scenario\n"
	environmentWith = "apiVersion: assay/v1\nkind: Environment\nname: e\nclusters: {c: {context: c}}\n"
)

// reading is what files are read and planned by.
type reading struct{ *runner.Engine }

// takes says whether the parser takes a text of a form; ok is false when it has
// something against the file as such, so that nothing can be said.
func (p reading) takes(name, text string) (takes, ok bool) {
	place := said[name]
	source := fmt.Sprintf(place.file, quoted(text))
	var ms document.Mistakes
	if strings.HasPrefix(place.file, environmentWith) {
		_, ms = environment.Parse("e.yaml", []byte(source), func(string) (string, bool) { return "", false })
	} else {
		var s *scenario.Scenario
		s, ms = scenario.Parse(root+"/runner/testdata/plan/a.yaml", []byte(source))
		if strings.HasPrefix(place.path, "steps[0].") && place.path != "steps[0].name" && len(ms) == 0 {
			_, err := p.Plan([]*scenario.Scenario{s})
			ms, _ = err.(document.Mistakes)
		}
	}
	for _, m := range ms {
		switch prefix, whole := strings.CutSuffix(place.path, "*"); {
		case m.Path == "":
			return false, false
		case m.Path == place.path, strings.HasPrefix(m.Path, place.path+"."), whole && strings.HasPrefix(m.Path, strings.TrimSuffix(prefix, ".")):
			return false, true
		}
	}
	return true, true
}

// agree holds a form against the parser.
func (p reading) agree(t *testing.T, name, text string) {
	t.Helper()
	takes, ok := p.takes(name, text)
	if !ok {
		return
	}
	fits := forms[name].fits(text)
	if takes && !fits {
		t.Errorf("%s: the parser takes %q, the schema does not", name, text)
	}
	if fits && !takes && !said[name].lax {
		t.Errorf("%s: the schema takes %q, the parser does not", name, text)
	}
}

var someTexts = []string{
	"", " ", "a", "A", "a-b", "-a", "a-", "a.b", ".a", "a.", "a..b", "a_b", "a b", "a/b", "/a", "a/", "a/b/c", "a/1b", "1/b", "http2", "80", "0", "99999",
	"a#b", "#b", "a#", "a#b#c", "line\nline", "\n", "é", "1", "_a", "A1", "a:b", "/api", "/api?x=1", "/a b", "GET", "GE T", "X-A", "*", "**",
	"http://a", "http://a/", "http://a/b", "http://a?b", "http://a#b", "http://", "https://a:1", "ftp://a", "socks5://a:1", "http://u@a", "${A}", "http://${A}",
	"deployments.apps", "Pods", "pods", "trafficpolicies.networking.mesh.gloo.solo.io", "../manifests/two.yaml", "/etc/hosts", "mgmt/services/a/b", "mgmt/namespaces/a", "mgmt/services/a/b*", "mgmt/Services/a",
	strings.Repeat("a", 63), strings.Repeat("a", 64),
}

func TestFormsAreTheParsers(t *testing.T) {
	p := reading{planner(t)}
	taken := map[string]bool{}
	for name := range forms {
		if _, ok := said[name]; !ok {
			t.Errorf("the form %s is held against nothing: add a place where it stands", name)
			continue
		}
		for _, text := range append(someTexts, forms[name].examples...) {
			p.agree(t, name, text)
			if takes, ok := p.takes(name, text); ok {
				taken[fmt.Sprint(name, takes)] = true
			}
		}
		if !taken[name+"true"] || !taken[name+"false"] {
			t.Errorf("%s: the parser takes some texts: %v; refuses some: %v", name, taken[name+"true"], taken[name+"false"])
		}
		for _, e := range forms[name].examples {
			if !forms[name].fits(e) {
				t.Errorf("%s: its own example %s does not fit", name, e)
			}
		}
	}
}

func FuzzForms(f *testing.F) {
	for _, text := range someTexts {
		f.Add(text)
	}
	p := reading{planner(f)}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) || len(text) > 200 {
			return
		}
		for name := range forms {
			p.agree(t, name, text)
		}
	})
}

// decoded reads a quantity as files are read.
func decoded(unit, text string) (value float64, takes bool) {
	v, ms := document.Parse("a.yaml", []byte("q: "+quoted(text)))
	if len(ms) > 0 {
		return 0, false
	}
	switch v = v.Get("q"); unit {
	case "Percent":
		var q document.Percent
		ms = v.Decode(&q)
		return float64(q), len(ms) == 0
	case "Points":
		var q document.Points
		ms = v.Decode(&q)
		return float64(q), len(ms) == 0
	case "Rate":
		var q document.Rate
		ms = v.Decode(&q)
		return float64(q), len(ms) == 0
	case "Duration":
		var q document.Duration
		ms = v.Decode(&q)
		return float64(time.Duration(q)), len(ms) == 0
	}
	panic(unit)
}

// many is a number that may be out of a duration's range.
var many = regexp.MustCompile(`[0-9]{7}`)

// agreeOnUnit holds the form of a quantity against its decoder. Texts of more
// than 18 characters are left out: they may have more digits than a number holds.
func agreeOnUnit(t *testing.T, unit, text string) {
	t.Helper()
	if len(text) > 18 || strings.HasPrefix(text, "-") && unit == "Duration" { // -0s is 0, and nobody means it
		return
	}
	u := units[unit]
	value, takes := decoded(unit, text)
	fits := expression(u.pattern).MatchString(text)
	if takes && !fits {
		t.Errorf("%s: the decoder takes %q, the schema does not", unit, text)
	}
	if fits && !takes && !(unit == "Duration" && many.MatchString(text)) {
		t.Errorf("%s: the schema takes %q, the decoder does not", unit, text)
	}
	if u.positive == "" || !takes {
		return
	}
	above := expression(u.positive).MatchString(text)
	if value > 0 && !above {
		t.Errorf("%s: %q is above 0, and the schema refuses it", unit, text)
	}
	if value == 0 && above && !strings.Contains(text, ".") { // 0.1ns is none
		t.Errorf("%s: %q is 0, and the schema takes it", unit, text)
	}
}

var someQuantities = []string{
	"", "0", "40", "0%", "40%", "40 %", "40.5%", ".5%", "5.%", "100%", "100.0%", "100.1%", "0100%", "101%", "-1%", "4e1%", " 40%", "40%%",
	"0pp", "3pp", "3 pp", "0.5pp", ".5pp", "0.0pp", "100pp", "100.5pp", "3%", "3p", "00.5pp", "010pp",
	"0/s", "200/s", "200 /s", "0.5/s", ".05/s", "0.0/s", "1/m", "200/ s",
	"0s", "30s", "1m30s", "250ms", "1.5h", "1.s", ".5s", "0h0m0s", "0h1m", "+5s", "-5s", "1d", "30", "30 s", "5us", "5µs", "5μs", "1ns", "s", "0m0.0s", "0m0.5s",
}

func TestUnitsAreTheDecoders(t *testing.T) {
	for unit := range units {
		fits := 0
		for _, text := range someQuantities {
			agreeOnUnit(t, unit, text)
			if _, takes := decoded(unit, text); takes {
				fits++
			}
		}
		if fits < 4 {
			t.Errorf("%s: only %d of the texts are quantities of it", unit, fits)
		}
	}
}

func FuzzUnits(f *testing.F) {
	for _, text := range someQuantities {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		for unit := range units {
			agreeOnUnit(t, unit, text)
		}
	})
}
