// Package crd holds the CustomResourceDefinitions of the sandbox and installs
// them into its API servers.
//
// Istio's are the project's own: a build step (crd/fetch) reads them out of the
// pinned module istio.io/api into the folder upstream. Gloo Mesh's and the
// sandbox's are written for this project. Only kinds that the sandbox honours
// are installed: any other would be accepted and then silently ignored.
package crd

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"
)

// The README keeps the pattern valid where nothing was fetched yet; Install
// then says what is missing.
//
//go:embed upstream/README.md */*.yaml
var files embed.FS

// Set is a group of definitions that are installed together; its value is the
// folder that holds them.
type Set string

// The sets.
const (
	Istio    Set = "upstream"
	GlooMesh Set = "gloomesh"
	Sandbox  Set = "sandbox"
)

const fieldManager = "sandbox"

var resource = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

// Definitions returns the definitions of a set, ordered by file name.
func Definitions(set Set) ([]*unstructured.Unstructured, error) {
	paths, err := fs.Glob(files, string(set)+"/*.yaml")
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 && set == Istio {
		return nil, errors.New("Istio's CustomResourceDefinitions are not built in: run `go run ./crd/fetch` before `go build`")
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("no CustomResourceDefinitions in %s", set)
	}
	var definitions []*unstructured.Unstructured
	for _, path := range paths {
		data, err := files.ReadFile(path)
		if err != nil {
			return nil, err
		}
		for _, document := range bytes.Split(data, []byte("\n---\n")) {
			d := &unstructured.Unstructured{}
			if err := yaml.Unmarshal(document, &d.Object); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			if len(d.Object) == 0 {
				continue // comments only
			}
			if d.GetKind() != "CustomResourceDefinition" {
				return nil, fmt.Errorf("%s: kind %q, want CustomResourceDefinition", path, d.GetKind())
			}
			definitions = append(definitions, d)
		}
	}
	return definitions, nil
}

// Install applies the definitions of the sets and returns when every kind is
// established and discovery lists it, so that kubectl knows it.
func Install(ctx context.Context, config *rest.Config, sets ...Set) error {
	var wanted []*unstructured.Unstructured
	for _, set := range sets {
		definitions, err := Definitions(set)
		if err != nil {
			return err
		}
		wanted = append(wanted, definitions...)
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	// All at once: the server works them off beside each other.
	errs := make(chan error, len(wanted))
	for _, definition := range wanted {
		go func() { errs <- install(ctx, client, definition) }()
	}
	var all []error
	for range wanted {
		all = append(all, <-errs)
	}
	if err := errors.Join(all...); err != nil {
		return err
	}
	return waitServed(ctx, config, wanted)
}

// install creates a definition, or brings one that exists up to date. Creating
// comes first because it costs the server much less than applying.
func install(ctx context.Context, client dynamic.Interface, definition *unstructured.Unstructured) error {
	_, err := client.Resource(resource).Create(ctx, definition, metav1.CreateOptions{FieldManager: fieldManager})
	if apierrors.IsAlreadyExists(err) {
		_, err = client.Resource(resource).Apply(ctx, definition.GetName(), definition,
			metav1.ApplyOptions{FieldManager: fieldManager, Force: true})
	}
	if err != nil {
		return fmt.Errorf("CustomResourceDefinition %s: %w", definition.GetName(), err)
	}
	return nil
}

// waitServed waits until discovery lists every kind of the definitions. That
// comes after Established: discovery is built from established kinds.
func waitServed(ctx context.Context, config *rest.Config, definitions []*unstructured.Unstructured) error {
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return err
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		// Groups that fail are no reason to give up: they come and go while
		// definitions are added.
		_, lists, err := client.ServerGroupsAndResources()
		missing := Missing(definitions, lists)
		if len(missing) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("waiting for the kinds %v to be served: %w", missing, ctx.Err()), err)
		case <-tick.C:
		}
	}
}

// Missing returns group/version/resource for what the definitions serve and
// the discovery lists do not hold.
func Missing(definitions []*unstructured.Unstructured, lists []*metav1.APIResourceList) []string {
	served := map[string]bool{}
	for _, list := range lists {
		for _, r := range list.APIResources {
			served[list.GroupVersion+"/"+r.Name] = true
		}
	}
	var missing []string
	for _, d := range definitions {
		group, _, _ := unstructured.NestedString(d.Object, "spec", "group")
		plural, _, _ := unstructured.NestedString(d.Object, "spec", "names", "plural")
		versions, _, _ := unstructured.NestedSlice(d.Object, "spec", "versions")
		for _, v := range versions {
			version, _ := v.(map[string]any)
			name, _, _ := unstructured.NestedString(version, "name")
			isServed, _, _ := unstructured.NestedBool(version, "served")
			if id := group + "/" + name + "/" + plural; isServed && !served[id] {
				missing = append(missing, id)
			}
		}
	}
	return missing
}
