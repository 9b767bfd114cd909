package istio

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshassay/assay/sandbox/crd"
	"github.com/meshassay/assay/sandbox/fields"
)

const pageFile = "../../docs/istio.md"

const pageIntroduction = "" +
	"# What the sandbox honours of Istio\n" +
	`
<!-- Written by sandbox/istio: go -C sandbox test ./istio -run TestPage -update -->

The sandbox's gateways and sidecars go by the Istio objects of their cluster, whoever wrote them: Gloo Mesh's stand-in, or
you. The CustomResourceDefinitions are Istio's own. A field that the sandbox cannot honour takes the whole object out of
force; a condition ` + "`Reconciled`" + ` in the object's status and a Warning event name it, with its path. Nothing is silently ignored.

An AuthorizationPolicy is not left out of force, which might let through what it was written against: the workloads that it
selects then deny every call (403 ` + "`RBAC: access denied`" + `), until it says only what is honoured. One that only audits denies nothing.

These tables are made by giving every field of those definitions to the code that reads the objects, one by one. A field may
stand in *honoured* and be refused all the same for what it says in one object.

Some that are honoured in a way worth knowing:

- ` + "`fault`" + `: without a ` + "`percentage`" + ` no request is delayed or aborted, as Istio has it.
- ` + "`retries.retryOn`" + `: 5xx, gateway-error, reset, reset-before-request, connect-failure, retriable-4xx and the numbers of
  statuses. The conditions of gRPC and refused-stream are understood, and never come true: the gateways speak HTTP/1.1.
- ` + "`mirror`" + `, ` + "`mirrors`" + `: only requests whose body is at most 1 MiB are copied; likewise only those are retried.
- ` + "`headers`" + `: a ` + "`Host`" + ` that is set is the authority that the service sees. Envoy's variables (` + "`%REQ(x)%`" + `) are refused.
- Paths are compared, and sent on, in their normal form, as Istio's default (` + "`BASE`" + `) has it: ` + "`/a/../b`" + ` is ` + "`/b`" + `, ` + "`/%61`" + ` is ` + "`/a`" + `, and
  ` + "`\\`" + ` is ` + "`/`" + `. Doubled slashes stay.
- ` + "`sourceLabels`" + `, ` + "`sourceNamespace`" + `: of the gateway, or of the virtual machine as its WorkloadEntry has them. A call from it that no
  route is for goes to the service that it names; where only its conditions do not fit, it is answered with 404.
- ` + "`tls`" + ` of a DestinationRule and ` + "`mtls`" + ` of a PeerAuthentication: services always know who calls, as with the mesh's own mutual TLS,
  so that no mode is honoured in which they would not.
`

// kindsOfPage are those that are watched, with Istio's own schemas; false where
// these were not fetched.
func kindsOfPage(t *testing.T) ([]fields.Kind, bool) {
	t.Helper()
	definitions, err := crd.Definitions(crd.Istio)
	if err != nil {
		if strings.Contains(err.Error(), "go run ./crd/fetch") {
			return nil, false
		}
		t.Fatal(err)
	}
	schemas := map[string]map[string]any{}
	for _, d := range definitions {
		kind, _, _ := unstructured.NestedString(d.Object, "spec", "names", "kind")
		versions, _, _ := unstructured.NestedSlice(d.Object, "spec", "versions")
		for _, v := range versions {
			if v := v.(map[string]any); v["name"] == "v1" {
				schemas[kind], _, _ = unstructured.NestedMap(v, "schema", "openAPIV3Schema", "properties", "spec")
			}
		}
	}
	var out []fields.Kind
	for _, k := range []struct {
		kind  string
		read  func(*unstructured.Unstructured) meta
		bases []map[string]any
	}{
		{"Gateway", func(u *unstructured.Unstructured) meta { return readGateway(u).meta }, []map[string]any{
			{"servers": []any{map[string]any{"port": map[string]any{"protocol": "TLS"}}}}}},
		{"VirtualService", func(u *unstructured.Unstructured) meta { return readVirtualService(u).meta }, nil},
		{"DestinationRule", func(u *unstructured.Unstructured) meta { return readDestinationRule(u).meta }, nil},
		{"ServiceEntry", func(u *unstructured.Unstructured) meta { return readServiceEntry(u).meta }, nil},
		{"WorkloadEntry", func(u *unstructured.Unstructured) meta { return readWorkloadEntry(u).meta }, nil},
		{"PeerAuthentication", readPeerAuthentication, nil},
		{"AuthorizationPolicy", func(u *unstructured.Unstructured) meta { return readAuthorizationPolicy(u).meta }, nil},
	} {
		if schemas[k.kind] == nil {
			t.Fatalf("no schema of %s", k.kind)
		}
		out = append(out, fields.Kind{Name: k.kind, Schema: schemas[k.kind], Bases: k.bases, Read: func(spec map[string]any) []fields.Refusal {
			return refusedBy(k.read(&unstructured.Unstructured{Object: map[string]any{"kind": k.kind, "spec": spec}}).problems)
		}})
	}
	return out, true
}

// refusedBy are the lines that name a field, or say which of its values are
// honoured.
func refusedBy(lines []string) []fields.Refusal {
	var out []fields.Refusal
	for _, line := range lines {
		path, text, _ := strings.Cut(line, ": ")
		_, wanted, values := strings.Cut(text, "(want ")
		switch {
		case text == "the sandbox does not honour this field":
			out = append(out, fields.Refusal{Path: path})
		case values:
			out = append(out, fields.Refusal{Path: path, OfValue: true, Wanted: strings.Split(strings.TrimSuffix(wanted, ")"), ", ")})
		}
	}
	return out
}

// The page says what the code does.
func TestPage(t *testing.T) {
	kinds, fetched := kindsOfPage(t)
	if !fetched {
		t.Skip("Istio's definitions were not fetched (go run ./crd/fetch)")
	}
	got := fields.Page(pageIntroduction, kinds)
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
