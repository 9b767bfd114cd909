package gloomesh

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write the golden files")

// The chapters' manifests: what is shipped is what is tested.
const chapters = "../../scenarios/"

var (
	virtualMeshFile = chapters + "virtual-mesh/manifests/virtual-mesh.yaml"
	gatewayFile     = chapters + "traffic-management/manifests/gateway.yaml"
	canaryFile      = chapters + "traffic-management/manifests/canary.yaml"
	divideFile      = chapters + "traffic-management/manifests/blue-green-canary.yaml"
)

// tutorialClusters is what the two workload clusters have after the chapters
// before traffic management.
func tutorialClusters() []Cluster {
	app := map[string]string{"app": "blue-green-canary"}
	cluster := func(name string, port int64) Cluster {
		return Cluster{Name: name, Services: []Service{
			{Namespace: "blue-green-canary", Name: "blue-green-canary", Labels: app, Selector: app, Ports: []Port{{Name: "http", Number: 8080, TargetPort: 3000}}},
			{Namespace: "default", Name: "kubernetes", Ports: []Port{{Name: "https", Number: 443}}},
			{Namespace: "istio-system", Name: "istio-ingressgateway",
				Labels:    map[string]string{"app": "istio-ingressgateway", "istio": "ingressgateway"},
				Selector:  map[string]string{"app": "istio-ingressgateway", "istio": "ingressgateway"},
				Ports:     []Port{{Name: "http2", Number: port, TargetPort: 8080}, {Name: "tls", Number: 15443, TargetPort: 15443}},
				Addresses: []string{"127.0.0.1"}},
			{Namespace: "istio-system", Name: "istiod", Selector: map[string]string{"app": "istiod"}, Ports: []Port{{Name: "grpc-xds", Number: 15010}}},
		}}
	}
	one, two := cluster("cluster1", 18001), cluster("cluster2", 18002)
	one.Services = append(one.Services, Service{Namespace: "vm-blue-green-canary", Name: "blue-green-canary", Labels: app, Selector: app, Ports: []Port{{Name: "http", Number: 8080, TargetPort: 8080}}})
	return []Cluster{one, two}
}

// fromFiles reads the objects of files as an API server would hand them out,
// each a second younger than the one before.
func fromFiles(t testing.TB, files ...string) []*unstructured.Unstructured {
	t.Helper()
	var out []*unstructured.Unstructured
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, readObjects(t, data)...)
	}
	return aged(out)
}

func fromText(t testing.TB, text string) []*unstructured.Unstructured {
	t.Helper()
	return aged(readObjects(t, []byte(text)))
}

func aged(objects []*unstructured.Unstructured) []*unstructured.Unstructured {
	for i, u := range objects {
		u.SetGeneration(1)
		u.SetCreationTimestamp(metav1.NewTime(time.Date(2021, 9, 14, 12, 0, i, 0, time.UTC)))
	}
	return objects
}

func tutorial(t testing.TB, files ...string) Snapshot {
	return Snapshot{Objects: fromFiles(t, files...), Clusters: tutorialClusters()}
}

// render writes an output as YAML, for a reader of the golden files.
func render(t testing.TB, out Output, only string) []byte {
	t.Helper()
	var b bytes.Buffer
	document := func(title string, v any) {
		data, err := yaml.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "---\n# %s\n%s", title, data)
	}
	for _, cluster := range sortedKeys(out.Objects) {
		for _, o := range out.Objects[cluster] {
			if only != "" && o.GetKind() != only {
				continue
			}
			var from []string
			for _, p := range o.Parents {
				from = append(from, p.Kind+" "+p.Name)
			}
			document(fmt.Sprintf("%s: %s %s/%s, from %s", cluster, o.GetKind(), o.GetNamespace(), o.GetName(), strings.Join(from, ", ")), o.Object["spec"])
		}
	}
	for _, s := range out.Statuses {
		document("status of "+s.Kind+" "+s.Namespace+"/"+s.Name, s.Fields)
	}
	return b.Bytes()
}

func TestTranslateGolden(t *testing.T) {
	for _, c := range []struct {
		name  string
		files []string
		only  string // one kind of Istio object, where the others say nothing new
	}{
		{"virtual-mesh", []string{virtualMeshFile}, ""},
		{"gateway", []string{virtualMeshFile, gatewayFile}, ""},
		{"canary", []string{virtualMeshFile, gatewayFile, canaryFile}, ""},
		{"blue-green-canary", []string{virtualMeshFile, gatewayFile, divideFile}, ""},
		{"no-virtual-mesh", []string{gatewayFile, divideFile}, ""},
		{"browsers", []string{virtualMeshFile, gatewayFile, "testdata/browsers.yaml"}, "VirtualService"},
		{"delegation", []string{virtualMeshFile, "testdata/delegation.yaml"}, ""},
		{"policy", []string{virtualMeshFile, gatewayFile, "testdata/policy.yaml"}, "VirtualService"},
		{"calls", []string{virtualMeshFile, "testdata/calls.yaml"}, ""},
		{"discovered", []string{"testdata/discovered.yaml", chapters + "vm/manifests/mgmt.yaml", chapters + "access-policies/manifests/virtual-mesh-closed.yaml", divideFile,
			chapters + "access-policies/manifests/bgc.yaml", chapters + "access-policies/manifests/from-vm.yaml"}, "Gateway"},
		{"options", []string{virtualMeshFile, "testdata/options.yaml"}, "VirtualService"},
		{"edition-1.1", []string{virtualMeshFile, "testdata/edition-1.1.yaml"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := render(t, Translate(tutorial(t, c.files...)), c.only)
			file := filepath.Join("testdata", c.name+".golden.yaml")
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("(-want +got; -update writes it)\n%s", diff)
			}
		})
	}
}

