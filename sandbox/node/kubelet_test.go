package node

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Who asks for logs reads text, who wants a stream a Status; both say why not.
func TestKubeletSaysWhyThereIsNothing(t *testing.T) {
	m := start(t)
	node, err := m.client.CoreV1().Nodes().Get(m.ctx, "cluster1", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	at := fmt.Sprintf("https://%s:%d", node.Status.Addresses[0].Address, node.Status.DaemonEndpoints.KubeletEndpoint.Port)
	for _, upgrade := range []string{"", "SPDY/3.1"} {
		request, err := http.NewRequest(http.MethodGet, at+"/containerLogs/default/pod/app", nil)
		if err != nil {
			t.Fatal(err)
		}
		if upgrade != "" {
			request.Header.Set("Connection", "Upgrade")
			request.Header.Set("Upgrade", upgrade)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		said := string(body)
		if upgrade != "" {
			var status metav1.Status
			if err := json.Unmarshal(body, &status); err != nil {
				t.Fatalf("%v: %s", err, body)
			}
			said = status.Message
		}
		if response.StatusCode != http.StatusNotImplemented || !strings.Contains(said, "the sandbox runs no containers") {
			t.Errorf("upgrade %q: got %d %q, want 501 and why", upgrade, response.StatusCode, said)
		}
	}
}
