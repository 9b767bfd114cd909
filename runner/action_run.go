package runner

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/kube"
	"github.com/meshassay/assay/runner/record"
)

// runFields runs a script, a command or the commands of a page, as a reader of
// a tutorial does.
//
// It finds `KUBECONFIG`, the context of each cluster in a variable of its name in
// capitals (`MGMT`, `CLUSTER1`), `TUTORIAL_HOME` (the root of the scenario's files)
// and the vars of the environment; of the runner's own variables only those
// without which programs do not work, such as `PATH`, `HOME` and proxies: no
// credentials. Standard input is empty. What it prints is kept in the record
// and shown when the step does not pass. When it ends, or the time is over, or
// the run is stopped, everything that it has started is ended with it.
//
// A script can change anything. What it is said to touch is put back after the
// scenario as everything else is; the rest is found by the comparison at the
// end of the run, and fails it. The flag `--no-run` skips scenarios with such a
// step.
type runFields struct {
	// Script is a file, from the scenario's folder, where it is run too. It is
	// executed when it may be and begins with `#!`, and is otherwise read by bash.
	Script string `yaml:"script" schema:"file"`
	// Args are the script's arguments. `${NAME}` in one is a var of the environment.
	Args []string `yaml:"args" schema:"with=script"`
	// Command is a text that bash runs in the scenario's folder (`bash -euo pipefail`).
	Command string `yaml:"command" schema:"words,or=script"`
	// Chapter is a page in Markdown, from the scenario's folder, of which the
	// commands of one section are run: all in one shell (`bash -euo pipefail`), in
	// `TUTORIAL_HOME`, in the order of the page.
	Chapter string `yaml:"chapter" schema:"file,or=script,with=section"`
	// Section is the heading of that section, as its text or its anchor. The
	// sections below it belong to it.
	Section string `yaml:"section" schema:"line,with=chapter"`
	// Exit is the exit status wanted. Default: 0.
	Exit int `yaml:"exit" schema:"min=0,max=255"`
	// Output is what must be printed, standard output and standard error
	// together; all that it says must hold.
	Output outputFields `yaml:"output" schema:"nonempty"`
	// Touches are the objects that it creates, changes or deletes, each as
	// `CLUSTER/RESOURCE/NAMESPACE/NAME`, or `CLUSTER/RESOURCE/NAME` for a kind that
	// lives in no namespace; RESOURCE as kubectl takes it.
	Touches []string `yaml:"touches" schema:"touch,unique"`
	// Ready is whether to wait until each object touched, of a kind with a rule,
	// is ready. Default: true.
	Ready *bool `yaml:"ready"`
	// Timeout is how long the script may take. Default: 2m.
	Timeout *document.Duration `yaml:"timeout" schema:"positive"`
}

// outputFields is what a program must print.
type outputFields struct {
	// Contains is a part of it.
	Contains string `yaml:"contains" schema:"nonempty"`
	// Lacks is what must not be in it.
	Lacks string `yaml:"lacks" schema:"nonempty"`
	// Like is all of it, without space around it; `*` stands for any characters.
	Like string `yaml:"like"`
	// Matches is a regular expression (RE2) that must be found in it.
	Matches string `yaml:"matches" schema:"nonempty"`
}

const runTimeout = 2 * time.Minute

type runWork struct {
	what     string   // in words
	command  []string // program and arguments; the page's commands are made when it runs
	folder   string
	page     *pageCommands // nil when it is no page
	exit     int
	output   outputFields
	matches  *regexp.Regexp
	touches  []touch
	ready    bool
	timeout  time.Duration
	root     string
	position string // of the step's body
}

