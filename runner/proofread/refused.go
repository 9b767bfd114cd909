package proofread

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/kube"
)

// Refused asks the API servers of an environment whether they would take the
// manifests that the pages and their scripts apply, each in the cluster of its
// command's context; nothing is changed. It returns what they refuse, and how
// many could not be asked about, because their context, or something in them, is
// not known, or their namespace or kind comes with another of the manifests. The
// error is of a cluster that cannot be asked.
func Refused(ctx context.Context, env *environment.Environment, applied []Applied) (found []Finding, left int, err error) {
	clusters := make(map[string]*kube.Cluster)
	for _, a := range applied {
		if a.Cluster == "" {
			left++
			continue
		}
		c, ok := clusters[a.Cluster]
		if !ok {
			if c, err = kube.Connect(ctx, a.Cluster, env.Kubeconfig, env.Clusters[a.Cluster].Context); err != nil {
				return nil, 0, err
			}
			clusters[a.Cluster] = c
		}
		err := c.DryRun(ctx, a.Object)
		if err == nil {
			continue
		}
		if brought(a, applied) {
			left++
			continue
		}
		var none *kube.NoKind
		var refused *kube.Refused
		if !errors.As(err, &none) && !errors.As(err, &refused) {
			return nil, 0, fmt.Errorf("%s: %s: %w", a.Origin(), kube.Describe(a.Object), err)
		}
		f := Finding{Kind: Refusal, Other: a.At}
		f.Pos = document.Pos{File: a.File, Line: a.Line, Col: min(a.Line, 1)}
		if refused != nil {
			f.Pos.Line = a.lineOf(refused.Field)
		}
		f.Text = fmt.Sprintf("%s refuses %s: %v", a.Cluster, kube.Describe(a.Object), err)
		f.Hint = "it is applied at " + a.At.String()
		if !slices.ContainsFunc(found, func(o Finding) bool { return o.Error() == f.Error() }) {
			found = append(found, f)
		}
	}
	return found, left, nil
}

// lineOf is the line at which a field of the manifest stands, or the manifest's own.
func (a Applied) lineOf(field string) int {
	line, err := strconv.Atoi(strings.TrimPrefix(a.OriginOf(field), a.File+":"))
	if line += a.shift; err != nil || line < a.Line || field == "" {
		return a.Line
	}
	return line
}

// brought says that the manifest's namespace, or its kind, is another of the
// manifests: nothing can be said of it before that is there.
func brought(a Applied, all []Applied) bool {
	return slices.ContainsFunc(all, func(o Applied) bool {
		switch o.Object.GetKind() {
		case "Namespace":
			return o.Object.GetName() == a.Object.GetNamespace() && a.Object.GetNamespace() != ""
		case "CustomResourceDefinition":
			return get(o.Object.Object, "spec", "names", "kind") == a.Object.GetKind()
		}
		return false
	})
}

func get(data any, path ...string) any {
	for _, key := range path {
		m, _ := data.(map[string]any)
		data = m[key]
	}
	return data
}
