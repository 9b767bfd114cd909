package environment

import (
	"reflect"
	"strings"

	"github.com/meshassay/assay/runner/document"
)

// frame is an environment's file as it is written.
type frame struct {
	// APIVersion is always `assay/v1`.
	APIVersion string `yaml:"apiVersion,required" schema:"enum=assay/v1"`
	// Kind is always `Environment`.
	Kind string `yaml:"kind,required" schema:"enum=Environment"`
	// Name is what `--environment` and a scenario's `environments` call it. The
	// file is called NAME.yaml.
	Name string `yaml:"name,required" schema:"name"`
	// Clusters are the clusters by the names that scenarios use.
	Clusters map[string]clusterFrame `yaml:"clusters,required" schema:"keys=name,nonempty"`
	// Gateways are what is sampled, by name.
	Gateways map[string]gatewayFrame `yaml:"gateways" schema:"keys=name"`
	// Clients are the places that calls can be made from, by name. `local`, the
	// machine that the runner runs on, is always there.
	Clients map[string]clientFrame `yaml:"clients" schema:"keys=name"`
	// Destinations are who can answer, by the names that `shares` use.
	Destinations map[string]destinationFrame `yaml:"destinations" schema:"keys=name"`
	// Answers are rules that tell the outcome of an answer. The first that
	// matches counts; an answer that matches none is an error.
	Answers []answerFrame `yaml:"answers"`
	// Dialect is the routing API in which a split is said.
	Dialect string `yaml:"dialect" schema:"enum=gloo-mesh-1"`
	// Limits are what a shared gateway may be asked to bear.
	Limits limitsFrame `yaml:"limits"`
	// Vars are for `${NAME}` in manifests. Their values may use `${NAME}` of the
	// process environment.
	Vars map[string]string `yaml:"vars" schema:"keys=var"`
}

// Frame returns the struct that an environment is decoded into, for what is
// generated from it.
func Frame() reflect.Type { return reflect.TypeFor[frame]() }

// clusterFrame is a Kubernetes cluster.
type clusterFrame struct {
	// Context is the context of the kubeconfig. It may use `${NAME}` of the
	// process environment.
	Context string         `yaml:"context,required" schema:"nonempty"`
	Source  document.Value `yaml:",self"`
}

// gatewayFrame is what is asked. Its address is either given, or looked up in
// the status of a load-balancer Service.
type gatewayFrame struct {
	// URL is the gateway's address, without a path; instead of `service` and `port`.
	URL string `yaml:"url" schema:"address"`
	// Cluster is the cluster that the gateway stands in.
	Cluster string `yaml:"cluster" schema:"name,unless=url"`
	// Service is the load-balancer Service, `NAMESPACE/NAME`, whose status has the
	// address.
	Service string `yaml:"service" schema:"service,unless=url,without=url"`
	// Port is the name or the number of the Service's port.
	Port   string         `yaml:"port,scalar" schema:"port,unless=url,without=url"`
	Source document.Value `yaml:",self"`
}

// clientFrame is who calls when it is not the runner itself: whoever stands
// behind a proxy, or where a command runs. The proxy's address is either given,
// or looked up in the status of a load-balancer Service, as a gateway's is.
type clientFrame struct {
	// Proxy is the address of a proxy to call through: `http://`, `https://` or
	// `socks5://`.
	Proxy string `yaml:"proxy" schema:"proxy"`
	// Cluster is the cluster that has the Service of an HTTP proxy.
	Cluster string `yaml:"cluster" schema:"name,with=port"`
	// Service is the load-balancer Service, `NAMESPACE/NAME`, whose status has the
	// address of an HTTP proxy to call through.
	Service string `yaml:"service" schema:"service,or=proxy,with=cluster"`
	// Port is the name or the number of the Service's port.
	Port string `yaml:"port,scalar" schema:"port,with=service"`
	// Command is a command that runs the command line it is given, elsewhere,
	// where curl and base64 are installed.
	Command []string       `yaml:"command" schema:"nonempty,or=proxy"`
	Source  document.Value `yaml:",self"`
}

// destinationFrame is who can answer.
type destinationFrame struct {
	// Cluster is the cluster that the destination's Service is in.
	Cluster string `yaml:"cluster,required" schema:"name"`
	// Service is the destination's Service, `NAMESPACE/NAME`.
	Service string `yaml:"service,required" schema:"service"`
	// Subset is the labels that tell it from other destinations of the same
	// Service.
	Subset map[string]string `yaml:"subset"`
	Source document.Value    `yaml:",self"`
}

