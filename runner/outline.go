package runner

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/kube"
	"github.com/meshassay/assay/runner/verdict"
)

// Outline is what a step will do, as plain data, known before a cluster is
// touched.
type Outline struct {
	Action string `json:"action"`
	// Clusters are those whose objects are changed or looked at.
	Clusters []string `json:"clusters,omitempty"`
	// Objects are what is changed, waited for or asserted, the same in each of
	// the clusters. A text of one that is asserted may hold a *.
	Objects []OutlinedObject `json:"objects,omitempty"`
	// Changes says what becomes of the objects: applied or deleted; "" when
	// they are only looked at.
	Changes string `json:"changes,omitempty"`
	// Runs is the script or command that is run, or the section of a page; ""
	// for nothing.
	Runs string `json:"runs,omitempty"`
	// Until says in words what is waited for, or what must hold; "" for nothing.
	Until string `json:"until,omitempty"`
	// Within is how long that may take.
	Within time.Duration `json:"withinNanos,omitempty"`
	// Client is who calls, and Requests what is asked: a method and a path on
	// each of the gateways, or a method and a URL.
	Client   string   `json:"client,omitempty"`
	Requests []string `json:"requests,omitempty"`
	// Gateways are those that are called or sampled.
	Gateways []string `json:"gateways,omitempty"`
	// Calls is how many requests a call takes when it is answered as wanted
	// from the first one on; CallsTime how long at the environment's limits.
	Calls     int           `json:"calls,omitempty"`
	CallsTime time.Duration `json:"callsTimeNanos,omitempty"`
	// Claims are what is judged of the answers.
	Claims []PlannedClaim `json:"-"`
	// Verdict is the one wanted, where it is not passed.
	Verdict string `json:"verdict,omitempty"`
	// Converge is how long after a change a failed attempt is begun anew.
	Converge time.Duration `json:"convergeNanos,omitempty"`
}

// OutlinedObject is one object of a step.
type OutlinedObject struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"` // "" for a kind without, or where none is given
	Name      string `json:"name"`
	// Labels are those that an asserted object must have.
	Labels map[string]string `json:"labels,omitempty"`
	From   string            `json:"from"` // FILE:LINE, or the folder of a kustomization
	// Cluster is where it is, when it is not in each of the step's.
	Cluster string `json:"cluster,omitempty"`
}

// String is the object's kind, namespace and name, and its labels: "Pod app/* (app=a)".
func (o OutlinedObject) String() string {
	name := o.Name
	if o.Namespace != "" {
		name = o.Namespace + "/" + name
	}
	if len(o.Labels) > 0 {
		var labels []string
		for _, key := range slices.Sorted(maps.Keys(o.Labels)) {
			labels = append(labels, key+"="+o.Labels[key])
		}
		name += " (" + strings.Join(labels, ", ") + ")"
	}
	return o.Kind + " " + name
}

// Outline says what a step of the plan will do.
func (p *Plan) Outline(s *PlannedStep) Outline {
	o := Outline{Action: s.Step.Action}
	if s.work != nil {
		s.work.outline(p, s, &o)
	}
	o.Claims = p.Claims(s)
	return o
}

// outlined are the objects of manifests. A kustomization is named as the
// scenario names it, so its folder is put before it.
func outlined(s *PlannedStep, manifests []kube.Manifest) []OutlinedObject {
	all := make([]OutlinedObject, 0, len(manifests))
	for _, m := range manifests {
		from := m.Origin()
		if m.Line == 0 {
			from = filepath.Join(s.Scenario.Scenario.Dir, from)
		}
		all = append(all, OutlinedObject{Kind: m.Object.GetKind(), Namespace: m.Object.GetNamespace(), Name: m.Object.GetName(), From: from})
	}
	return all
}

func (w *applyWork) outline(_ *Plan, s *PlannedStep, o *Outline) {
	o.Clusters, o.Objects, o.Changes = w.clusters, outlined(s, w.manifests), "applied"
	if w.ready {
		o.Until, o.Within = "all of them are ready", w.timeout
	}
}

func (w *deleteWork) outline(_ *Plan, s *PlannedStep, o *Outline) {
	o.Clusters, o.Objects, o.Changes = w.clusters, outlined(s, w.manifests), "deleted"
	o.Until, o.Within = "all of them are gone", w.timeout
}

func (w *waitWork) outline(_ *Plan, s *PlannedStep, o *Outline) {
	o.Clusters, o.Until, o.Within = w.clusters, w.fields.Until, w.timeout
	o.Objects = []OutlinedObject{{Kind: w.fields.Resource, Namespace: w.fields.Namespace, Name: w.fields.Object, From: s.Step.Body.Pos().String()}}
}

func (w *assertWork) outline(_ *Plan, _ *PlannedStep, o *Outline) {
	o.Clusters, o.Within = w.clusters, w.within
	switch w.count {
	case -1:
		o.Until = "there is at least one of each"
	case 0:
		o.Until = "there is none of them"
	default:
		o.Until = fmt.Sprintf("there are exactly %d of each", w.count)
		if w.count == 1 {
			o.Until = "there is exactly one of each"
		}
	}
	for _, p := range w.patterns {
		namespace, _ := get(p.data, "metadata", "namespace").(string)
		name, _ := get(p.data, "metadata", "name").(string)
		one := OutlinedObject{Kind: p.kind.Kind, Namespace: namespace, Name: first(name, "*"), From: p.position.String()}
		labels, _ := get(p.data, "metadata", "labels").(map[string]any)
		for key, value := range labels {
			if one.Labels == nil {
				one.Labels = make(map[string]string)
			}
			one.Labels[key] = fmt.Sprint(value)
		}
		o.Objects = append(o.Objects, one)
	}
}

func (w *callWork) outline(p *Plan, _ *PlannedStep, o *Outline) {
	o.Client, o.Gateways, o.Within = w.client, w.gateways, w.within
	o.Requests = []string{w.request.Method + " " + w.request.URL}
	o.Until = fmt.Sprintf("%s, %d times in a row", w.answer, callHolds)
	o.Calls = callHolds * max(1, len(w.gateways))
	o.CallsTime = callHolds * callPauseOf(p.env)
}

func (w *expectWork) outline(_ *Plan, _ *PlannedStep, o *Outline) {
	o.Gateways, o.Converge = w.gateways, w.converge
	for _, c := range w.cases {
		o.Requests = append(o.Requests, c.request.Method+" "+c.request.URL)
	}
	if w.want == verdict.Failed {
		o.Verdict = w.want.String()
		if w.because != "" {
			o.Verdict += " because of " + causeWords[w.because]
		}
	}
}

// callPauseOf is the time between two calls of one target.
func callPauseOf(env *environment.Environment) time.Duration {
	pause := callPause
	if rate := float64(env.Limits.Rate); rate > 0 {
		pause = max(pause, time.Duration(float64(time.Second)/rate))
	}
	return pause
}
