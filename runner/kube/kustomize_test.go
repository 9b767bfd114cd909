package kube

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const plainObject = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: y}\n"

// Whatever a kustomization names by an address is not asked for.
func TestKustomizeFetchesNothing(t *testing.T) {
	for _, field := range []string{
		"resources: [URL]",
		"components: [URL]",
		"patches: [{path: URL}]",
		"patchesStrategicMerge: [URL]",
		"patchesJson6902: [{path: URL, target: {kind: ConfigMap, name: a, version: v1}}]",
		"replacements: [{path: URL}]",
		"openapi: {path: URL}",
		"configMapGenerator: [{name: x, files: [URL]}]",
		"configMapGenerator: [{name: x, files: [key=URL]}]",
		"configMapGenerator: [{name: x, envs: [URL]}]",
		"configMapGenerator: [{name: x, env: URL}]",
		"secretGenerator: [{name: x, files: [URL]}]",
	} {
		t.Run(field, func(t *testing.T) {
			asked := false
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				asked = true
				w.Write([]byte(plainObject))
			}))
			defer server.Close()
			address := server.URL + "/a=b.yaml"
			_, err := kustomized(t, strings.ReplaceAll(field, "URL", address))
			if err == nil || !strings.Contains(err.Error(), "kustomization.yaml names "+address) || asked {
				t.Errorf("asked: %v, error %v", asked, err)
			}
		})
	}
}

// An address that is no more than text is nobody's business.
func TestKustomizeLeavesAddressesInData(t *testing.T) {
	found, err := kustomized(t, "configMapGenerator: [{name: x, literals: [\"a=https://example.com/\"], files: [own=object.yaml]}]")
	if err != nil || len(found) != 1 {
		t.Errorf("%d objects, %v", len(found), err)
	}
}

// kustomized builds a folder with a kustomization and object.yaml.
func kustomized(t *testing.T, kustomization string) ([]Manifest, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"kustomization.yaml": kustomization + "\n", "object.yaml": plainObject} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Kustomize(dir, dir, "folder", nil)
}