// answerFrame is a rule. All that it names must match; it names at least one
// thing besides the outcome.
type answerFrame struct {
	// JSON is a field of the JSON body, as a path with dots: `color`, `pod.name`.
	JSON string `yaml:"json" schema:"dotted"`
	// Header is the name of a header of the answer.
	Header string `yaml:"header" schema:"header,without=json"`
	// Status is the answer's status code. Default: any below 500; an answer of
	// 500 and more is an error unless a rule gives its status.
	Status int `yaml:"status" schema:"min=100,max=599,example=200|403"`
	// Body is a part of the body.
	Body string `yaml:"body" schema:"nonempty"`
	// Match is a regular expression (RE2) on the value of `json` or `header`, or else
	// on the body.
	Match string `yaml:"match"`
	// Is is the outcome, or the outcome of each value of `json` or `header`.
	Is     Outcomes       `yaml:"is,required" schema:"name,nonempty,with=json|header|status|body|match"`
	Source document.Value `yaml:",self"`
}

// limitsFrame is what a shared gateway may be asked to bear.
type limitsFrame struct {
	// Rate is the most requests a second.
	Rate document.Rate `yaml:"rate"`
	// Workers is the most requests at the same time.
	Workers int            `yaml:"workers" schema:"min=1"`
	Source  document.Value `yaml:",self"`
}

// DecodeValue reads a name, or a mapping of values to names.
func (o *Outcomes) DecodeValue(v document.Value) document.Mistakes {
	if v.Kind() != document.Mapping {
		var name string
		ms := v.Decode(&name)
		if v.Kind() != document.Scalar {
			for i := range ms {
				ms[i].Text = strings.Replace(ms[i].Text, "a text", "an outcome, or a mapping of values to outcomes", 1)
			}
		}
		o.Name = name
		return ms
	}
	o.Order = v.Keys()
	ms := v.Decode(&o.Values)
	if len(o.Order) == 0 {
		ms = append(ms, v.Mistake("the mapping is empty: no value would have an outcome"))
	}
	return ms
}

// Parse reads one environment. Getenv, os.LookupEnv in a program, gives ${NAME} in
// contexts and vars its value. With mistakes the Environment holds what could be
// read; it is nil when nothing could.
func Parse(file string, source []byte, getenv func(string) (string, bool)) (*Environment, document.Mistakes) {
	root, ms := document.Parse(file, source)
	if !root.Exists() {
		return nil, ms
	}
	if m, other := wrongKind(root); len(m) > 0 {
		if ms = append(ms, m...); other {
			return nil, document.Sort(ms)
		}
	}
	var f frame
	ms = append(ms, root.Decode(&f)...)
	e := f.environment(file, root)
	c := checker{environment: e, frame: &f, getenv: getenv}
	c.check()
	return e, document.Sort(append(ms, c.mistakes...))
}

// wrongKind says that the document is not an environment of this version. Other is
// true when it is so much something else that nothing more should be said of it.
func wrongKind(root document.Value) (ms document.Mistakes, other bool) {
	version, kind := root.Get("apiVersion"), root.Get("kind")
	if text := version.Text(); version.Kind() == document.Scalar && text != APIVersion {
		hint := "an environment has apiVersion: " + APIVersion
		if strings.HasPrefix(text, "assay/") {
			hint = "this program reads " + APIVersion
		}
		ms = append(ms, version.Mistake("unknown version %s", document.Quote(text)).WithHint(hint))
	}
	if text := kind.Text(); kind.Kind() == document.Scalar && text != Kind {
		hint := document.DidYouMean(text, []string{Kind})
		if text == "Scenario" {
			hint = "this file is a scenario"
		}
		ms = append(ms, kind.Mistake("want kind: %s, got %s", Kind, document.Quote(text)).WithHint(hint))
	}
	return ms, len(ms) == 2 || kind.Text() == "Scenario"
}

// environment makes what others see of what the file says.
func (f *frame) environment(file string, root document.Value) *Environment {
	e := &Environment{
		File: file, Name: f.Name, Dialect: f.Dialect, Source: root,
		Clusters: map[string]Cluster{}, Gateways: map[string]Gateway{}, Clients: map[string]Client{},
		Destinations: map[string]Destination{}, Vars: map[string]string{},
		Limits: Limits{Rate: f.Limits.Rate, Workers: f.Limits.Workers},
		Order: Order{
			Clusters: root.Get("clusters").Keys(), Gateways: root.Get("gateways").Keys(),
			Clients: root.Get("clients").Keys(), Destinations: root.Get("destinations").Keys(),
		},
	}
	for name, c := range f.Clusters {
		e.Clusters[name] = Cluster{Context: c.Context}
	}
	for name, g := range f.Gateways {
		e.Gateways[name] = Gateway{URL: g.URL, Cluster: g.Cluster, Service: g.Service, Port: g.Port}
	}
	for name, c := range f.Clients {
		e.Clients[name] = Client{Proxy: c.Proxy, Cluster: c.Cluster, Service: c.Service, Port: c.Port, Command: c.Command}
	}
	for name, d := range f.Destinations {
		e.Destinations[name] = Destination{Cluster: d.Cluster, Service: d.Service, Subset: d.Subset}
	}
	for _, a := range f.Answers {
		e.Answers = append(e.Answers, Answer(a))
	}
	return e
}
