package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/kube"
	"github.com/meshassay/assay/runner/record"
)

// assertFields says which objects must exist, given in part, in each of the
// clusters. What an object has beyond what is given does not matter.
//
// In every text `*` stands for any characters (`\*` is a star itself). A list
// must have as many entries as the one given, in the same order, each given in
// part. A key that is given as `null` must not be there. Without
// `metadata.namespace` objects of all namespaces count.
type assertFields struct {
	// Cluster is where to look; or `clusters`, when the same holds in several.
	Cluster string `yaml:"cluster" schema:"name"`
	// Clusters are where to look.
	Clusters []string `yaml:"clusters" schema:"name,nonempty,unique,or=cluster"`
	// Objects are the objects, given in part; each has at least `apiVersion` and
	// `kind`.
	Objects []map[string]any `yaml:"objects,required" schema:"pattern,nonempty"`
	// Count is how many objects must match each of those given; 0 says that none
	// may exist. Default: at least one.
	Count *int `yaml:"count" schema:"min=0"`
	// Within is how long it may take until it is so. Default: 10s.
	Within *document.Duration `yaml:"within" schema:"positive"`
}

type assertWork struct {
	clusters []string
	patterns []pattern
	count    int // -1: at least one
	within   time.Duration
}

// pattern is one object given in part.
type pattern struct {
	kind      schema.GroupVersionKind
	namespace string // "" when not given or with a star: all are looked at
	data      map[string]any
	position  document.Pos
}

func (p pattern) String() string {
	name, _ := get(p.data, "metadata", "name").(string)
	if ns, _ := get(p.data, "metadata", "namespace").(string); ns != "" {
		name = strings.TrimSuffix(ns+"/"+name, "/")
	}
	return strings.TrimSpace(strings.ToLower(p.kind.Kind) + " " + name)
}

func get(m map[string]any, path ...string) any {
	var v any = m
	for _, key := range path {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

func planAssert(p *planner, s *PlannedStep) work {
	var f assertFields
	body := s.Step.Body
	p.add(body.Decode(&f)...)
	if body.Kind() != document.Mapping {
		return nil
	}
	w := &assertWork{count: -1, within: 10 * time.Second}
	w.clusters = p.clusters(body, f.Cluster, f.Clusters)
	if f.Count != nil {
		if w.count = *f.Count; w.count < 0 {
			p.add(body.Get("count").Mistake("want 0 or more, got %d", w.count))
		}
	}
	p.time(body.Get("within"), &w.within)
	v := body.Get("objects")
	if v.Kind() == document.Sequence && v.Len() == 0 {
		p.add(v.Mistake("the list is empty"))
	}
	var names []string
	for i, data := range f.Objects {
		one := p.pattern(v.Index(i), data)
		w.patterns = append(w.patterns, one)
		names = append(names, one.String())
	}
	s.Title = titleOr(s, "%s %s %s", document.And(w.clusters), map[bool]string{true: "must not have", false: "must have"}[w.count == 0], document.And(names))
	return w
}

func (p *planner) pattern(v document.Value, data map[string]any) pattern {
	expanded, _ := p.expandAll(v, data).(map[string]any)
	one := pattern{data: expanded, position: v.Pos()}
	for _, key := range []string{"apiVersion", "kind"} {
		field := v.Get(key)
		text, _ := data[key].(string)
		switch {
		case v.Kind() != document.Mapping:
		case !field.Exists():
			p.add(v.Mistake("%s is missing", key))
		case text == "" || strings.Contains(text, "*"):
			p.add(field.Mistake("want the %s in full, got %q", key, field.Text()))
		}
	}
	version, _ := data["apiVersion"].(string)
	kind, _ := data["kind"].(string)
	one.kind = schema.FromAPIVersionAndKind(version, kind)
	if ns, _ := get(expanded, "metadata", "namespace").(string); !strings.ContainsAny(ns, `*\`) {
		one.namespace = ns
	}
	return one
}

func (w *assertWork) run(ctx context.Context, r *Run, s *PlannedStep, out *record.Step) error {
	return r.onEach(w.clusters, func(c *kube.Cluster) error {
		r.live(c.Name, func() string { return "looking at objects in " + c.Name })
		err := c.Until(ctx, w.within, func(ctx context.Context) (bool, string, error) {
			var all []string
			for _, p := range w.patterns {
				why, err := w.look(ctx, c, p)
				if err != nil {
					return false, "", err
				}
				if why != "" {
					all = append(all, fmt.Sprintf("%s: %s: %s", p.position, p, why))
				}
			}
			return len(all) == 0, strings.Join(all, "\n"), nil
		})
		if err != nil {
			err = fmt.Errorf("%s: %w", c.Name, err)
		}
		return late(err)
	})
}

// look says what is not as it should be with one pattern; "" when all is.
func (w *assertWork) look(ctx context.Context, c *kube.Cluster, p pattern) (string, error) {
	objects, err := c.List(ctx, p.kind, p.namespace, nil)
	var none *kube.NoKind
	if errors.As(err, &none) {
		if w.count == 0 {
			return "", nil
		}
		return err.Error(), nil
	}
	if err != nil {
		return "", err
	}
	var matching []string
	var nearest []difference
	var near *kube.Object
	for _, o := range objects {
		differences := differ("", p.data, o.Object)
		if len(differences) == 0 {
			matching = append(matching, kube.Describe(o))
		} else if near == nil || closer(differences, nearest) {
			nearest, near = differences, o
		}
	}
	switch {
	case w.count < 0 && len(matching) > 0, w.count == len(matching):
		return "", nil
	case w.count >= 0 && len(matching) > w.count:
		return fmt.Sprintf("%d match, want %d: %s", len(matching), w.count, strings.Join(matching, ", ")), nil
	}
	want := "at least 1"
	if w.count >= 0 {
		want = fmt.Sprint(w.count)
	}
	text := fmt.Sprintf("%d match, want %s", len(matching), want)
	if near == nil {
		return text + fmt.Sprintf(" (of %d such objects)", len(objects)), nil
	}
	text += "; the nearest is " + kube.Describe(near) + ":"
	for _, d := range nearest {
		text += "\n  " + d.of(p.kind.GroupKind())
	}
	return text, nil
}
