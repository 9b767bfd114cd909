package istio

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/meshassay/assay/sandbox/routing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// parse reads YAML documents as a cluster.
func parse(t testing.TB, text []byte) *snapshot {
	t.Helper()
	s := &snapshot{}
	var services []*corev1.Service
	var slices []*discoveryv1.EndpointSlice
	var pods []*corev1.Pod
	for i, doc := range bytes.Split(text, []byte("\n---\n")) {
		u := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(doc, &u.Object); err != nil {
			t.Fatalf("document %d: %v", i, err)
		}
		typed := func(into any) {
			if err := yaml.UnmarshalStrict(doc, into); err != nil {
				t.Fatalf("document %d: %v", i, err)
			}
		}
		if own(u) {
			continue
		}
		switch u.GetKind() {
		case "Service":
			services = append(services, new(corev1.Service))
			typed(services[len(services)-1])
		case "EndpointSlice":
			slices = append(slices, new(discoveryv1.EndpointSlice))
			typed(slices[len(slices)-1])
		case "Pod":
			pods = append(pods, new(corev1.Pod))
			typed(pods[len(pods)-1])
		case "Gateway":
			s.gateways = append(s.gateways, readGateway(u))
		case "VirtualService":
			s.virtualServices = append(s.virtualServices, readVirtualService(u))
		case "DestinationRule":
			s.destinationRules = append(s.destinationRules, readDestinationRule(u))
		case "ServiceEntry":
			s.serviceEntries = append(s.serviceEntries, readServiceEntry(u))
		case "WorkloadEntry":
			s.workloads = append(s.workloads, readWorkloadEntry(u))
		case "PeerAuthentication":
			s.authentications = append(s.authentications, readPeerAuthentication(u))
		case "AuthorizationPolicy":
			s.authorizations = append(s.authorizations, readAuthorizationPolicy(u))
		default:
			t.Fatalf("document %d: kind %q", i, u.GetKind())
		}
	}
	s.services = readServices(services, slices, pods)
	return s
}

// TestBuild makes the routes of clusters in testdata/*/*.yaml and compares
// them with routes.golden beside them.
func TestBuild(t *testing.T) {
	folders, err := filepath.Glob("testdata/*/cluster1.yaml")
	if err != nil || len(folders) == 0 {
		t.Fatalf("no testdata: %v", err)
	}
	for _, first := range folders {
		folder := filepath.Dir(first)
		t.Run(filepath.Base(folder), func(t *testing.T) {
			all := world{}
			files, _ := filepath.Glob(folder + "/*.yaml")
			for _, f := range files {
				all[strings.TrimSuffix(filepath.Base(f), ".yaml")] = parse(t, readFile(t, f))
			}
			got := show(t, all)
			golden := filepath.Join(folder, "routes.golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(readFile(t, golden)), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// show writes the routes of all clusters as text.
func show(t testing.TB, all world) string {
	var b strings.Builder
	for _, cluster := range sortedKeys(all) {
		hosts, notes := all.build(cluster)
		if _, err := routing.New(hosts); err != nil {
			t.Errorf("the routes of %s make no table: %v", cluster, err)
		}
		for _, h := range hosts {
			fmt.Fprintf(&b, "%s host %s\n", cluster, h.Name)
			for _, r := range h.Routes {
				showRoute(&b, r)
			}
		}
		for _, o := range all[cluster].read() {
			for _, p := range o.problems {
				fmt.Fprintf(&b, "%s %s %s is not in force: %s\n", cluster, o.kind.kind, o.meta, p)
			}
		}
		for _, of := range sortedKeys(notes) {
			for _, n := range notes[of] {
				fmt.Fprintf(&b, "%s VirtualService %s: %s\n", cluster, of, n)
			}
		}
	}
	return b.String()
}

func showRoute(b *strings.Builder, r routing.Route) {
	fmt.Fprintf(b, "  route %s", r.Name)
	if r.Rewrite.Path != "" || r.Rewrite.Authority != "" {
		fmt.Fprintf(b, " rewrite %q %q", r.Rewrite.Path, r.Rewrite.Authority)
	}
	if r.Timeout > 0 {
		fmt.Fprintf(b, " timeout %s", r.Timeout)
	}
	fmt.Fprintln(b)
	for _, m := range r.Match {
		fmt.Fprint(b, "    match")
		for _, part := range []struct {
			name string
			text routing.Text
		}{{"path", m.Path}, {"method", m.Method}, {"scheme", m.Scheme}, {"authority", m.Authority}} {
			if part.text.Kind != routing.Any {
				fmt.Fprintf(b, " %s %s", part.name, showText(part.text))
			}
		}
		for _, part := range []struct {
			name   string
			fields []routing.Field
		}{{"header", m.Headers}, {"without", m.Without}, {"query", m.Query}} {
			for _, f := range part.fields {
				fmt.Fprintf(b, " %s %s %s", part.name, f.Name, showText(f.Value))
			}
		}
		if m.IgnoreCase {
			fmt.Fprint(b, " ignoring case")
		}
		fmt.Fprintln(b)
	}
	for _, d := range r.Destinations {
		fmt.Fprintf(b, "    %d to %s", d.Weight, d.Host)
		if d.Subset != "" {
			fmt.Fprintf(b, " subset %s", d.Subset)
		}
		if d.Version != "" {
			fmt.Fprintf(b, " version %s", d.Version)
		}
		if d.Balance == routing.Random {
			fmt.Fprint(b, " at random")
		}
		if d.Unknown {
			fmt.Fprint(b, " unknown")
		}
		fmt.Fprintln(b, "", d.Endpoints)
	}
	showPolicy(b, r)
}

func showText(t routing.Text) string {
	return fmt.Sprintf("%s %q", [...]string{"present", "exact", "prefix", "regex"}[t.Kind], t.Value)
}
