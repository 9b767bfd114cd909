package runner

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/environment"
)

// passedOn are the variables of the runner's own environment that scripts get:
// what programs need to work at all. Nothing else comes through: a script does
// the same on every machine, whatever is set there, and what it prints is kept
// in a record, which credentials of a CI must not reach. What a script needs
// beside it is a var of the environment, which can take it on purpose
// (vars: {AWS_PROFILE: "${AWS_PROFILE}"}).
var passedOn = regexp.MustCompile(`^(PATH|HOME|USER|LOGNAME|SHELL|TERM|LANG|LC_[A-Z]+|TZ|TMPDIR|TMP|TEMP|XDG_[A-Z_]+|SSH_AUTH_SOCK|SSL_CERT_(FILE|DIR)|` +
	`(?i:https?_proxy|no_proxy|all_proxy)|(?i:SystemRoot|SystemDrive|ComSpec|PATHEXT|windir|USERPROFILE|HOMEDRIVE|HOMEPATH|APPDATA|LOCALAPPDATA|ProgramData|ProgramFiles))$`)

// tutorialHome is the root of the scenario's files, for scripts.
const tutorialHome = "TUTORIAL_HOME"

// surroundings are the variables that a script finds, each as NAME=VALUE.
func surroundings(env *environment.Environment, root string) []string {
	by := make(map[string]string)
	for _, entry := range os.Environ() {
		if name, value, _ := strings.Cut(entry, "="); passedOn.MatchString(name) {
			by[name] = value
		}
	}
	if value := first(env.Kubeconfig, os.Getenv("KUBECONFIG")); value != "" {
		by["KUBECONFIG"] = fromAnywhere(value)
	}
	by[tutorialHome] = root
	for name, value := range env.Vars {
		by[name] = value
	}
	for name, c := range env.Clusters {
		by[contextVariable(name)] = c.Context
	}
	var all []string
	for name, value := range by {
		all = append(all, name+"="+value)
	}
	slices.Sort(all)
	return all
}

// fromAnywhere is a list of files as it is written in other folders than this one.
func fromAnywhere(list string) string {
	files := filepath.SplitList(list)
	for i, file := range files {
		if file != "" {
			files[i] = absolute(file)
		}
	}
	return strings.Join(files, string(filepath.ListSeparator))
}

// contextVariable is the variable that holds a cluster's context: CLUSTER1.
func contextVariable(cluster string) string {
	return strings.ToUpper(strings.ReplaceAll(cluster, "-", "_"))
}

// variables refuses an environment whose clusters and vars would overwrite each
// other in what scripts are given, or what programs need.
func (p *planner) variables(v document.Value) {
	by := make(map[string]string)
	for _, name := range p.env.Order.Clusters {
		variable, at := contextVariable(name), p.env.Source.Get("clusters").Get(name)
		if other, ok := by[variable]; ok {
			p.add(at.KeyMistake("the contexts of %s and %s would both be %s for scripts", other, name, variable))
		}
		if passedOn.MatchString(variable) || variable == "KUBECONFIG" || variable == tutorialHome {
			p.add(at.KeyMistake("the context of %s would be %s for scripts, which means something else to programs", name, variable))
		}
		if value, ok := p.env.Vars[variable]; ok && value != p.env.Clusters[name].Context {
			p.add(p.env.Source.Get("vars").Get(variable).KeyMistake("for scripts %s is the context of cluster %s, which is %q, and not %q",
				variable, name, p.env.Clusters[name].Context, value))
		}
		by[variable] = name
	}
	if _, ok := p.env.Vars["KUBECONFIG"]; ok && v.Exists() {
		p.add(p.env.Source.Get("vars").Get("KUBECONFIG").KeyMistake("a script must speak to the clusters that are tested: KUBECONFIG cannot be a var"))
	}
}

// home is the root of the present scenario's files as an absolute path.
func (p *planner) home() string {
	root, err := filepath.Abs(p.root())
	if err != nil {
		return p.root()
	}
	return root
}