func planRun(p *planner, s *PlannedStep) work {
	var f runFields
	body := s.Step.Body
	p.add(body.Decode(&f)...)
	if body.Kind() != document.Mapping {
		return nil
	}
	w := &runWork{
		exit: f.Exit, output: f.Output, ready: f.Ready == nil || *f.Ready, timeout: runTimeout,
		root: p.home(), position: body.Pos().String(),
	}
	p.variables(body)
	p.time(body.Get("timeout"), &w.timeout)
	if v := body.Get("exit"); f.Exit < 0 || f.Exit > 255 {
		p.add(v.Mistake("want an exit status from 0 to 255, got %d", f.Exit))
	}
	p.program(body, f, w)
	p.wantedOutput(body.Get("output"), f.Output, w)
	for i, text := range f.Touches {
		p.touches(body.Get("touches").Index(i), text, w)
	}
	// A script can change any cluster, so all of them are compared afterwards.
	for _, name := range p.env.Order.Clusters {
		p.used[name] = true
	}
	s.Title = titleOr(s, "run %s", w.what)
	return w
}

// program checks what is to be run: exactly one of three.
func (p *planner) program(body document.Value, f runFields, w *runWork) {
	var given []string
	for _, key := range []string{"script", "command", "chapter"} {
		if body.Get(key).Exists() {
			given = append(given, key)
		}
	}
	for _, of := range [][2]string{{"section", "chapter"}, {"args", "script"}} {
		if v := body.Get(of[0]); v.Exists() && !body.Get(of[1]).Exists() {
			p.add(v.KeyMistake("%s is of no use without %s", of[0], of[1]))
		}
	}
	if len(given) != 1 {
		const text = "want exactly one of script, command and chapter"
		if len(given) == 0 {
			p.add(body.KeyMistake("nothing to run: %s", text))
		} else {
			p.add(body.Get(given[1]).KeyMistake("%s, not %s", text, document.And(given)))
		}
		return
	}
	dir, err := filepath.Abs(p.step.Scenario.Scenario.Dir)
	if err != nil {
		p.add(body.KeyMistake("%v", err))
	}
	w.folder = dir
	switch given[0] {
	case "script":
		w.what = f.Script
		p.script(body, f, w)
	case "command":
		w.what = firstLine(f.Command)
		if v := body.Get("command"); v.Kind() == document.Scalar && strings.TrimSpace(f.Command) == "" {
			p.add(v.Mistake("is empty"))
		}
		w.command = shellOf(f.Command)
	case "chapter":
		w.what = f.Chapter
		p.page(body, f, w)
	}
}

// shellOf is how a text of commands is run: what fails, in a pipe too, and a
// variable that nobody has set, ends it.
func shellOf(text string) []string { return []string{"bash", "-euo", "pipefail", "-c", text} }

func firstLine(text string) string {
	line, rest, _ := strings.Cut(strings.TrimSpace(text), "\n")
	if strings.TrimSpace(rest) != "" {
		line += " …"
	}
	return line
}

func (p *planner) script(body document.Value, f runFields, w *runWork) {
	path := p.find(body.Get("script"), f.Script, false)
	if path == "" {
		return
	}
	file, err := filepath.Abs(path)
	if err == nil {
		w.command, err = interpreted(file)
	}
	if err != nil {
		p.add(body.Get("script").Mistake("%v", err))
	}
	args, _ := p.expandAll(body.Get("args"), anys(f.Args)).([]any)
	for _, arg := range args {
		text, _ := arg.(string)
		w.command = append(w.command, text)
		w.what += " " + text
	}
}

func anys(texts []string) []any {
	all := make([]any, len(texts))
	for i, t := range texts {
		all[i] = t
	}
	return all
}

// wantedOutput checks what must be printed.
func (p *planner) wantedOutput(v document.Value, f outputFields, w *runWork) {
	if v.Kind() == document.Mapping && v.Len() == 0 {
		p.add(v.Mistake("nothing is wanted of the output").WithHint("for example output: {contains: created}"))
	}
	for _, key := range []string{"contains", "lacks", "matches"} {
		if part := v.Get(key); part.Kind() == document.Scalar && part.Text() == "" {
			p.add(part.Mistake("is empty"))
		}
	}
	var err error
	if w.matches, err = regexp.Compile(f.Matches); err != nil {
		p.add(v.Get("matches").Mistake("no regular expression: %v", err))
	}
}

