package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meshassay/assay/runner/record"
)

// here makes a project with the scenarios (name to what follows the name) the
// working directory, in an environment with one gateway and no cluster to
// connect to. Answers are blue but for those that other makes something else of.
func here(t *testing.T, scenarios map[string]string, other func(n int64) string) {
	t.Helper()
	var n atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		color := ""
		if other != nil {
			color = other(n.Add(1))
		}
		fmt.Fprintf(w, `{"color": %q}`, first(color, "blue"))
	}))
	t.Cleanup(server.Close)
	root := t.TempDir()
	files := map[string]string{".git/HEAD": "", "scenarios/environments/loopback.yaml": `apiVersion: assay/v1
kind: Environment
name: loopback
clusters: {mgmt: {context: none}}
gateways: {ingress: {url: "` + server.URL + `"}}
destinations: {blue: {cluster: mgmt, service: a/blue}, green: {cluster: mgmt, service: a/green}}
answers: [{json: color, is: {blue: blue, green: green}}]
`}
	for name, text := range scenarios {
		files["scenarios/"+name+".yaml"] = "apiVersion: assay/v1\nkind: Scenario\nname: " + name + "\n" + text
	}
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(root)
}

const (
	allBlue  = "steps:\n- name: all is blue\n  expect: {shares: {blue: 100%}}\n"
	allGreen = "steps:\n- name: all is green\n  expect: {shares: {green: 100%}}\n- name: it stays so\n  expect: {shares: {green: 100%}}\n"
	tooFew   = "steps:\n- name: a few\n  expect: {shares: {blue: 99%, green: 1%}, tolerance: 0.9pp, budget: {time: 30ms}}\n"
	forever  = "steps:\n- name: for ever\n  expect: {shares: {blue: 50%, green: 50%}, tolerance: 0.05pp, budget: {requests: 100000000, time: 1h}}\n"
	odd      = "steps:\n- expect: {shares: {brown: 100%}}\n"
)

func TestRun(t *testing.T) {
	all := map[string]string{
		"blue": "title: Blue answers\n" + allBlue, "also": "needs: blue\n" + allBlue,
		"fault-green": "labels: [fault]\n" + allGreen, "fault-few": "labels: [fault]\n" + tooFew, "fault-below": "needs: fault-green\n" + allBlue,
	}
	here(t, all, nil)
	tests := []struct {
		args string
		code int
		want []string
		not  []string
	}{
		{"", exitPassed, []string{
			"blue: Blue answers\n  passed: all is blue (", "    ingress: passed: 100 % blue, ", "\nalso\n  passed",
			"2 passed of 2 steps in 2 scenarios (loopback, ", "\nrecord: .assay/", "/report.html\n"}, []string{"fault", "did not pass"}},
		{"blue", exitPassed, []string{"1 passed of 1 step"}, nil},
		{"scenarios/also.yaml", exitPassed, []string{"2 passed of 2 steps"}, nil},
		{"fault-green", exitFailed, []string{
			"fault-green\n  scenarios/fault-green.yaml:6:3: failed: all is green (", "<- failed",
			"skipped: it stays so", "did not pass:\n  failed: fault-green: all is green\n    again: " + self() + " run fault-green --environment loopback\n",
			"1 failed, 1 skipped of 2 steps"}, nil},
		{"fault-below", exitFailed, []string{"fault-below\n  skipped: all is blue"}, nil},
		{"fault-few", exitUndecided, []string{"undecided: a few"}, []string{"did not pass:"}},
		{"fault-* --label fault", exitFailed, []string{"1 failed, 1 undecided, 2 skipped of 4 steps in 3 scenarios"}, nil},
		{"--label fault -q", exitFailed, []string{"fault-few\n  scenarios/fault-few.yaml:6:3: undecided"}, []string{"passed: all"}},
		{"blue -q", exitPassed, []string{"1 passed of 1 step"}, []string{"Blue answers", "passed: all is blue", "scenario in"}},
		{"--label nobody", exitBadInput, []string{"nothing was selected: no scenario has the label nobody"}, []string{"record:"}},
		{"bleu", exitBadInput, []string{"no scenario is called bleu (did you mean blue?)"}, nil},
		{"blue --scenarios nowhere", exitBadInput, []string{"no such file"}, nil},
		{"--seed x", exitMisused, []string{"invalid argument"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			words := append([]string{"run", "--environment", "loopback"}, strings.Fields(tt.args)...)
			var stdout, stderr bytes.Buffer
			if code := run(words, &stdout, &stderr); code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			said := stdout.String() + stderr.String()
			for _, want := range tt.want {
				if !strings.Contains(said, want) {
					t.Errorf("it does not say %q", want)
				}
			}
			for _, not := range tt.not {
				if strings.Contains(said, not) {
					t.Errorf("it says %q", not)
				}
			}
			if strings.Contains(said, "\x1b") {
				t.Error("it moves the cursor of what is no terminal")
			}
			if t.Failed() {
				t.Log(said)
			}
		})
	}
}

// A file with mistakes does not keep the others from running, and the run is
// not green.
func TestRunBesideMistakes(t *testing.T) {
	here(t, map[string]string{"blue": allBlue, "odd": odd}, nil)
	says(t, typed{args: "run --environment loopback"}, exitBadInput, "scenarios/odd.yaml:5:21: steps[0].expect.shares.brown: unknown outcome",
		"1 passed of 1 step", "did not run: 1 file with mistakes")
	says(t, typed{args: "run --environment loopback odd"}, exitBadInput, "unknown outcome", "nothing can run: 1 file with mistakes")
	says(t, typed{args: "report"}, 0, "1 passed of 1 step", "not all was run: scenarios/odd.yaml did not run: scenarios/odd.yaml:5:21")
	says(t, typed{args: "report --format junit"}, 0, `errors="1"`, "unknown outcome")
}

