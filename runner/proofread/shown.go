package proofread

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/meshassay/assay/runner/chapter"
	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/kube"
)

// builtin are the kinds of Kubernetes itself, with the short names that kubectl
// knows; known are those of Istio and the Gateway API. Of objects of built-in
// kinds no names are compared: most are installed by somebody else.
var (
	builtin = []string{"all", "pod", "po", "service", "svc", "deployment", "deploy", "replicaset", "rs", "statefulset", "sts", "daemonset", "ds", "job", "cronjob", "cj",
		"configmap", "cm", "secret", "namespace", "ns", "node", "no", "serviceaccount", "sa", "endpoints", "ep", "endpointslice", "event", "ev", "ingress", "ing",
		"ingressclass", "networkpolicy", "netpol", "role", "rolebinding", "clusterrole", "clusterrolebinding", "crd", "crds", "customresourcedefinition", "persistentvolume", "pv",
		"persistentvolumeclaim", "pvc", "storageclass", "sc", "horizontalpodautoscaler", "hpa", "poddisruptionbudget", "pdb", "lease", "apiservice", "componentstatus", "cs",
		"validatingwebhookconfiguration", "mutatingwebhookconfiguration", "resourcequota", "quota", "limitrange", "limits", "priorityclass", "pc", "controllerrevision"}
	shorts = map[string]string{"gw": "gateway", "vs": "virtualservice", "dr": "destinationrule", "se": "serviceentry", "we": "workloadentry", "wg": "workloadgroup",
		"pa": "peerauthentication", "ra": "requestauthentication", "ap": "authorizationpolicy", "gtw": "gateway", "gc": "gatewayclass", "httproutes": "httproute"}
)

// kindOf is a resource as kubectl takes it as the kind that it means, in small
// letters, and whether it is one of Kubernetes itself; "" when no manifest has
// such a kind.
func (c *checker) kindOf(resource string) (kind string, ours bool) {
	name, group, _ := strings.Cut(strings.ToLower(resource), ".")
	if long, ok := shorts[name]; ok {
		name = long
	}
	if group == "" && (slices.Contains(builtin, name) || slices.ContainsFunc(builtin, func(b string) bool { return slices.Contains(plurals(b), name) })) {
		return name, false
	}
	for _, o := range c.objects {
		if group != "" && group != o.group && !strings.HasPrefix(o.group, group+".") {
			continue
		}
		kind := strings.ToLower(o.kind)
		switch {
		case o.resource != "" && (o.resource == name || slices.Contains(plurals(name), o.resource)):
			return name, true
		case kind != "" && (kind == name || slices.Contains(plurals(kind), name)):
			return kind, true
		}
	}
	return "", true
}

// plurals are the plurals that a kind's resource may have.
func plurals(kind string) []string {
	all := []string{kind + "s", kind + "es"}
	if strings.HasSuffix(kind, "y") {
		all = append(all, strings.TrimSuffix(kind, "y")+"ies")
	}
	return all
}

// kinds are those of the manifests, for suggestions.
func (c *checker) kinds() []string {
	var all []string
	for _, o := range c.objects {
		if kind := strings.ToLower(o.kind); kind != "" && !slices.Contains(all, kind) {
			all = append(all, kind)
		}
	}
	return all
}

// has says whether some manifest has an object of a kind and a name.
func (c *checker) has(kind, namespace, name string) bool {
	for _, o := range c.objects {
		same := strings.EqualFold(o.kind, kind) || o.resource != "" && slices.Contains(append(plurals(kind), kind), o.resource)
		if same && (namespace == "" || o.namespace == "" || like(o.namespace, namespace)) && (o.name == "" || like(o.name, name)) {
			return true
		}
	}
	return false
}

func like(pattern, text string) bool {
	if !strings.Contains(pattern, "*") {
		return pattern == text
	}
	expression := "^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$"
	return regexp.MustCompile(expression).MatchString(text)
}

func (c *checker) namesOf(kind string) []string {
	var all []string
	for _, o := range c.objects {
		if strings.EqualFold(o.kind, kind) && !strings.Contains(o.name, "*") && !slices.Contains(all, o.name) {
			all = append(all, o.name)
		}
	}
	return all
}

// shows compares the kinds and names that a command of kubectl asks for.
func (r *reader) shows(a asked, words []word) {
	if r.quiet || len(words) == 0 || !words[0].known {
		return
	}
	first, names := words[0], words[1:]
	if kind, name, ok := strings.Cut(first.text, "/"); ok {
		names = []word{{text: name, known: true, pos: first.pos}}
		first.text = kind
	}
	namespace := a.namespace
	if strings.HasPrefix(namespace, "$") {
		namespace = ""
	}
	here := *r // it goes on to other lines before this is compared
	for _, resource := range strings.Split(first.text, ",") {
		r.c.later = append(r.c.later, func() { here.asks(first, resource, namespace, names) })
	}
}

