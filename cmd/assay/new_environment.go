package main

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshassay/assay/runner"
	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/kube"
	"github.com/meshassay/assay/scenarios"
)

// newEnvironmentFlags are what `assay new environment` can be told.
type newEnvironmentFlags struct {
	dir      string
	clusters []string
}

// usualClusters are those of the tutorial, whose scenarios name them.
var usualClusters = []string{"mgmt", "cluster1", "cluster2"}

func newEnvironmentCommand() *cobra.Command {
	var f newEnvironmentFlags
	c := &cobra.Command{
		Use:   "environment NAME",
		Short: "Write an environment for clusters of your own",
		Long: `Write an environment for clusters of your own: their kubeconfig contexts, gateways, destinations, how an answer
tells who gave it, limits, clients. Every line is explained; what is in it is an example until you make it yours.

Without --cluster it has the tutorial's three clusters, and its scenarios can be run there.`,
		Example: `  assay new environment staging
  assay new environment staging --cluster mgmt=admin@mgmt --cluster cluster1=east --cluster cluster2=west
  assay new environment one --cluster prod='${PROD_CONTEXT}' --dir tests/mesh
  assay check --connect --environment staging    # when it is edited: does everything answer?`,
		RunE: func(c *cobra.Command, args []string) error {
			return notWell(f.run(c.OutOrStdout(), c.ErrOrStderr(), args))
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	c.Flags().StringArrayVar(&f.clusters, "cluster", nil, "`NAME=CONTEXT` of a cluster, by a context of your kubeconfig (may be repeated)")
	c.Flags().StringVar(&f.dir, "dir", defaultScenarios, "`FOLDER` of the scenarios: it is written to its folder environments")
	completes(c, "cluster", completeContexts)
	c.Flags().SortFlags = false
	return c
}

func (f *newEnvironmentFlags) run(stdout, stderr io.Writer, args []string) error {
	var mistakes document.Mistakes
	if len(args) == 0 {
		mistakes = document.Mistakes{{Text: "what shall it be called?", Hint: "for example assay new environment staging"}}
	}
	name, wrong := named(args, "staging", "environment")
	d := environmentDraft{name: name}
	mistakes = append(mistakes, wrong...)
	mistakes = append(mistakes, d.read(f.clusters)...)
	p, err := placeAt(f.dir)
	if err != nil {
		return err
	}
	if slices.Contains(environment.Names(p.environments), name) && len(mistakes) == 0 {
		mistakes = document.Mistakes{{Path: name, Text: "an environment is called so already", Hint: "choose another name, or edit that one"}}
	}
	if len(mistakes) > 0 {
		mistakes.Show(stderr)
		return outcome{}
	}
	file := filepath.Join(p.environments, name+".yaml")
	text := schemaLine(p.environments, filepath.Dir(p.environments), "environment") + d.text()
	if _, ms := environment.Parse(file, []byte(text), lenient); len(ms) > 0 {
		var b bytes.Buffer
		ms.Show(&b)
		return fmt.Errorf("the environment would be wrong:\n%s", b.String())
	}
	home := filepath.Dir(p.environments)
	files, err := write([]created{{path: file, text: text}, schemaFile(home, "environment", scenarios.EnvironmentSchema)})
	if err != nil {
		return err
	}
	if err := say(stdout, told(files)); err != nil {
		return err
	}
	in := name
	if f.dir != defaultScenarios { // elsewhere its name would not be found
		in += " " + runner.CommandLine(f.dir)
	}
	return say(stdout, contextsTold()+next(
		[2]string{"${EDITOR:-vi} " + runner.CommandLine(file), "make it yours: contexts, gateways, destinations, answers"},
		[2]string{self() + " check --environment " + in, "do the scenarios fit it?"},
		[2]string{self() + " check --connect --environment " + in, "do its clusters and gateways answer?"}))
}

// contextsTold lists the contexts that there are to choose from.
func contextsTold() string {
	names, err := kube.Contexts("")
	if err != nil || len(names) == 0 {
		return ""
	}
	if len(names) > 12 {
		return fmt.Sprintf("your kubeconfig has %d contexts: kubectl config get-contexts lists them\n", len(names))
	}
	return "your kubeconfig has the contexts " + document.And(names) + "\n"
}

// environmentDraft is an environment that is to be written.
type environmentDraft struct {
	name     string
	clusters []string // in order
	contexts map[string]string
}

func (d *environmentDraft) read(given []string) document.Mistakes {
	d.contexts = make(map[string]string)
	if len(given) == 0 {
		for _, name := range usualClusters {
			given = append(given, name+"="+name)
		}
	}
	var mistakes document.Mistakes
	for _, text := range given {
		name, context, ok := strings.Cut(text, "=")
		path := "--cluster " + text
		bad, hint := document.BadName(name)
		switch {
		case !ok || context == "":
			mistakes = append(mistakes, document.Mistake{Path: path, Text: "want NAME=CONTEXT", Hint: "for example cluster1=east"})
		case bad != "":
			mistakes = append(mistakes, document.Mistake{Path: path, Text: bad, Hint: hint})
		case d.contexts[name] != "":
			mistakes = append(mistakes, document.Mistake{Path: path, Text: "the cluster is given twice"})
		default:
			d.clusters = append(d.clusters, name)
			d.contexts[name] = context
		}
	}
	return mistakes
}

// asTutorial says that the tutorial's scenarios can be run there.
func (d *environmentDraft) asTutorial() bool {
	return !slices.ContainsFunc(usualClusters, func(name string) bool { return d.contexts[name] == "" })
}

// workload are the clusters that have a gateway: all but the management cluster.
func (d *environmentDraft) workload() []string {
	if len(d.clusters) == 1 {
		return d.clusters
	}
	return slices.DeleteFunc(slices.Clone(d.clusters), func(name string) bool { return name == "mgmt" })
}

func (d *environmentDraft) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Where scenarios run: what they name (clusters, gateways, outcomes) and what stands behind the names.
apiVersion: assay/v1
kind: Environment
name: %s

# The clusters, by the names that scenarios use. A context is one of your kubeconfig (kubectl config get-contexts);
# "${NAME}" takes it from the process environment.
clusters:
`, d.name)
	for _, name := range d.clusters {
		fmt.Fprintf(&b, "  %s: {context: %q}\n", name, d.contexts[name])
	}
	b.WriteString(`
# What is asked: each is sampled and judged on its own. A Service of type LoadBalancer is looked up, by its port's name
# or number; anything else is given by its address: {url: "http://192.168.49.2:30080"} (NodePort, Ingress, port-forward).
gateways:
`)
	for i, cluster := range d.workload() {
		fmt.Fprintf(&b, "  ingress%d: {cluster: %s, service: istio-system/istio-ingressgateway, port: http2}\n", i+1, cluster)
	}
	b.WriteString(d.answerers())
	b.WriteString(`
# What your gateways may be asked to bear, each: requests a second, and how many at the same time.
limits: {rate: 200/s, workers: 20}

# How policies divide traffic here; leave it out where they are not those of Gloo Mesh 1.x.
dialect: gloo-mesh-1

# Who calls, for the action call, besides local (this machine): through a proxy, or by a command that runs curl there.
# clients:
#   vm: {command: [ssh, user@vm]}
#   bastion: {proxy: "http://127.0.0.1:3128"}
`)
	if d.asTutorial() {
		b.WriteString("\n# For ${NAME} in manifests.\nvars: {VM_ADDRESS: 192.168.64.10} # where cluster1 reaches the virtual machine\n")
	} else {
		b.WriteString("\n# For ${NAME} in manifests.\n# vars: {TEAM: mesh}\n")
	}
	return b.String()
}

// answerers are the destinations, and how an answer tells which gave it: those
// of the tutorial where its scenarios can be run, else an example.
func (d *environmentDraft) answerers() string {
	const who = `
# Who can answer, by the names that shares use: a Service (NAMESPACE/NAME), and the labels of its pods if they are a subset.
destinations:
`
	const how = `
# How an answer tells who gave it: by a field of its JSON body, a header, its status, or a part of its body. The first
# rule that matches counts; what matches none is an error, and so is a status of 500 and more.
answers:
`
	if d.asTutorial() {
		return who + `  blue: {cluster: cluster1, service: blue-green-canary/blue-green-canary, subset: {version: blue}}
  green: {cluster: cluster2, service: blue-green-canary/blue-green-canary, subset: {version: green}}
  canary: {cluster: cluster1, service: vm-blue-green-canary/blue-green-canary, subset: {version: canary}}
` + how + `- {json: color, is: {blue: blue, green: green, yellow: canary}}
- {status: 403, body: "RBAC: access denied", is: denied}
`
	}
	cluster := d.workload()[0]
	return who + fmt.Sprintf(`  stable: {cluster: %s, service: shop/shop, subset: {version: v1}}
  canary: {cluster: %s, service: shop/shop, subset: {version: v2}}
`, cluster, cluster) + how + `- {header: X-Version, is: {v1: stable, v2: canary}}
- {status: 403, body: "RBAC: access denied", is: denied}
`
}
