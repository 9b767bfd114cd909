package proofread

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/kube"
)

// takesValue are the flags of kubectl that take the next word; others that
// stand alone do no harm by being among them.
var takesValue = []string{"-n", "--namespace", "-l", "--selector", "-o", "--output", "--context", "--timeout", "--for", "-c", "--container",
	"--field-selector", "--sort-by", "-f", "--filename", "-k", "--kustomize", "-p", "--patch", "--type", "--kubeconfig", "--cluster", "--user"}

// asked is a command of kubectl, taken apart.
type asked struct {
	words     []word // without flags: the verb first
	files     []word
	folders   []word
	cluster   string
	namespace string
	dry       bool
}

func (r *reader) kubectl(args []word) {
	a := asked{cluster: r.cluster}
	for i := 0; i < len(args); i++ {
		w := args[i]
		if !strings.HasPrefix(w.text, "-") || w.text == "-" {
			a.words = append(a.words, w)
			continue
		}
		if w.text == "--" {
			break
		}
		if len(a.words) > 0 && a.words[0].text == "logs" && (w.text == "-f" || w.text == "-p") {
			continue // it follows, and takes no file
		}
		flag, value := flagOf(w)
		if value.text == "" && slices.Contains(takesValue, flag) && i+1 < len(args) {
			i++
			value = args[i]
		}
		switch flag {
		case "-f", "--filename":
			a.files = append(a.files, value)
		case "-k", "--kustomize":
			a.folders = append(a.folders, value)
		case "-n", "--namespace":
			a.namespace = value.text
		case "--context":
			a.cluster = r.context(value)
		case "--dry-run":
			a.dry = true
		}
	}
	if len(a.words) == 0 {
		return
	}
	switch verb := a.words[0].text; {
	case verb == "config" && len(a.words) > 2 && a.words[1].text == "use-context":
		r.cluster = r.context(a.words[2])
	case verb == "config" && len(a.words) > 2 && strings.HasSuffix(a.words[1].text, "-context"):
		r.makesContexts(a.words[2:])
	case verb == "kustomize" && len(a.words) > 1:
		r.exists(a.words[1], "folder")
		r.piped = append(r.piped, source{word: a.words[1], folder: true})
	case slices.Contains([]string{"get", "describe", "delete", "wait", "edit", "patch", "label", "annotate"}, verb) && len(a.files)+len(a.folders) == 0:
		r.shows(a, a.words[1:])
	case !slices.Contains(verbs, verb) && a.words[0].known:
		r.noVerb(a.words[0])
	}
	r.sources(a)
}

// verbs are the commands of kubectl.
var verbs = []string{"get", "describe", "create", "apply", "delete", "edit", "patch", "replace", "wait", "label", "annotate", "logs", "exec", "cp", "port-forward", "proxy", "attach",
	"run", "expose", "set", "scale", "autoscale", "rollout", "explain", "diff", "kustomize", "config", "cluster-info", "top", "cordon", "uncordon", "drain", "taint", "auth", "debug",
	"events", "certificate", "api-resources", "api-versions", "version", "completion", "plugin", "options", "alpha", "help"}

// noVerb reports what stands where a command of kubectl should, when it is
// certainly none: a kind. Anything else may be a plugin.
func (r *reader) noVerb(w word) {
	here := *r
	r.c.later = append(r.c.later, func() {
		kind, _ := here.c.kindOf(w.text)
		if !here.quiet && (kind != "" || strings.Contains(w.text, ".")) {
			here.c.add(Unknown, here.mistake(w, "kubectl has no command %s", w.text).WithHint("did you mean get "+w.text+"?"), document.Pos{})
		}
	})
}

// flagOf parts --flag=value and -fVALUE.
func flagOf(w word) (string, word) {
	flag, value, ok := strings.Cut(w.text, "=")
	if !ok && len(flag) > 2 && flag[0] == '-' && flag[1] != '-' && strings.ContainsRune("fkn", rune(flag[1])) {
		flag, value, ok = w.text[:2], w.text[2:], true
	}
	if !ok {
		return w.text, word{}
	}
	out := w
	out.text = value
	if strings.HasPrefix(value, "$") && !w.known {
		out.variable = strings.TrimPrefix(value, "$")
	}
	return flag, out
}

// context is the cluster that a context means: by a variable that scripts get
// for it, or by its name; "" when it is none, which is reported, or not known.
func (r *reader) context(w word) string {
	env := r.c.o.Environment
	variable := strings.Trim(w.variable, "{}")
	if numeric(variable) && r.clusters[variable] != "" {
		return r.clusters[variable]
	}
	for _, name := range env.Order.Clusters {
		if variable == contextVariable(name) {
			return name
		}
		if w.known && (w.text == env.Clusters[name].Context || w.text == name || r.c.aliases[w.text] == name) {
			return name
		}
	}
	if r.quiet {
		return ""
	}
	switch {
	case w.known && w.text != "":
		var known []string
		for _, name := range env.Order.Clusters {
			known = append(known, env.Clusters[name].Context)
		}
		m := r.mistake(w, "no cluster of the environment %s has the context %s", env.Name, w.text).WithHint(document.OneOf(w.text, known))
		r.c.later = append(r.c.later, func() {
			if r.c.aliases[w.text] == "" && !r.c.contexts[w.text] {
				r.c.add(Unknown, m, document.Pos{File: env.File})
			}
		})
	case variable != "" && !numeric(variable) && !isPlaceholder(variable):
		m := r.mistake(w, "$%s is no cluster of the environment %s, and nothing on the pages sets it", variable, env.Name)
		r.c.later = append(r.c.later, func() {
			if !r.c.set[variable] {
				var known []string
				for _, name := range env.Order.Clusters {
					known = append(known, contextVariable(name))
				}
				r.c.add(Unknown, m.WithHint(document.OneOf(variable, known)), document.Pos{File: env.File})
			}
		})
	}
	return ""
}

