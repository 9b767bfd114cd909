package runner

import (
	"strings"

	"github.com/meshassay/assay/runner/kube"
)

// subjects are the objects that the manifests name, in every cluster.
func (w *applyWork) subjects(*Run) []subject { return manifestSubjects(w.clusters, w.manifests, false) }

// subjects are the objects that are to be gone.
func (w *deleteWork) subjects(*Run) []subject { return manifestSubjects(w.clusters, w.manifests, true) }

func manifestSubjects(clusters []string, manifests []kube.Manifest, absent bool) []subject {
	var all []subject
	for _, cluster := range clusters {
		for _, m := range manifests {
			all = append(all, subject{cluster: cluster, object: m.Object, absent: absent})
		}
	}
	return all
}

// subjects is the object that is waited for; none where its kind is not served,
// which the step's error says.
func (w *waitWork) subjects(r *Run) []subject {
	var all []subject
	for _, cluster := range w.clusters {
		if resource, err := r.clusters[cluster].Find(w.fields.Resource); err == nil {
			o := &kube.Object{}
			o.SetGroupVersionKind(resource.Kind)
			o.SetNamespace(w.fields.Namespace)
			o.SetName(w.fields.Object)
			all = append(all, subject{cluster: cluster, object: o})
		}
	}
	return all
}

// subjects are the objects that must exist, as far as they are named without a
// star.
func (w *assertWork) subjects(*Run) []subject {
	var all []subject
	for _, p := range w.patterns {
		name, _ := get(p.data, "metadata", "name").(string)
		namespace, _ := get(p.data, "metadata", "namespace").(string)
		if w.count == 0 || name == "" || strings.ContainsAny(name+namespace, `*\`) {
			continue
		}
		o := &kube.Object{}
		o.SetGroupVersionKind(p.kind)
		o.SetNamespace(namespace)
		o.SetName(name)
		for _, cluster := range w.clusters {
			all = append(all, subject{cluster: cluster, object: o})
		}
	}
	return all
}
