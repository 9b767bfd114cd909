package runner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/kube"
)

// inventoryLimit is how long controllers may take, after everything was put
// back, to take away what they had made of it.
const inventoryLimit = 30 * time.Second

// inventoryGroups are the API groups of meshes and routes: whatever a scenario
// says, it is about these. A group counts with all that ends in ".GROUP".
var inventoryGroups = []string{"solo.io", "istio.io", "gateway.networking.k8s.io", "sandbox.assay"}

// inventoryKinds are the other kinds that count. Not among them are those that
// change by themselves (pods, endpoints, events, leases).
var inventoryKinds = []schema.GroupKind{
	{Kind: "Namespace"}, {Kind: "Service"}, {Kind: "ServiceAccount"},
	{Group: "apps", Kind: "Deployment"}, {Group: "apps", Kind: "StatefulSet"}, {Group: "apps", Kind: "DaemonSet"},
	{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"},
}

// read says which kinds an inventory reads: those that count, and those of the
// plan's manifests.
func (p *Plan) read(kind schema.GroupKind) bool { return counts(kind) || p.kinds[kind] }

// compared says whether an object is compared. Of a kind that does not count in
// itself (a ConfigMap may be anybody's, and change at any time) only those are
// that the plan names.
func (p *Plan) compared(kind schema.GroupKind, id string) bool { return counts(kind) || p.named[id] }

// counts says which kinds count, whatever the plan: those of meshes and of services.
func counts(kind schema.GroupKind) bool {
	if slices.Contains(inventoryKinds, kind) {
		return true
	}
	return slices.ContainsFunc(inventoryGroups, func(group string) bool {
		return kind.Group == group || strings.HasSuffix(kind.Group, "."+group)
	})
}

// inventories reads what the clusters of a run hold.
func (r *Run) inventories(ctx context.Context) (map[string]*kube.Inventory, error) {
	found := make([]*kube.Inventory, len(r.plan.clusters))
	errs := make([]error, len(found))
	var all sync.WaitGroup
	for i, name := range r.plan.clusters {
		all.Go(func() {
			errs[i] = guarded(func() (err error) {
				found[i], err = r.clusters[name].Inventory(ctx, r.plan.read)
				return err
			})
		})
	}
	all.Wait()
	by := make(map[string]*kube.Inventory)
	for i, name := range r.plan.clusters {
		by[name] = found[i]
	}
	return by, errors.Join(errs...)
}

// Verify compares what the clusters hold with what they held when the run
// started: objects of meshes and of services, and those that the scenarios
// name, with their spec, labels and annotations. It is called when every
// scenario has been put back; what controllers take away by themselves is
// waited for. A difference is an error that names each object, and is in the
// record. With Options.Keep nothing is compared.
func (r *Run) Verify(ctx context.Context) error {
	if !r.compares() {
		return nil
	}
	until := time.Now().Add(r.inventoryLimit)
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), until.Add(inventoryLook))
	defer cancel()
	left, err := r.compare(ctx)
	for err == nil && len(left) > 0 && time.Now().Before(until) && sleepUntil(ctx, time.Now().Add(inventoryPause)) == nil {
		left, err = r.compare(ctx)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err != nil:
		err = fmt.Errorf("whether everything is as it was could not be seen: %w", err)
	case len(left) > 0:
		err = fmt.Errorf("not everything is as it was before the run:\n  %s", strings.Join(left, "\n  "))
	default:
		r.record.Inventory = r.same()
		r.save()
		return nil
	}
	r.record.Inventory, _, _ = strings.Cut(err.Error(), ":")
	// No scenario owns up to it; it is told where all of them began.
	of := r.scenario(r.plan.Scenarios[0])
	of.PutBackError = strings.TrimPrefix(of.PutBackError+"\n"+err.Error(), "\n")
	r.save()
	return err
}

// inventoryPause is between two looks; each may take inventoryLook.
const (
	inventoryPause = 250 * time.Millisecond
	inventoryLook  = 30 * time.Second
)

// same says what was compared.
func (r *Run) same() string {
	objects := 0
	unread := make(map[string]bool)
	for _, i := range r.before {
		for id, o := range i.Objects {
			if r.plan.compared(o.GroupVersionKind().GroupKind(), id) {
				objects++
			}
		}
		for kind := range i.Unread {
			unread[kind.String()] = true
		}
	}
	text := fmt.Sprintf("all is as it was before the run: %d objects in %s", objects, document.And(r.plan.clusters))
	if len(unread) > 0 {
		text += "; not compared, for they could not be listed: " + strings.Join(slices.Sorted(maps.Keys(unread)), ", ")
	}
	return text
}

// compare says what is not as it was, a line for each object.
func (r *Run) compare(ctx context.Context) ([]string, error) {
	after, err := r.inventories(ctx)
	if err != nil {
		return nil, err
	}
	var left []string
	for _, name := range r.plan.clusters {
		if err := unseen(r.before[name], after[name]); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, text := range differences(r.before[name], after[name], r.plan.compared) {
			left = append(left, name+": "+text)
		}
	}
	return left, nil
}

// unseen is the error of kinds that could be read before and cannot now: that
// nothing is seen of them does not mean that nothing is left.
func unseen(before, after *kube.Inventory) error {
	var errs []error
	for kind, why := range after.Unread {
		if before.Kinds[kind] {
			errs = append(errs, fmt.Errorf("list %s: %s", kind, why))
		}
	}
	return errors.Join(errs...)
}

// differences says what is not the same in two inventories of a cluster. What
// could not be read in one of them is passed over.
func differences(before, after *kube.Inventory, compared func(schema.GroupKind, string) bool) []string {
	var all []string
	ids := maps.Clone(before.Objects)
	maps.Copy(ids, after.Objects)
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		kind := ids[id].GroupVersionKind().GroupKind()
		if !compared(kind, id) || before.Unread[kind] != "" || after.Unread[kind] != "" {
			continue
		}
		was, is := before.Objects[id], after.Objects[id]
		switch {
		case was == nil:
			all = append(all, kube.Describe(is)+" was not there before")
		case is == nil:
			all = append(all, kube.Describe(was)+" is gone")
		case !kube.Same(was, is) && isSecret(kind):
			all = append(all, kube.Describe(is)+" has changed") // not a word of what is in it
		case !kube.Same(was, is):
			all = append(all, kube.Describe(is)+" has changed: "+strings.Join(changedAt("", was.Object, is.Object), "; "))
		}
	}
	return all
}

// changedAt lists the first few places at which two values differ.
func changedAt(path string, was, is any) []string {
	const most = 3
	a, isA := was.(map[string]any)
	b, isB := is.(map[string]any)
	var all []string
	if x, y := listOf(was), listOf(is); len(x) > 0 && len(x) == len(y) {
		for i := range x {
			if !kube.Equal(x[i], y[i]) {
				all = append(all, changedAt(fmt.Sprintf("%s[%d]", path, i), x[i], y[i])...)
			}
		}
	} else if !isA || !isB {
		return []string{fmt.Sprintf("%s was %s, is %s", path, shown(was), shown(is))}
	}
	keys := maps.Clone(a)
	maps.Copy(keys, b)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		v, had := a[key]
		w, has := b[key]
		if had != has || !kube.Equal(v, w) {
			all = append(all, changedAt(under(path, key), v, w)...)
		}
	}
	if len(all) > most {
		all = append(all[:most], "…")
	}
	return all
}

func listOf(v any) []any {
	l, _ := v.([]any)
	return l
}