func (w *runWork) run(ctx context.Context, r *Run, s *PlannedStep, out *record.Step) error {
	for i := range w.touches {
		t := &w.touches[i]
		if err := r.clusters[t.cluster].Remember(ctx, &t.Touch); err != nil {
			var wrong *kube.Misplaced
			if err = fmt.Errorf("%s: %w", t, err); errors.As(err, &wrong) {
				return fail(err)
			}
			return err
		}
	}
	watch := r.watch(ctx, s, out)
	watch.sent()
	err := w.program(ctx, r, out)
	// Whatever it said, and when it was ended in its midst too, it may have
	// changed something, named or not.
	err = errors.Join(err, w.changed(ctx, r, s, out))
	r.somethingChanged()
	r.done(watch, err == nil)
	if err != nil {
		return err
	}
	if w.ready {
		err = w.becomeReady(ctx, r, out)
	}
	return err
}

// program runs it, and compares what came of it with what is wanted.
func (w *runWork) program(ctx context.Context, r *Run, out *record.Step) error {
	command, at, done, err := w.commandLine()
	if err != nil {
		return err
	}
	defer done()
	c := exec.Command(command[0], command[1:]...)
	c.Dir = w.folder
	c.Env = append(surroundings(r.env, w.root), at.variable()...)
	got, err := runProgram(ctx, c, w.timeout, func(output *tailed) {
		r.live("", func() string { return strings.TrimSuffix("running "+w.what+": "+output.last(), ": ") })
	}, func() { r.runs(c) })
	r.runs(nil)
	out.Ran = &record.Ran{Command: w.what, Exit: got.code}
	out.Ran.Output, out.Ran.Cut = recorded(got.output, got.cut)
	where := first(at.block(), w.position)
	switch {
	case errors.Is(err, errTime):
		return failf("%s: %s did not end within %s, and was ended", where, w.what, w.timeout)
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("%s: %w (it must be installed where Assay runs)", w.position, err)
	case err != nil:
		return fmt.Errorf("%s: %s: %w", where, w.what, err)
	}
	if err := w.judge(got, where); err != nil || got.code != 0 {
		return err
	}
	return at.leftOut()
}

// runs takes note of the program that is being run, nil for none.
func (r *Run) runs(c *exec.Cmd) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.program = c
}

// Abandon ends at once what a step is running, and all that it has started: the
// caller is about to end without waiting for the step. It may be called at any
// time.
func (r *Run) Abandon() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.program != nil {
		endAll(r.program, true)
	}
}

// judge compares the exit status and the output.
func (w *runWork) judge(got ran, where string) error {
	if got.code != w.exit {
		why := ""
		switch got.code {
		case 126:
			why = " (bash's word for what cannot be executed)"
		case 127:
			why = " (bash's word for a command that is not found)"
		}
		return failf("%s: %s ended with exit status %d%s, want %d%s", where, w.what, got.code, why, w.exit, lastWords(got.output))
	}
	var all []string
	text := got.output
	if part := w.output.Contains; !strings.Contains(text, part) {
		all = append(all, fmt.Sprintf("%q is not in the output", part))
	}
	if part := w.output.Lacks; part != "" && strings.Contains(text, part) {
		all = append(all, fmt.Sprintf("%q is in the output", part))
	}
	if w.output.Like != "" && !glob(strings.TrimSpace(w.output.Like), strings.TrimSpace(text)) {
		all = append(all, fmt.Sprintf("the output is not like %q", w.output.Like))
	}
	if w.matches != nil && !w.matches.MatchString(text) {
		all = append(all, fmt.Sprintf("nothing in the output matches %s", w.output.Matches))
	}
	if len(all) == 0 {
		return nil
	}
	if got.cut > 0 {
		all = append(all, fmt.Sprintf("%d bytes in the middle of the output were not looked at", got.cut))
	}
	return failf("%s: %s: %s%s", where, w.what, strings.Join(all, "; "), lastWords(text))
}

// lastWords is the last line that was printed, mostly the reason.
func lastWords(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return ": " + shortened(strings.TrimSpace(last))
	}
	return ""
}
