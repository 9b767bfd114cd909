package kube

import (
	"regexp"
	"strconv"

	"gopkg.in/yaml.v3"
)

// OriginOf says where the manifest's file has a field, given as API servers give
// paths: "spec.policy.trafficShift.destinations[0].weight". Of a path that is only
// partly found it is the place of that part, and of none the manifest's own.
func (m Manifest) OriginOf(field string) string {
	var document yaml.Node
	if m.source.source == nil || yaml.Unmarshal(m.source.source, &document) != nil || len(document.Content) != 1 {
		return m.Origin()
	}
	node, line := document.Content[0], 0
	for _, step := range pathStep.FindAllStringSubmatch(field, -1) {
		if node.Kind == yaml.AliasNode {
			node = node.Alias
		}
		var at int
		if node, at = inner(node, step[1], step[2]); node == nil {
			break
		}
		line = at
	}
	if line > 0 {
		m.Line = m.source.offset + line
	}
	return m.Origin()
}

// pathStep is a key, or an index in brackets.
var pathStep = regexp.MustCompile(`([^.\[\]]+)|\[([^\]]*)\]`)

// inner is the value of a key or at an index, and the line on which it begins; nil
// when there is none.
func inner(node *yaml.Node, key, index string) (*yaml.Node, int) {
	if key == "" {
		if i, err := strconv.Atoi(index); err == nil && node.Kind == yaml.SequenceNode && i >= 0 && i < len(node.Content) {
			return node.Content[i], node.Content[i].Line
		}
		return nil, 0
	}
	if node.Kind != yaml.MappingNode {
		return nil, 0
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1], node.Content[i].Line
		}
	}
	return nil, 0
}