// asks is shows for one kind, when every manifest is known.
func (r *reader) asks(at word, resource, namespace string, names []word) {
	kind, ours := r.c.kindOf(resource)
	switch {
	case kind == "":
		r.c.noKind(r.mistake(at, "no manifest has an object of the kind %s", resource), strings.ToLower(resource))
	case ours:
		for _, w := range names {
			if w.known && !strings.Contains(w.text, "=") && !r.c.has(kind, namespace, w.text) {
				r.c.add(Unknown, r.mistake(w, "no manifest has %s", nameOf(kind, namespace, w.text)).WithHint(document.DidYouMean(w.text, r.c.namesOf(kind))), document.Pos{})
			}
		}
	}
}

// noKind reports a kind that no manifest has. When something is installed that
// nobody can read here, a kind may come with it, unless it looks misspelt.
func (c *checker) noKind(m document.Mistake, resource string) {
	hint := document.DidYouMean(resource, c.kinds())
	if hint != "" || !c.opaque {
		c.add(Unknown, m.WithHint(hint), document.Pos{})
	}
}

func nameOf(kind, namespace, name string) string {
	if namespace != "" {
		name = namespace + "/" + name
	}
	return "a " + kind + " " + name
}

var (
	// inTable is KIND.GROUP/NAME as `kubectl get` of several kinds prints it.
	inTable = regexp.MustCompile(`(?:^|\s)(?:([a-z0-9][-a-z0-9]*)\s+)?([a-z]+)\.([a-z0-9]+(?:\.[-a-z0-9]+)+)/([a-z0-9][-a-z0-9.]*)`)
	// applied is a line that kubectl apply, create and delete print.
	applied = regexp.MustCompile(`^\s*([a-z]+)(?:\.([-a-z0-9.]+))?(?:/| ")([a-z0-9][-a-z0-9.]*)"? (?:created|configured|unchanged|serverside-applied|deleted)\b`)
	// highlighted is what a page marks with CriticMarkup's {== ==}.
	highlighted = regexp.MustCompile(`\{==\s*|\s*==\}`)
)

// output compares the kinds that a page shows in output, and names: those of
// lines that kubectl prints of what it applies, and of lines that the page
// highlights. Other lines of a table may be of anybody.
func (c *checker) output(page *chapter.Page) {
	for _, b := range page.Blocks {
		if b.Skip != "" {
			continue
		}
		if b.Language == "yaml" || b.Language == "yml" {
			c.manifestShown(b)
			continue
		}
		for _, line := range b.Output() {
			text := highlighted.ReplaceAllString(line.Text, "")
			if m := applied.FindStringSubmatch(text); m != nil {
				c.compared(line, m[1], m[2], "", m[3], true)
			} else if m := inTable.FindStringSubmatch(text); m != nil {
				c.compared(line, m[2], m[3], m[1], m[4], text != line.Text)
			}
		}
	}
}

// compared compares an object that is shown.
func (c *checker) compared(line chapter.Line, resource, group, namespace, name string, named bool) {
	whole := strings.TrimSuffix(resource+"."+group, ".")
	kind, ours := c.kindOf(whole)
	switch {
	case kind == "" && slices.Contains(builtin, resource): // apps/v1 and the like
		kind, ours = resource, false
	case kind == "":
		c.noKind(line.Mistake(resource, "no manifest has an object of the kind %s", whole), resource)
		return
	}
	if named && (ours || applied.MatchString(line.Text)) && !c.has(kind, namespace, name) {
		c.add(Unknown, line.Mistake(name, "no manifest has %s", nameOf(kind, namespace, name)).WithHint(document.DidYouMean(name, c.namesOf(kind))), document.Pos{})
	}
}

// manifestShown compares the objects of YAML that is shown; what is no whole
// object is an excerpt of one.
func (c *checker) manifestShown(b *chapter.Block) {
	var text strings.Builder
	for _, l := range b.Lines {
		fmt.Fprintln(&text, l.Text)
	}
	expanded, _ := c.expand(text.String())
	found, problems := kube.Decode("", []byte(expanded))
	if len(problems) > 0 {
		return
	}
	for _, m := range found {
		o := m.Object
		if !c.has(o.GetKind(), o.GetNamespace(), o.GetName()) && m.Line > 0 && m.Line <= len(b.Lines) {
			line := b.Lines[m.Line-1]
			hint := document.DidYouMean(o.GetName(), c.namesOf(o.GetKind()))
			c.add(Unknown, line.Mistake("", "no manifest has %s", nameOf(strings.ToLower(o.GetKind()), o.GetNamespace(), o.GetName())).WithHint(hint), document.Pos{})
		}
	}
}