// The same objects, whatever the order they come in, give the same output.
func TestTranslateIsPure(t *testing.T) {
	in := tutorial(t, virtualMeshFile, gatewayFile, divideFile)
	before := len(in.Objects)
	want := render(t, Translate(in), "")
	for i := range in.Objects {
		rotated := Snapshot{Clusters: in.Clusters, Objects: append(append([]*unstructured.Unstructured{}, in.Objects[i:]...), in.Objects[:i]...)}
		if got := render(t, Translate(rotated), ""); !bytes.Equal(got, want) {
			t.Fatalf("another order gives another output:\n%s", cmp.Diff(string(want), string(got)))
		}
	}
	if len(in.Objects) != before {
		t.Error("the snapshot was changed")
	}
}

// statusOf finds what is said of one object.
func statusOf(t testing.TB, out Output, kind, name string) map[string]any {
	t.Helper()
	for _, s := range out.Statuses {
		if s.Kind == kind && s.Name == name {
			return s.Fields
		}
	}
	t.Fatalf("no status of %s %s", kind, name)
	return nil
}

// names lists a cluster's objects.
func names(out Output, cluster string) []string {
	var list []string
	for _, o := range out.Objects[cluster] {
		list = append(list, o.GetKind()+" "+o.GetNamespace()+"/"+o.GetName())
	}
	sort.Strings(list)
	return list
}

func TestNamesAreThoseOfTheChapter(t *testing.T) {
	out := Translate(tutorial(t, virtualMeshFile, gatewayFile))
	var hashes []string
	for _, cluster := range []string{"cluster1", "cluster2"} {
		list := names(out, cluster)
		want := []string{
			"Gateway istio-system/bgc-virtualgateway-",
			"Gateway istio-system/istio-ingressgateway-istio-system-" + cluster + "-gloo-mesh",
			"VirtualService gloo-mesh/bgc-virtualhost-gloo-mesh",
		}
		for _, w := range want {
			found := false
			for _, name := range list {
				hash, ok := strings.CutPrefix(name, w)
				if ok && (hash == "" || strings.Trim(hash, "0123456789") == "") {
					found = true
					if hash != "" {
						hashes = append(hashes, hash)
					}
				}
			}
			if !found {
				t.Errorf("%s has no %s…: %q", cluster, w, list)
			}
		}
	}
	if len(hashes) != 2 || hashes[0] != hashes[1] {
		t.Errorf("got the hashes %q, want the same in both clusters", hashes)
	}
}

func TestObjectsAreMarkedAsGlooMeshs(t *testing.T) {
	out := Translate(tutorial(t, virtualMeshFile, gatewayFile))
	for cluster, objects := range out.Objects {
		for _, o := range objects {
			want := map[string]string{"owner.networking.mesh.gloo.solo.io": "gloo-mesh", "cluster.multicluster.solo.io": cluster}
			if diff := cmp.Diff(want, o.GetLabels()); diff != "" {
				t.Errorf("%s %s in %s: labels (-want +got)\n%s", o.GetKind(), o.GetName(), cluster, diff)
			}
			if o.GetKind() != "VirtualService" {
				continue
			}
			parents := `{"networking.enterprise.mesh.gloo.solo.io/v1beta1, Kind=RouteTable":[{"name":"blue-green-canary","namespace":"gloo-mesh"}],` +
				`"networking.enterprise.mesh.gloo.solo.io/v1beta1, Kind=VirtualHost":[{"name":"bgc-virtualhost","namespace":"gloo-mesh"}]}`
			if got := o.GetAnnotations()["parents.networking.mesh.gloo.solo.io"]; got != parents {
				t.Errorf("got the parents\n%s\nwant\n%s", got, parents)
			}
			if got := o.GetAPIVersion(); got != "networking.istio.io/v1" {
				t.Errorf("got apiVersion %s", got)
			}
		}
	}
}

func TestNothingAppliedNothingWritten(t *testing.T) {
	out := Translate(Snapshot{Clusters: tutorialClusters()})
	for _, cluster := range []string{"cluster1", "cluster2"} {
		objects, ok := out.Objects[cluster]
		if !ok || len(objects) != 0 {
			t.Errorf("%s: got %d objects (%v), want an empty list, so that what is left over is deleted", cluster, len(objects), ok)
		}
	}
	if len(out.Statuses) != 0 {
		t.Errorf("got statuses %v", out.Statuses)
	}
}