// named notes the context that a page gives to a cluster (CLUSTER1=gke): its
// author's, who has other names than the environment.
func (c *checker) named(variable, context string) {
	for _, name := range c.o.Environment.Order.Clusters {
		if variable == contextVariable(name) && context != "" {
			c.aliases[context] = name
		}
	}
}

// makesContexts notes the names that a command gives to contexts: nobody has
// misspelt them, and the environment need not have them.
func (r *reader) makesContexts(words []word) {
	for _, w := range words {
		_, value, _ := strings.Cut(w.text, "=")
		for _, name := range []string{w.text, value} {
			for _, prefix := range []string{"", "kind-", "k3d-"} {
				r.c.contexts[prefix+name] = true
			}
		}
	}
}

func numeric(text string) bool { return strings.Trim(text, "0123456789@*#") == "" }

// contextVariable is the variable in which a tutorial has a cluster's context.
func contextVariable(cluster string) string {
	return strings.ToUpper(strings.ReplaceAll(cluster, "-", "_"))
}

// sources reads the manifests that a command names.
func (r *reader) sources(a asked) {
	if r.quiet {
		return
	}
	applies := a.words[0].text == "apply" || a.words[0].text == "create" || a.words[0].text == "replace"
	for _, w := range a.files {
		if w.text == "-" {
			for _, s := range r.piped {
				r.source(s, a.cluster, applies)
			}
			continue
		}
		r.c.opaque = r.c.opaque || strings.Contains(w.text, "://")
		path := r.exists(w, "manifest")
		if path == "" {
			continue
		}
		for _, file := range manifestFiles(path) {
			r.manifest(file, w, a.cluster, applies)
		}
	}
	for _, w := range a.folders {
		r.source(source{word: w, folder: true}, a.cluster, applies)
	}
}

// source reads a manifest, or builds a folder's.
func (r *reader) source(s source, cluster string, applies bool) {
	if s.lines != nil {
		r.inline(s, cluster, applies)
		return
	}
	path := r.path(s.word)
	if s.folder {
		path = r.exists(s.word, "folder")
	}
	if _, err := os.Stat(path); err != nil || path == "" {
		return // it has its finding, or is not known
	}
	if !s.folder {
		r.manifest(path, s.word, cluster, applies)
		return
	}
	if !hasKustomization(path) {
		r.c.add(Missing, r.mistake(s.word, "there is no kustomization.yaml in %s", shownPath(path)), document.Pos{})
		return
	}
	found, err := kube.Kustomize(r.c.o.Root, path, s.text, r.c.expand)
	if err != nil {
		r.c.add(Unreadable, r.mistake(s.word, "%v", err), document.Pos{})
	}
	for i := range found {
		found[i] = r.c.before(path, found[i])
	}
	r.apply(found, s.word, 0, cluster, applies)
}

// before is a built manifest with the place in its folder from which it was
// built, where one of the files there has an object of its kind and name; the
// folder otherwise.
func (c *checker) before(folder string, built kube.Manifest) kube.Manifest {
	for _, file := range manifestFiles(folder) {
		found, _ := c.manifests(file)
		for _, m := range found {
			if m.Object.GetKind() == built.Object.GetKind() && m.Object.GetName() == built.Object.GetName() {
				m.Object, m.File = built.Object, shownPath(file)
				return m
			}
		}
	}
	built.File = shownPath(folder)
	return built
}

// hasKustomization says whether kubectl finds what it builds in a folder.
func hasKustomization(folder string) bool {
	return slices.ContainsFunc([]string{"kustomization.yaml", "kustomization.yml", "Kustomization"}, func(name string) bool {
		_, err := os.Stat(filepath.Join(folder, name))
		return err == nil
	})
}

// manifestFiles are the manifests in a folder, or the file itself.
func manifestFiles(path string) []string {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return []string{path}
	}
	var all []string
	for _, ending := range []string{"*.yaml", "*.yml", "*.json"} {
		found, _ := filepath.Glob(filepath.Join(path, ending))
		all = append(all, found...)
	}
	return all
}

func (r *reader) manifest(file string, w word, cluster string, applies bool) {
	found, problems := r.c.manifests(file)
	for _, p := range problems {
		m := document.Mistake{Pos: document.Pos{File: shownPath(p.File), Line: p.Line, Col: min(p.Line, 1)}, Text: p.Text}
		r.c.add(Unreadable, m, r.mistake(w, "").Pos)
	}
	for i := range found {
		found[i].File = shownPath(found[i].File)
	}
	r.apply(found, w, 0, cluster, applies)
}

func (r *reader) apply(found []kube.Manifest, w word, shift int, cluster string, applies bool) {
	m := r.mistake(w, "")
	for _, one := range found {
		r.c.know(one.Object)
		if applies {
			r.c.result.Manifests++
			r.c.result.Applied = append(r.c.result.Applied, Applied{Manifest: one, Cluster: cluster, At: m.Pos, Source: m.Source, shift: shift})
		}
	}
}
