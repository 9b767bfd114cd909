package runner

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/kube"
	"github.com/meshassay/assay/runner/record"
)

// waitFields waits until a condition on one object is true. What is waited for
// counts as a change: it may take a moment to be in force.
type waitFields struct {
	// Cluster is where the object is; or `clusters`, when it is in several: the
	// condition must come true in each.
	Cluster string `yaml:"cluster" schema:"name"`
	// Clusters are where the object is.
	Clusters []string `yaml:"clusters" schema:"name,nonempty,unique,or=cluster"`
	// Resource is the kind of the object, as kubectl takes it: `PLURAL.GROUP`, or
	// `PLURAL` for the core kinds of Kubernetes.
	Resource string `yaml:"resource,required" schema:"resource"`
	// Namespace is where the object lives; left out for kinds that live in none.
	Namespace string `yaml:"namespace"`
	// Object is the name of the object.
	Object string `yaml:"object,required" schema:"nonempty"`
	// Until is the condition in CEL, with the variable `object`. A key that is
	// not there yet means not yet.
	Until string `yaml:"until,required" schema:"nonempty,example=object.status.state == \"ACCEPTED\""`
	// Timeout is how long it may take until the condition is true. Default: 1m.
	Timeout *document.Duration `yaml:"timeout" schema:"positive"`
}

type waitWork struct {
	fields   waitFields
	clusters []string
	until    *condition
	timeout  time.Duration
}

// resourceLike is PLURAL or PLURAL.GROUP, in small letters as the API has them.
var resourceLike = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)

func planWait(p *planner, s *PlannedStep) work {
	var f waitFields
	body := s.Step.Body
	p.add(body.Decode(&f)...)
	if body.Kind() != document.Mapping {
		return nil
	}
	w := &waitWork{fields: f, timeout: time.Minute}
	w.clusters = p.clusters(body, f.Cluster, f.Clusters)
	p.time(body.Get("timeout"), &w.timeout)
	if v := body.Get("resource"); f.Resource != "" && !resourceLike.MatchString(f.Resource) {
		p.add(v.Mistake("want a resource as kubectl takes it, got %q", f.Resource).WithHint("the plural in small letters, then the group: deployments.apps"))
	}
	for _, key := range []string{"resource", "object", "until"} {
		if v := body.Get(key); v.Kind() == document.Scalar && v.Text() == "" {
			p.add(v.Mistake("is empty"))
		}
	}
	if f.Until != "" {
		until, err := compile(f.Until)
		if err != nil {
			p.add(body.Get("until").Mistake("%v", err))
		}
		w.until = until
	}
	s.Title = titleOr(s, "wait in %s until %s %s: %s", document.And(w.clusters), f.Resource, f.Object, f.Until)
	return w
}

func (w *waitWork) run(ctx context.Context, r *Run, s *PlannedStep, out *record.Step) error {
	return r.onEach(w.clusters, func(c *kube.Cluster) error { return w.wait(ctx, r, c) })
}

// holds says whether it is so, and if not what the object has; what a Secret
// holds is in no record.
func (w *waitWork) holds(o *kube.Object) (bool, string, error) {
	done, why, err := w.until.holds(o.Object)
	if isSecret(o.GroupVersionKind().GroupKind()) {
		why = "it is not so (what a Secret holds is not shown)"
		if err != nil {
			err = failf("the expression gives neither true nor false")
		}
	}
	return done, why, err
}

func (w *waitWork) wait(ctx context.Context, r *Run, c *kube.Cluster) error {
	what := w.fields.Resource + " " + w.fields.Object
	if w.fields.Namespace != "" {
		what = w.fields.Resource + " " + w.fields.Namespace + "/" + w.fields.Object
	}
	r.live(c.Name, func() string { return fmt.Sprintf("waiting in %s for %s: %s", c.Name, what, w.fields.Until) })
	err := c.Until(ctx, w.timeout, func(ctx context.Context) (bool, string, error) {
		resource, err := c.Find(w.fields.Resource)
		var none *kube.NoKind
		if errors.As(err, &none) {
			return false, err.Error(), nil // its CustomResourceDefinition may come yet
		}
		if err != nil {
			return false, "", err
		}
		if resource.Namespaced != (w.fields.Namespace != "") {
			return false, "", failf("%s %s", w.fields.Resource, map[bool]string{
				true: "live in a namespace: add namespace", false: "live in no namespace: leave namespace out",
			}[resource.Namespaced])
		}
		o, err := c.Get(ctx, resource.Kind, w.fields.Namespace, w.fields.Object)
		if err != nil {
			return false, "", err
		}
		if o == nil {
			return false, "there is no such object", nil
		}
		return w.holds(o)
	})
	if err != nil {
		return late(fmt.Errorf("%s: %s: until %s: %w", c.Name, what, w.fields.Until, err))
	}
	r.becameReady()
	return nil
}
