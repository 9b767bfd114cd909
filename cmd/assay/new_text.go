package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/verdict"
)

// explained is a line of YAML and what it means, in a column of its own.
func explained(line, meaning string) string {
	return fmt.Sprintf("%-43s # %s\n", line, meaning)
}

// text is the scenario.
func (d *draft) text() string {
	var b strings.Builder
	b.WriteString(schemaLine(d.project.folder, filepath.Dir(d.project.environments), "scenario"))
	b.WriteString("apiVersion: assay/v1\nkind: Scenario\n")
	b.WriteString(explained("name: "+d.name, "what it is run by: small letters, digits and dashes"))
	b.WriteString(explained("title: "+d.title(), "one line for reports"))
	b.WriteString(explained("labels: [mine]", "for filters: assay run --label mine"))
	if d.needs != "" {
		b.WriteString(explained("needs: "+d.needs, "is run first: the scenario on whose state this one builds"))
	}
	b.WriteString("steps:                                      # are done in this order, until one of them fails\n")
	b.WriteString(d.change())
	b.WriteString(d.expectation())
	b.WriteString(`
# More actions: wait (until an object is as a CEL expression says), assert (objects exist), call (one request is
# answered so), delete, run (a script or a command). All keys of all actions: docs/reference.md, or let your editor
# complete them.
`)
	return b.String()
}

// title says the shares in words.
func (d *draft) title() string {
	if len(d.shares) == 0 {
		return "The gateways answer"
	}
	return strings.Join(d.portions(), ", ")
}

// portions are the shares in words, those wanted at 0 left out.
func (d *draft) portions() []string {
	var parts []string
	for _, s := range d.shares {
		if s.Want > 0 {
			parts = append(parts, strings.TrimSuffix(document.Percent(s.Want).String(), "%")+" % "+s.Name)
		}
	}
	return parts
}

// change is the step that changes something.
func (d *draft) change() string {
	cluster := policyCluster(d.env)
	if d.policy == "" {
		return fmt.Sprintf(`
# Change something first: the manifests are found from this file's folder, and are put back afterwards.
# - apply: {cluster: %s, files: [manifests/%s.yaml]}
`, cluster, d.name)
	}
	return fmt.Sprintf(`
# Make the cluster be as the manifest says, and wait until that is accepted. Afterwards all is put back as it was.
- name: divide the traffic
  apply: {cluster: %s, files: [%s]}
`, cluster, d.manifest())
}

// expectation is the step that looks whether it is so.
func (d *draft) expectation() string {
	switch {
	case len(d.env.Order.Gateways) == 0:
		return fmt.Sprintf(`
# The environment %s has no gateways to ask, so this one looks at objects: they must be there, given in part.
- name: the cluster is there
  assert: {cluster: %s, objects: [{apiVersion: v1, kind: Namespace, metadata: {name: kube-system}}]}
`, d.env.Name, d.env.Order.Clusters[0])
	case len(d.shares) == 0:
		return fmt.Sprintf(`
# The answers of the environment %s do not tell who gave them, so this one only wants them to come: ten in a row.
- name: every gateway answers
  call: {request: {path: %s}, answer: {status: 200}}
`, d.env.Name, d.request)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `
# Ask every gateway of the environment, each on its own, until the answers decide. What is not listed must never
# answer; at most 0.5 %% of the requests may fail.
- name: %s
  expect:
`, "the answers are divided so")
	b.WriteString(explained("    request: {path: "+d.request+"}", "also: method, host, headers, body"))
	var shares []string
	for _, s := range d.shares {
		shares = append(shares, s.Name+": "+document.Percent(s.Want).String())
	}
	b.WriteString(explained("    shares: {"+strings.Join(shares, ", ")+"}", "of "+document.And(d.env.Outcomes())))
	if d.tolerance != "" {
		b.WriteString(explained("    tolerance: "+d.tolerance, "how far a share may be off, in percentage points"))
	}
	return b.String()
}

// policyCluster is where policies are applied: the management cluster, if one
// is called so.
func policyCluster(env *environment.Environment) string {
	if _, ok := env.Clusters["mgmt"]; ok || len(env.Order.Clusters) == 0 {
		return "mgmt"
	}
	return env.Order.Clusters[0]
}

// policyFor is the manifest that divides the traffic so; "" when none can be
// written: no dialect of policies is known, or something wanted is nobody to
// whom traffic could be sent.
func policyFor(d *draft) string {
	if d.env.Dialect != "gloo-mesh-1" || len(d.env.Order.Gateways) == 0 {
		return ""
	}
	var to []verdict.Share
	for _, s := range d.shares {
		if s.Want == 0 {
			continue
		}
		if _, ok := d.env.Destinations[s.Name]; !ok {
			return ""
		}
		to = append(to, s)
	}
	if len(to) == 0 {
		return ""
	}
	first := d.env.Destinations[d.env.Order.Destinations[0]]
	var b strings.Builder
	fmt.Fprintf(&b, `# What routes send to the service below goes, instead, to the destinations, in the proportion of their weights.
apiVersion: networking.mesh.gloo.solo.io/v1
kind: TrafficPolicy
metadata: {name: %s, namespace: gloo-mesh}
spec:
  destinationSelector: # whose traffic is divided
  - kubeServiceRefs:
      services:
      - %s
  routeSelector: # by which routes it comes
  - virtualHostSelector: {namespaces: [gloo-mesh]}
    routeTableSelector: {namespaces: [gloo-mesh]}
  policy:
    trafficShift:
      destinations:
`, d.name, service(first, false))
	for i, weight := range weights(to) {
		fmt.Fprintf(&b, "      - kubeService: %s # %s\n        weight: %d\n", service(d.env.Destinations[to[i].Name], true), to[i].Name, weight)
	}
	return b.String()
}

// service names a destination's Service as Gloo Mesh does.
func service(d environment.Destination, subset bool) string {
	namespace, name, _ := strings.Cut(d.Service, "/")
	text := fmt.Sprintf("{clusterName: %s, namespace: %s, name: %s", d.Cluster, namespace, name)
	if subset && len(d.Subset) > 0 {
		var labels []string
		for _, key := range slices.Sorted(maps.Keys(d.Subset)) {
			labels = append(labels, fmt.Sprintf("%s: %q", key, d.Subset[key]))
		}
		text += ", subset: {" + strings.Join(labels, ", ") + "}"
	}
	return text + "}"
}
