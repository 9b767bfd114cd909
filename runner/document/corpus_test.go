package document

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshassay/assay/internal/golden"
)

// everything is a file with a key of each type, for the corpus and the fuzzer.
type everything struct {
	Name     string             `yaml:"name,required"`
	Text     string             `yaml:"text"`
	Port     string             `yaml:"port,scalar"`
	Flag     bool               `yaml:"flag"`
	Count    int                `yaml:"count"`
	Small    uint8              `yaml:"small"`
	Factor   float64            `yaml:"factor"`
	List     []string           `yaml:"list"`
	Labels   map[string]string  `yaml:"labels"`
	Share    Percent            `yaml:"share"`
	Shares   map[string]Percent `yaml:"shares"`
	Margin   Points             `yaml:"margin"`
	Timeout  Duration           `yaml:"timeout"`
	Rate     Rate               `yaml:"rate"`
	Optional *int               `yaml:"optional"`
	Inner    inner              `yaml:"inner"`
	Inners   []inner            `yaml:"inners"`
	Object   map[string]any     `yaml:"object"`
	Raw      Value              `yaml:"raw"`
	together `yaml:",inline"`
	Self     Value `yaml:",self"`
	Unread   func()
}

type inner struct {
	Cluster string   `yaml:"cluster,required"`
	Files   []string `yaml:"files,required"`
	Ready   bool     `yaml:"ready"`
}

type together struct {
	From string `yaml:"from"`
	To   string `yaml:"to"`
}

func parseEverything(file string, source []byte) (everything, Mistakes) {
	var e everything
	root, ms := Parse(file, source)
	if root.Exists() {
		ms = Sort(append(ms, root.Decode(&e)...))
	}
	return e, ms
}

// TestBadFiles compares what Show prints for each testdata/*.bad.yaml with the
// .want file beside it.
func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/*.bad.yaml")
	if err != nil || len(files) < 25 {
		t.Fatalf("found %d bad files, want the corpus (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".bad.yaml"), func(t *testing.T) {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, ms := parseEverything(filepath.Base(file), source)
			if len(ms) == 0 {
				t.Fatal("no mistake found")
			}
			var got bytes.Buffer
			ms.Show(&got)
			golden.Compare(t, strings.TrimSuffix(file, ".yaml")+".want", got.String())
		})
	}
}