// What was run by its path may be where its name alone would not be found.
func TestRunAgainByPath(t *testing.T) {
	here(t, map[string]string{"green": allGreen}, nil)
	if err := os.Rename("scenarios", "my scenarios"); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	words := []string{"run", "--environment", "loopback", "my scenarios"}
	if code := run(words, &stdout, &stderr); code != exitFailed {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
	if want := "just this again: " + self() + " run 'my scenarios/green.yaml' --environment loopback\n"; !strings.Contains(stdout.String(), want) {
		t.Errorf("it does not say %q:\n%s", want, stdout.String())
	}
	stdout.Reset()
	if code := run([]string{"run", "my scenarios/green.yaml", "--environment", "loopback"}, &stdout, &stderr); code != exitFailed {
		t.Errorf("that again ends with %d: %s", code, stderr.String())
	}
}

func TestRunPrintsTheRecord(t *testing.T) {
	here(t, map[string]string{"blue": allBlue}, nil)
	var stdout, stderr bytes.Buffer
	if code := run([]string{"run", "--environment", "loopback", "--json", "--seed", "7", "--out", "out", "--junit", "out/junit.xml"}, &stdout, &stderr); code != exitPassed {
		t.Fatalf("exit code %d: %s", code, stderr.String())
	}
	var printed record.Record
	if err := json.Unmarshal(stdout.Bytes(), &printed); err != nil {
		t.Fatal(err)
	}
	on, err := record.Read("out/record.json")
	if err != nil || printed.Seed != 7 || on.Seed != 7 || printed.Scenarios[0].Steps[0].State != record.Passed {
		t.Errorf("%v; printed %+v", err, printed)
	}
	for _, file := range []string{"report.txt", "report.html", "summary.md", "junit.xml"} {
		if info, err := os.Stat(filepath.Join("out", file)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", file, err)
		}
	}
	if !strings.Contains(stderr.String(), "1 passed of 1 step") {
		t.Errorf("standard error says\n%s", stderr.String())
	}
}

// Ctrl-C while answers come in: the run ends, with a record of what there was.
func TestRunIsInterrupted(t *testing.T) {
	var once sync.Once
	here(t, map[string]string{"blue": allBlue, "last": "needs: blue\n" + forever, "never": "needs: last\n" + allBlue}, func(n int64) string {
		if n > 2000 {
			once.Do(func() {
				me, err := os.FindProcess(os.Getpid())
				if err != nil {
					t.Error(err)
				} else if err := me.Signal(os.Interrupt); err != nil {
					t.Error(err)
				}
			})
		}
		return map[bool]string{true: "green"}[n > 1400 && n%2 == 0]
	})
	var stdout, stderr bytes.Buffer
	if code := run([]string{"run", "--environment", "loopback", "--out", "out"}, &stdout, &stderr); code != exitBadInput {
		t.Errorf("exit code %d, want %d", code, exitBadInput)
	}
	r, err := record.Read("out/record.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Scenarios) != 2 || r.Scenarios[1].Steps[0].State != record.Errored || r.Scenarios[1].Steps[0].Samples[0].Result.N == 0 {
		t.Errorf("the record holds %+v", r.Scenarios)
	}
	for _, want := range []string{"stopping and putting back", "interrupted: not everything was run", "1 passed, 1 errored of 2 steps", "report: out/report.html"} {
		if !strings.Contains(stdout.String()+stderr.String(), want) {
			t.Errorf("it does not say %q:\n%s%s", want, stdout.String(), stderr.String())
		}
	}
}

// On a terminal what ended stays, and below it stands what is under way.
func TestNarratorOnATerminal(t *testing.T) {
	here(t, map[string]string{"blue": allBlue, "green": "labels: [fault]\n" + allGreen}, nil)
	f := &runFlags{environment: "loopback", out: "out"}
	chosen, err := f.choose([]string{"*"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := chosen.Engine.Start(t.Context(), chosen.Plan)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	d := &display{w: &out, block: true, size: func() (int, int) { return 100, 40 }}
	n := newNarrator(d, nil, chosen.Plan)
	n.look = look{glyphs: plainGlyphs, colour: true}
	n.frame = newFrame(n.look)
	n.now = func() time.Time { return n.began.Add(3 * time.Second) }
	n.run = r
	n.begins("putting back")
	n.tick()
	rec, _, err := r.Whole(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	n.stops()
	n.ends(rec, "record: somewhere\n")
	got := out.String()
	at := 0
	for _, want := range []string{
		"0 of 3 steps, 3.0 s; Ctrl-C stops", "\x1b[1mblue\x1b[0m\x1b[K\n",
		"  \x1b[32mpassed\x1b[0m: all is blue", "1 of 3 steps, 3.0 s",
		"scenarios/green.yaml:6:3: \x1b[31mfailed\x1b[0m: all is green", "2 of 3 steps, 1 not passed",
		"\x1b[2mskipped\x1b[0m: it stays so", "Ctrl-C again: at once", "\x1b[J", "did not pass:", "\x1b[31m1 passed, 1 failed, 1 skipped", "record: somewhere",
	} {
		i := strings.Index(got[at:], want)
		if i < 0 {
			t.Fatalf("it does not say %q (in this order):\n%s", want, strings.ReplaceAll(got, "\x1b", "ESC"))
		}
		at += i
	}
}
