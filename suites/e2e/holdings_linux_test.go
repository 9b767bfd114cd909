package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// restless are the resources whose objects come, go and change by themselves:
// what happened (events), who leads (leases), where pods are (endpoints), what
// passes by (reviews cannot be listed anyway), and pods, which get new names
// when their deployment is made again.
var restless = []string{"events", "leases", "endpoints", "endpointslices"}

// holdings is everything that the three clusters hold, as "CLUSTER RESOURCE
// NAMESPACE/NAME" and what people write of it: all but status and the server's
// bookkeeping. It is read as plain JSON, by other code than the runner's, whose
// own inventory it checks.
func holdings(t *testing.T, kubeconfig string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, cluster := range []string{"mgmt", "cluster1", "cluster2"} {
		server := connect(t, kubeconfig, cluster)
		resources := server.resources()
		if len(resources) < 40 {
			t.Fatalf("%s serves %d resources only: %v", cluster, len(resources), resources)
		}
		for _, path := range resources {
			for name, text := range server.objects(path) {
				all[cluster+" "+path+" "+name] = text
			}
		}
	}
	return all
}

// server is one API server.
type server struct {
	t      *testing.T
	client *http.Client
	url    string
}

func connect(t *testing.T, kubeconfig, context string) server {
	t.Helper()
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		&clientcmd.ClientConfigLoadingRules{ExplicitPath: kubeconfig},
		&clientcmd.ConfigOverrides{CurrentContext: context},
	).ClientConfig()
	if err != nil {
		t.Fatal(err)
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	return server{t, client, strings.TrimSuffix(config.Host, "/")}
}

// get reads the JSON at a path.
func (s server) get(path string, into any) {
	s.t.Helper()
	response, err := s.client.Get(s.url + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		s.t.Fatalf("GET %s: %s %v\n%s", path, response.Status, err, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		s.t.Fatalf("GET %s: %v", path, err)
	}
}

// resources are the paths of everything that can be listed, each in one version.
func (s server) resources() []string {
	s.t.Helper()
	var groups struct {
		Groups []struct{ PreferredVersion struct{ GroupVersion string } }
	}
	s.get("/apis", &groups)
	versions := []string{"/api/v1"}
	for _, group := range groups.Groups {
		versions = append(versions, "/apis/"+group.PreferredVersion.GroupVersion)
	}
	var paths []string
	for _, version := range versions {
		var list struct {
			Resources []struct {
				Name  string
				Verbs []string
			}
		}
		s.get(version, &list)
		for _, r := range list.Resources {
			if slices.Contains(r.Verbs, "list") && !strings.Contains(r.Name, "/") && !slices.Contains(restless, r.Name) {
				paths = append(paths, version+"/"+r.Name)
			}
		}
	}
	return paths
}

// objects reads what is at the path of a resource.
func (s server) objects(path string) map[string]string {
	s.t.Helper()
	var list struct{ Items []map[string]any }
	s.get(path, &list)
	found := make(map[string]string)
	for _, o := range list.Items {
		metadata, _ := o["metadata"].(map[string]any)
		name := fmt.Sprintf("%v/%v", metadata["namespace"], metadata["name"])
		delete(o, "status")
		o["metadata"] = map[string]any{"labels": metadata["labels"], "annotations": metadata["annotations"]}
		text, err := json.Marshal(o)
		if err != nil {
			s.t.Fatal(err)
		}
		found[name] = string(text)
	}
	return found
}
