package environment

import (
	"os"
	"path/filepath"
	"testing"
)

func TestFolder(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"outside/environments", "repo/.git", "repo/scenarios/environments", "repo/scenarios/faults/deep", "repo/other"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "repo/scenarios/faults/x.yaml"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ from, path, want string }{
		{"repo", "scenarios", "scenarios/environments"},
		{"repo", "scenarios/faults", "scenarios/environments"},
		{"repo", "scenarios/faults/x.yaml", "scenarios/environments"},
		{"repo/scenarios", ".", "environments"},
		{"repo/scenarios/faults/deep", ".", "../../environments"},
		{"repo", filepath.Join(root, "repo/scenarios/faults"), filepath.Join(root, "repo/scenarios/environments")},
		{"repo", "other", "other/environments"}, // above the repository is somebody else's
		{"repo", "nowhere/at/all", "nowhere/at/all/environments"},
	}
	for _, tt := range tests {
		t.Run(tt.from+" "+tt.path, func(t *testing.T) {
			t.Chdir(filepath.Join(root, tt.from))
			if got := Folder(tt.path); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
