package kube

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"
)

// Manifest is one object as a file (or a kustomize folder) says it.
type Manifest struct {
	Object *Object
	File   string // the file, or the kustomize folder
	Line   int    // of the first line of its document; 0 when not known
	source part   // its document; empty when that is not one object's
}

// Origin says where the manifest comes from: "manifests/canary.yaml:12".
func (m Manifest) Origin() string {
	if m.Line == 0 {
		return m.File
	}
	return fmt.Sprintf("%s:%d", m.File, m.Line)
}

// Problem is something wrong with a manifest.
type Problem struct {
	File     string
	Line     int // 0 when not known
	Document int // which of the file's documents, from 1; 0 when it is the file
	Text     string
}

// Error gives "file:line: document 2: text".
func (p Problem) Error() string {
	at := p.File
	if p.Line > 0 {
		at += ":" + strconv.Itoa(p.Line)
	}
	if p.Document > 0 {
		at += fmt.Sprintf(": document %d", p.Document)
	}
	return at + ": " + p.Text
}

// Decode reads a file of YAML documents (or JSON), each an object or a List of
// objects, and returns everything that is wrong with it.
func Decode(file string, source []byte) ([]Manifest, []Problem) {
	var manifests []Manifest
	var problems []Problem
	for i, d := range split(source) {
		found, texts := decodeDocument(d)
		for _, t := range texts {
			problems = append(problems, Problem{File: file, Line: t.line, Document: i + 1, Text: t.text})
		}
		for _, o := range found {
			m := Manifest{Object: o, File: file, Line: d.line}
			if len(found) == 1 && o.Object["items"] == nil {
				m.source = d
			}
			manifests = append(manifests, m)
		}
	}
	if len(manifests) == 0 && len(problems) == 0 {
		problems = append(problems, Problem{File: file, Text: "holds no object"})
	}
	return manifests, problems
}

type part struct {
	line   int // of its first line that says something
	source []byte
	offset int // lines of the file before source
}

type wrong struct {
	line int
	text string
}

// split cuts a file at its "---" lines, and leaves out the parts that are
// nothing but space and comments.
func split(source []byte) []part {
	var parts []part
	current := part{}
	flush := func() {
		if current.line > 0 {
			parts = append(parts, current)
		}
	}
	for i, line := range bytes.SplitAfter(bytes.TrimPrefix(source, []byte("\xef\xbb\xbf")), []byte("\n")) {
		text := string(bytes.TrimRight(line, " \t\r\n"))
		if text == "---" || strings.HasPrefix(text, "--- ") || strings.HasPrefix(text, "---\t") {
			flush()
			// What follows the dashes on their line belongs to the document.
			rest := bytes.TrimPrefix(line, []byte("---"))
			current = part{offset: i, source: append([]byte(nil), rest...)}
			if says(strings.TrimPrefix(text, "---")) {
				current.line = i + 1
			}
			continue
		}
		current.source = append(current.source, line...)
		if current.line == 0 && says(text) {
			current.line = i + 1
		}
	}
	flush()
	return parts
}

func says(line string) bool {
	line = strings.TrimSpace(line)
	return line != "" && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "%")
}

// yamlLine finds the line in a message of the YAML parser.
var yamlLine = regexp.MustCompile(`(?:error converting YAML to JSON: )?(?:yaml: )?(?:unmarshal errors:\s+)?line (\d+): `)

func decodeDocument(p part) ([]*Object, []wrong) {
	var data any
	text, err := yaml.YAMLToJSONStrict(p.source)
	if err == nil {
		err = json.Unmarshal(text, &data) // keeps whole numbers whole, however large
	}
	if err != nil {
		text, line := strings.TrimPrefix(err.Error(), "error converting YAML to JSON: "), p.line
		if at := yamlLine.FindStringSubmatchIndex(text); at != nil {
			n, _ := strconv.Atoi(text[at[2]:at[3]])
			line = p.offset + n
			text = text[:at[0]] + text[at[1]:]
		}
		return nil, []wrong{{line, strings.TrimPrefix(text, "yaml: ")}}
	}
	object, ok := data.(map[string]any)
	if !ok {
		return nil, []wrong{{p.line, "is not an object (a mapping with apiVersion, kind and metadata)"}}
	}
	found, texts := Check(object)
	var all []wrong
	for _, t := range texts {
		all = append(all, wrong{p.line, t})
	}
	return found, all
}

// Check makes objects of plain data: one, or those of a List. It returns what
// each needs and lacks. Whole numbers must be int64, as Kubernetes wants them.
func Check(data map[string]any) ([]*Object, []string) {
	o := &Object{Object: runtime.DeepCopyJSON(data)}
	if items, ok := o.Object["items"].([]any); ok && strings.HasSuffix(o.GetKind(), "List") {
		return checkList(items)
	}
	var texts []string
	lacks := func(field, why string) { texts = append(texts, field+" is missing"+why) }
	if v, _ := o.Object["apiVersion"].(string); v == "" {
		lacks("apiVersion", "")
	}
	if v, _ := o.Object["kind"].(string); v == "" {
		lacks("kind", "")
	}
	meta, isMap := o.Object["metadata"].(map[string]any)
	if !isMap && o.Object["metadata"] != nil {
		texts = append(texts, "metadata is not a mapping")
	} else if v, _ := meta["name"].(string); v == "" {
		why := ""
		if meta["generateName"] != nil {
			why = ": an object with a generated name could not be found again to put it back"
		}
		lacks("metadata.name", why)
	}
	texts = append(texts, stringMaps(meta)...)
	if len(texts) > 0 {
		return nil, texts
	}
	return []*Object{o}, nil
}

// stringMaps refuses labels and annotations that are not text: the API server
// would refuse them without a word about which.
func stringMaps(meta map[string]any) []string {
	var texts []string
	for _, field := range []string{"labels", "annotations"} {
		if meta[field] == nil {
			continue
		}
		m, ok := meta[field].(map[string]any)
		if !ok {
			texts = append(texts, "metadata."+field+" is not a mapping")
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if _, ok := m[key].(string); !ok {
				texts = append(texts, fmt.Sprintf("metadata.%s[%s] is %v: it must be text, so quote it", field, key, m[key]))
			}
		}
	}
	return texts
}

func checkList(items []any) ([]*Object, []string) {
	var objects []*Object
	var texts []string
	for i, item := range items {
		m, ok := item.(map[string]any)
		if !ok {
			texts = append(texts, fmt.Sprintf("items[%d] is not an object", i))
			continue
		}
		found, lacking := Check(m)
		objects = append(objects, found...)
		for _, t := range lacking {
			texts = append(texts, fmt.Sprintf("items[%d].%s", i, t))
		}
	}
	return objects, texts
}

// Identity says which object a manifest is about, for finding two manifests of
// the same one.
func Identity(o *Object) string {
	return strings.Join([]string{o.GroupVersionKind().GroupKind().String(), o.GetNamespace(), o.GetName()}, "/")
}
