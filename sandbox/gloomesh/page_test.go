package gloomesh

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshassay/assay/sandbox/crd"
	"github.com/meshassay/assay/sandbox/fields"
)

const pageFile = "../../docs/gloo-mesh.md"

const pageIntroduction = "" +
	"# What the sandbox honours of Gloo Mesh 1.x\n" +
	`
<!-- Written by sandbox/gloomesh: go -C sandbox test ./gloomesh -run TestPage -update -->

The sandbox's Gloo Mesh takes every field that the API has, and refuses what it cannot do. Nothing is silently ignored:

- A field that the API does not have, a wrong type or a value that is not in an enumeration: the API server refuses the
  object, with the field's path.
- A field that the sandbox does not honour (the column *refused* below): the object is stored, its status says
  ` + "`state: FAILED`" + ` with the path under ` + "`errors`" + `, and it has no effect.
- What is wrong in itself, such as weights that do not sum to 100 or a service that does not exist: ` + "`state: INVALID`" + `, likewise.

These tables are made by giving every field of the schemas to the code that reads the objects, one by one. A field may
stand in *honoured* and be refused all the same for what it says in one object: its status tells.

What the sandbox does with the requests is what Istio and Envoy do:

- ` + "`faultInjection`" + `: each request is drawn on its own. ` + "`percentage`" + ` left out, or 0, means every request. An abort answers
  at the gateway (` + "`fault filter abort`" + `), and is neither retried nor sent anywhere; a delay is no part of ` + "`requestTimeout`" + `.
- ` + "`requestTimeout`" + ` is for all attempts together: 504 ` + "`upstream request timeout`" + `.
- ` + "`retries`" + ` has no conditions in this API, so Istio's hold: a connection that does not come about is retried, an answer
  of 5xx is not. Without it a request has two retries; ` + "`attempts: 0`" + ` leaves it none.
- ` + "`headerManipulation`" + ` removes before it adds; a destination's own comes before the route's.
- ` + "`mirror`" + ` sends copies with ` + "`-shadow`" + ` behind the host's name; what they are answered goes nowhere.
- Policies for the same requests are merged, part by part. Where two say otherwise, the older one holds and the younger is
  ` + "`INVALID`" + `. A policy under conditions (` + "`httpRequestMatchers`" + `) goes before one without; the options of routes and hosts go
  before both.
- A TrafficPolicy steers twice: what goes through gateways, on the routes that ` + "`routeSelector`" + ` selects; and, whatever it
  says there, the calls to the selected services from within the mesh (the virtual machine's are such), from the workloads
  that ` + "`sourceSelector`" + ` selects. For these each cluster from which a service can be called gets a VirtualService of its own:
  ` + "`NAMESPACE/NAME`" + ` in the service's cluster, ` + "`istio-system/NAME-NAMESPACE-CLUSTER`" + ` in those to which it is federated. As in
  Gloo Mesh it has no route besides those of the policies: a call from a selected workload that fits none of their
  ` + "`httpRequestMatchers`" + ` is answered with 404. The more specific conditions come first, not the older policy's.
  What stands under such a name is replaced, whosever it is, and goes with the policies.

What becomes of it in Istio's objects has [a page of its own](istio.md).
`

// kindsOfPage are those whose specs Translate reads.
func kindsOfPage(t *testing.T) []fields.Kind {
	t.Helper()
	schemas := map[string]map[string]any{}
	definitions, err := crd.Definitions(crd.GlooMesh)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range definitions {
		kind, _, _ := unstructured.NestedString(d.Object, "spec", "names", "kind")
		versions, _, _ := unstructured.NestedSlice(d.Object, "spec", "versions")
		schemas[kind], _, _ = unstructured.NestedMap(versions[0].(map[string]any), "schema", "openAPIV3Schema", "properties", "spec")
	}
	var out []fields.Kind
	for _, k := range []struct {
		kind string
		read func(*unstructured.Unstructured) *meta
	}{
		{"TrafficPolicy", func(u *unstructured.Unstructured) *meta { return &decodeTrafficPolicy(u).meta }},
		{"AccessPolicy", func(u *unstructured.Unstructured) *meta { return &decodeAccessPolicy(u).meta }},
		{"VirtualMesh", func(u *unstructured.Unstructured) *meta { return &decodeVirtualMesh(u).meta }},
		{"VirtualGateway", func(u *unstructured.Unstructured) *meta { return &decodeVirtualGateway(u).meta }},
		{"VirtualHost", func(u *unstructured.Unstructured) *meta { return &decodeVirtualHost(u).meta }},
		{"RouteTable", func(u *unstructured.Unstructured) *meta { return &decodeRouteTable(u).meta }},
	} {
		if schemas[k.kind] == nil {
			t.Fatalf("no schema of %s", k.kind)
		}
		out = append(out, fields.Kind{Name: k.kind, Schema: schemas[k.kind], Read: func(spec map[string]any) []fields.Refusal {
			var refused []fields.Refusal
			m := k.read(&unstructured.Unstructured{Object: map[string]any{"kind": k.kind, "spec": spec}})
			for _, p := range m.problems {
				path, text, _ := strings.Cut(p.text, ": ")
				if p.state == failed {
					refused = append(refused, fields.Refusal{Path: path, OfValue: text != notHonoured})
				}
			}
			return refused
		}})
	}
	return out
}

// The page says what the code does.
func TestPage(t *testing.T) {
	got := fields.Page(pageIntroduction, kindsOfPage(t))
	if *update {
		if err := os.WriteFile(pageFile, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(pageFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is not what the code says (-want +got; -update writes it)\n%s", pageFile, diff)
	}
}
