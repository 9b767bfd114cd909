//go:build unix

package runner

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/scenario"
)

// running begins a run of steps in a folder, without any cluster.
func running(t *testing.T, folder, steps string) *Run {
	t.Helper()
	env, err := environment.Load("sandbox", "testdata/environments", os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	env.Kubeconfig = "/the/kubeconfig"
	e, err := New(Options{Environment: env, Root: folder, Out: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	s, ms := scenario.Parse(filepath.Join(folder, "s.yaml"), []byte("apiVersion: assay/v1\nkind: Scenario\nname: s\nsteps:\n"+steps))
	if len(ms) > 0 {
		t.Fatal(ms)
	}
	plan, err := e.Plan([]*scenario.Scenario{s})
	if err != nil {
		t.Fatal(err)
	}
	plan.clusters = nil // a program that touches nothing needs none
	r, err := e.Start(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRunJudgesExitAndOutput(t *testing.T) {
	tests := []struct {
		step, output, err string
	}{
		{`{command: "echo out; echo err >&2"}`, "out\nerr\n", ""},
		{`{command: "echo made; exit 3", exit: 3, output: {contains: made}}`, "made\n", ""},
		{`{command: "echo the reason; exit 3"}`, "the reason\n", "s.yaml:5:8: echo the reason; exit 3 ended with exit status 3, want 0: the reason"},
		{`{command: "true", exit: 1}`, "", "ended with exit status 0, want 1"},
		{`{command: "nothing-of-that-name"}`, "*", "a command that is not found"},
		{`{command: "false | true"}`, "", "exit status 1"},
		{`{command: "false; echo not reached"}`, "", "exit status 1"},
		{`{command: "echo $NOBODY_HAS_SET_IT"}`, "*", "unbound variable"},
		{`{command: "echo created", output: {contains: configured, lacks: create, like: "* x", matches: "^d"}}`, "created\n",
			`"configured" is not in the output; "create" is in the output; the output is not like "* x"; nothing in the output matches ^d: created`},
		{`{command: "echo service/a created", output: {like: "service/* created", matches: "(?i)A CREATED$"}}`, "", "nothing in the output matches"},
		{`{command: "kill -9 $$"}`, "", "ended by a signal"},
		{`{command: "printf '\\e[31mred\\e[0m\\e]0;title\\a 10%%\\r20%%\\n\\x07\\xff'"}`, "20%\n\uFFFD", ""},
		{`{command: "read x || echo no input"}`, "no input\n", ""},
	}
	for _, tt := range tests {
		got := step(t, running(t, t.TempDir(), "- run: "+tt.step+"\n"))
		if got.Ran == nil || tt.output != "*" && tt.output != "" && got.Ran.Output != tt.output {
			t.Errorf("%s: ran %+v, want output %q", tt.step, got.Ran, tt.output)
		}
		if tt.err == "" && got.State != record.Passed || tt.err != "" && (got.State == record.Passed || !strings.Contains(got.Error, tt.err)) {
			t.Errorf("%s: %s: %s, want %q", tt.step, got.State, got.Error, tt.err)
		}
	}
}

// A script finds the clusters, its home and the environment's vars; of the
// runner's own variables what programs need, and no credentials.
func TestRunsSurroundings(t *testing.T) {
	t.Setenv("ASSAY_SECRET", "one")
	t.Setenv("CLOUD_TOKEN", "two")
	t.Setenv("HTTPS_PROXY", "http://proxy")
	folder := t.TempDir()
	got := step(t, running(t, folder, "- run: {command: env; pwd}\n"))
	for _, want := range []string{
		"KUBECONFIG=/the/kubeconfig\n", "MGMT=mgmt\n", "CLUSTER1=cluster1\n", "CLUSTER2=cluster2\n", "TUTORIAL_HOME=" + folder + "\n", "TEAM=mesh\n",
		"HTTPS_PROXY=http://proxy\n", "PATH=", "HOME=",
	} {
		if !strings.Contains(got.Ran.Output, want) {
			t.Errorf("%q is not in\n%s", want, got.Ran.Output)
		}
	}
	for _, no := range []string{"ASSAY_", "CLOUD_TOKEN"} {
		if strings.Contains(got.Ran.Output, no) {
			t.Errorf("%s is in\n%s", no, got.Ran.Output)
		}
	}
}

func TestRunsScriptsAndPages(t *testing.T) {
	folder, err := filepath.Abs("testdata/run")
	if err != nil {
		t.Fatal(err)
	}
	for steps, want := range map[string]string{
		"- run: {script: bin/green.sh}\n":             "green in mgmt, from " + folder + " for mesh\n",
		"- run: {chapter: page.md, section: Green}\n": "hello from mgmt\ndeeper\n",
	} {
		if got := step(t, running(t, folder, steps)); got.State != record.Passed || got.Ran.Output != want {
			t.Errorf("%s: %s %s: %+v, want %q", steps, got.State, got.Error, got.Ran, want)
		}
	}
}

// Where a page goes wrong is told in the page.
func TestAPageThatFails(t *testing.T) {
	folder := t.TempDir()
	page := "# A\n\n```sh\ntrue\n```\n\n```sh\n\necho why\nexit 4\n```\n\n```sh\ntrue\n```\n"
	if err := os.WriteFile(filepath.Join(folder, "p.md"), []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
	got := step(t, running(t, folder, "- run: {chapter: p.md, section: A}\n"))
	if want := "p.md:8:1: p.md#a ended with exit status 4, want 0: why"; got.State != record.Failed || !strings.Contains(got.Error, want) {
		t.Errorf("%s: %s, want %s", got.State, got.Error, want)
	}
}

// A page of which a part was never run does not pass.
func TestAPageThatEndsTooSoon(t *testing.T) {
	folder := t.TempDir()
	for first, want := range map[string]string{
		"exit":                 "p.md:7:1: this block was not run",
		"exec true":            "p.md:7:1: this block was not run",
		"cat <<END":            "p.md:7:1: this block was not run",
		"cat <<END\ntext\nEND": "",
		"(exit)":               "",
	} {
		page := "# A\n\n```sh\n" + first + "\n```\n```sh\necho more\n```\n"
		if err := os.WriteFile(filepath.Join(folder, "p.md"), []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		got := step(t, running(t, folder, "- run: {chapter: p.md, section: A}\n"))
		if want == "" && got.State != record.Passed || want != "" && (got.State != record.Failed || !strings.Contains(got.Error, want)) {
			t.Errorf("%s: %s: %s, want %q", first, got.State, got.Error, want)
		}
	}
}

// alive says whether a process, of which the number is in a file, has not ended.
func alive(t *testing.T, file string) bool {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && strings.Contains(string(stat), ") Z ") {
		return false // nobody has asked yet how it ended
	}
	return syscall.Kill(pid, 0) == nil
}

// What a program has started ends with it: when its time is over, when the run
// is stopped, and when it ends by itself. A program that will not end is made to.
func TestRunEndsTheWholeGroup(t *testing.T) {
	for name, tt := range map[string]struct {
		command, timeout string
		state            record.State
		err              string
	}{
		"time":     {"sleep 300 & echo $! >child; echo begun; wait", "300ms", record.Failed, "did not end within 300ms, and was ended"},
		"stubborn": {"trap '' TERM; sleep 300 & echo $! >child; while true; do wait || true; done", "300ms", record.Failed, "did not end within 300ms"},
		"left":     {"sleep 300 & echo $! >child", "1m", record.Passed, ""},
		"stopped":  {"sleep 300 & echo $! >child; wait", "1m", record.Errored, "stopped"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			r := running(t, folder, fmt.Sprintf("- run: {command: %q, timeout: %s}\n", tt.command, tt.timeout))
			child := filepath.Join(folder, "child")
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			if name == "stopped" {
				go func() {
					for ctx.Err() == nil {
						if text, _ := os.ReadFile(child); len(text) > 0 {
							stop()
						}
						time.Sleep(10 * time.Millisecond)
					}
				}()
			}
			got := r.Step(ctx, r.plan.Scenarios[0].Steps[0])
			if got.State != tt.state || !strings.Contains(got.Error, tt.err) {
				t.Errorf("%s: %s, want %s: %s", got.State, got.Error, tt.state, tt.err)
			}
			for until := time.Now().Add(20 * time.Second); alive(t, child); time.Sleep(10 * time.Millisecond) {
				if time.Now().After(until) {
					t.Fatal("what it started goes on")
				}
			}
		})
	}
}

// Whoever ends at once leaves nothing behind that goes on, however stubborn it is.
func TestAbandonEndsTheWholeGroup(t *testing.T) {
	folder := t.TempDir()
	r := running(t, folder, `- run: {command: "trap '' TERM; sleep 300 & echo $! >child; while true; do wait || true; done", timeout: 5m}`+"\n")
	r.Abandon() // nothing is run yet
	child := filepath.Join(folder, "child")
	over := make(chan record.Step, 1)
	go func() { over <- r.Step(t.Context(), r.plan.Scenarios[0].Steps[0]) }()
	for text := ""; !strings.HasSuffix(text, "\n"); time.Sleep(10 * time.Millisecond) {
		b, _ := os.ReadFile(child)
		text = string(b)
	}
	r.Abandon()
	if got := <-over; got.State != record.Errored || !strings.Contains(got.Error, "ended by a signal") {
		t.Errorf("%s: %s", got.State, got.Error)
	}
	for until := time.Now().Add(20 * time.Second); alive(t, child); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("what it started goes on")
		}
	}
	r.Abandon() // nothing is run any more
}

// A long output is kept at its beginning and its end, and told from the rest.
func TestLongOutput(t *testing.T) {
	got := step(t, running(t, t.TempDir(), "- run: {command: \"echo first; { yes || true; } | head -c 3000000; echo last\", output: {matches: \"^first(?s:.*)last\\n$\"}}\n"))
	if got.State != record.Passed || len(got.Ran.Output) > recordedOutput+200 || got.Ran.Cut < 2_900_000 {
		t.Fatalf("%s: %s, %d bytes kept, %d left out", got.State, got.Error, len(got.Ran.Output), got.Ran.Cut)
	}
	if o := got.Ran.Output; !strings.HasPrefix(o, "first\n") || !strings.HasSuffix(o, "last\n") || !strings.Contains(o, "bytes are left out here") {
		t.Errorf("output %q … %q", o[:50], o[len(o)-50:])
	}
}

func TestNoRunSkips(t *testing.T) {
	e := engineIn(t, "sandbox")
	e.options.NoRun = true
	child, ms := scenario.Parse("child.yaml", []byte("apiVersion: assay/v1\nkind: Scenario\nname: child\nneeds: runs\nsteps: [{expect: {shares: {blue: 100%}}}]\n"))
	if len(ms) > 0 {
		t.Fatal(ms)
	}
	plan, err := e.Plan([]*scenario.Scenario{parsed(t, "testdata/run/runs.yaml"), child})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"testdata/run/runs.yaml:5:3: it runs a program of its own, and that is switched off (--no-run)",
		"it needs runs, which is skipped: ",
	} {
		if got := plan.Scenarios[i].Skip; !strings.HasPrefix(got, want) {
			t.Errorf("skip %q, want %q", got, want)
		}
	}
}

// Variables for scripts must not overwrite each other, nor what programs need.
func TestVariablesThatCollide(t *testing.T) {
	env, ms := environment.Parse("e.yaml", []byte(`apiVersion: assay/v1
kind: Environment
name: e
clusters: {a-b: {context: one}, path: {context: two}, mgmt: {context: three}}
gateways: {g: {url: "http://127.0.0.1:1"}}
destinations: {blue: {cluster: a-b, service: a/b}}
answers: [{json: color, is: {blue: blue}}]
vars: {MGMT: other, A_B: one, KUBECONFIG: "/elsewhere"}
`), os.LookupEnv)
	if len(ms) > 0 {
		t.Fatal(ms)
	}
	e, err := New(Options{Environment: env})
	if err != nil {
		t.Fatal(err)
	}
	s, _ := scenario.Parse("s.yaml", []byte("apiVersion: assay/v1\nkind: Scenario\nname: s\nsteps: [{run: {command: ls}}]\n"))
	_, err = e.Plan([]*scenario.Scenario{s})
	for _, want := range []string{
		"e.yaml:4:33: clusters.path: the context of path would be PATH for scripts",
		`e.yaml:8:8: vars.MGMT: for scripts MGMT is the context of cluster mgmt, which is "three", and not "other"`,
		"e.yaml:8:31: vars.KUBECONFIG: a script must speak to the clusters that are tested",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got\n%v\nwant %s", err, want)
		}
	}
	if strings.Contains(fmt.Sprint(err), "A_B") {
		t.Errorf("the same value twice is no mistake: %v", err)
	}
}

// A script runs in another folder than the runner, where a relative name of the
// kubeconfig would be of another file, or of none.
func TestTheKubeconfigIsFoundFromAnywhere(t *testing.T) {
	here := t.TempDir()
	t.Chdir(here)
	for given, want := range map[string]string{
		"kc":               filepath.Join(here, "kc"),
		"a/kc::/somewhere": filepath.Join(here, "a/kc") + "::/somewhere",
		"/absolute/kc":     "/absolute/kc",
	} {
		t.Setenv("KUBECONFIG", given)
		if got := surroundings(&environment.Environment{}, "/"); !slices.Contains(got, "KUBECONFIG="+want) {
			t.Errorf("%s: got %q, want %s", given, got, want)
		}
	}
}
