package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const documents = `# DO NOT EDIT
kind: CustomResourceDefinition
metadata:
  name: gateways.networking.istio.io
spec: {group: networking.istio.io}

---
kind: CustomResourceDefinition
metadata:
  name: sidecars.networking.istio.io
---
kind: CustomResourceDefinition
metadata:
  name: virtualservices.networking.istio.io
`

func TestSelect(t *testing.T) {
	got, err := Select([]byte(documents), []string{"gateways.networking.istio.io", "virtualservices.networking.istio.io"})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 {
		t.Errorf("got %d definitions, want 2", len(got))
	}
	if text := string(got["gateways.networking.istio.io"]); !strings.Contains(text, "spec: {group: networking.istio.io}\n") || strings.Contains(text, "---") {
		t.Errorf("got %q, want the document as it is written", text)
	}
	if _, err := Select([]byte(documents), []string{"telemetries.telemetry.istio.io"}); err == nil || !strings.Contains(err.Error(), "telemetries") {
		t.Errorf("got error %v, want one that names what is missing", err)
	}
	if _, err := Select([]byte("{"), nil); err == nil {
		t.Error("what is no YAML was accepted")
	}
}

// TestModuleHoldsWhatIsHonoured reads the pinned module itself.
func TestModuleHoldsWhatIsHonoured(t *testing.T) {
	dir, err := moduleDir()
	if err != nil {
		t.Skip("the module cannot be had here: ", err)
	}
	data, err := os.ReadFile(filepath.Join(dir, source))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Select(data, honoured); err != nil {
		t.Error(err)
	}
}
